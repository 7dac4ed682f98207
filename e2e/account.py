"""Twilio rejects the account while answers are in flight, and the operator fixes it: all arrive, in order.

200 texts from 20 contacts are acknowledged and answered slowly. After some answers the Auth Token is rotated,
the account is suspended, or a key loses a right. Run it with e2e/run.sh account.py
"""

import json
import random
import sys
import threading
import time

from harness import WEBHOOK, Case, Channel, Twilio, eventually, main

TEXTS = 10
FRIEND = "+15554000000"
NEW_TOKEN = "fedcba9876543210fedcba9876543210"
# Twilio's codes for the account: wrong credentials, suspended, inactive, no permission.
CODES = [20003, 20005, 10001, 20006]


def people(case):
    """Different contacts in each case, because one who gets 40 answers within seconds counts as a bot and is paused."""
    return [f"+15553{case:02}{n:04}" for n in range(20)]


class Refused(Case):
    # This many answers leave per second.
    pace = 200
    people = people(0)

    def setUp(self):
        self.twilio = Twilio(self)
        self.channel = Channel(self, self.twilio.url, {"sms": {"segmentsPerSecond": self.pace}})
        self.twilio.deliver_to(self.channel.url + WEBHOOK)

    def texts_come(self):
        """Everyone texts at the same time, each text after the previous one is acknowledged."""
        self.troubles = []
        self.writers = [threading.Thread(target=self.write, args=(phone,), daemon=True) for phone in self.people]
        for writer in self.writers:
            writer.start()

    def write(self, phone):
        for body in self.bodies(phone):
            delivery = self.twilio.text(body, phone)
            if delivery["status"] != 200:
                self.troubles.append(delivery)

    def bodies(self, phone):
        return [f"text {n} of {phone}" for n in range(TEXTS)]

    def after_some_answers(self):
        some = random.randrange(20, 80)
        eventually(lambda: len(self.twilio.sent()) >= some, what=f"{some} answers")

    def all_are_acknowledged(self):
        for writer in self.writers:
            writer.join()
        self.assertEqual(self.troubles, [])

    def is_stopped(self, code):
        """`status` and doctor report the problem, and there is one notice while it lasts."""
        status = eventually(lambda: self.stopped_status(), what="a status that names the stop")
        self.assertEqual(status["stopped"]["code"], code)
        notices = [notice for notice in status["notices"] if "stopped" in json.dumps(notice)]
        self.assertEqual(len(notices), 1, status)
        self.assertIn("stopped since", self.channel.done("telephony", "status"))
        doctor = self.channel.run("telephony", "doctor")
        self.assertEqual(doctor.returncode, 1)
        self.assertIn("Twilio rejects the whole account", doctor.stdout)

    def stopped_status(self):
        status = self.channel.read("telephony", "status")
        return status["stopped"] and status["notices"] and status

    def sending_is_kept(self, code):
        """A command fails at once instead of waiting for the account, because a user waits at the terminal."""
        begun = time.monotonic()
        ended = self.channel.run("telephony", "send", FRIEND, "news")
        print(f"{code}: `send` took {time.monotonic() - begun:.1f} s", file=sys.stderr)
        self.assertEqual(ended.returncode, 1, ended)
        self.assertTrue(ended.stderr.startswith("error: not sent yet, but kept: "), ended)
        self.assertIn(str(code), ended.stderr)

    def all_arrive(self, *news):
        """Each answer arrives once and in order, and the problem is gone."""
        expected = {phone: self.bodies(phone) for phone in self.people} | {FRIEND: list(news)}
        count = sum(map(len, expected.values()))
        eventually(lambda: len(self.twilio.sent()) >= count, what="all answers")
        eventually(lambda: not self.channel.in_flight(), what="rest")
        for phone, bodies in expected.items():
            self.assertEqual(self.twilio.bodies(phone), bodies)
        status = self.channel.read("telephony", "status")
        self.assertFalse(status["stopped"] or status["notices"], status)


class Rotated(Refused):
    # Answers still wait when the last text is acknowledged.
    pace = 25

    def test_a_rotated_token_is_put_into_the_configuration(self):
        gateway = self.channel.gateway()
        self.texts_come()
        self.after_some_answers()
        # First all texts are acknowledged, because the new token's signatures are rejected until it is configured.
        self.all_are_acknowledged()
        self.twilio.control("account", {"authToken": NEW_TOKEN})
        self.is_stopped(20003)
        self.sending_is_kept(20003)
        gateway.stop()
        self.assertEqual(gateway.output().count("sending is stopped"), 1)
        self.channel.change({"twilio": {"authToken": NEW_TOKEN}})
        self.channel.gateway()
        self.all_arrive("news")
        self.assertEqual(self.twilio.text("and now?", self.people[0])["status"], 200)
        eventually(lambda: "and now?" in self.twilio.bodies(self.people[0]), what="an answer to what the new token signed")


class Fixed(Refused):
    """After a fix at Twilio, the same gateway resumes by itself."""

    def test_fixed_at_twilio(self):
        gateway = self.channel.gateway()
        for case, code in enumerate(CODES):
            with self.subTest(code=code):
                self.people = people(case)
                self.goes_on_after(code, gateway)
                self.twilio.control("reset")

    def goes_on_after(self, code, gateway):
        told = gateway.output().count("sending is stopped")
        self.texts_come()
        self.after_some_answers()
        self.twilio.misbehave({"refuse-account": {"code": code}})
        self.all_are_acknowledged()
        self.is_stopped(code)
        self.sending_is_kept(code)
        self.twilio.behave()
        self.all_arrive("news")
        self.assertEqual(gateway.output().count("sending is stopped"), told + 1)


if __name__ == "__main__":
    main()
