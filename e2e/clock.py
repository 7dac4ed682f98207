"""The clock jumps an hour back, forward again, and a day back. Texts are still answered, once and in order.

Nothing waits for the old time, and nothing is sent twice because of a wrong time. Run it with e2e/run.sh clock.py.
The clock is wrong only for the gateway and its commands; Twilio's is right.
"""

import itertools
import json
import random

from harness import PHONE, WEBHOOK, Case, Channel, Machine, Twilio, eventually, main

HOUR, DAY = 3600, 86_400
FRIEND, OTHER = "+15550007777", "+15550008888"
# Far less than the clock is set back by, so that anything waiting for the old time would be late.
SOON = 120
# A part with a lost response is looked up twice, 15 s apart, before it is sent again.
FAULTS = {"cut-after-accepting": 10, "server-error-after-accepting": 5, "too-many-requests": 5, "lose-callback": 10}


class Jumping(Case):
    settings = {}

    def setUp(self):
        self.twilio = Twilio(self)
        self.channel = Channel(self, self.twilio.url, self.settings)
        self.machine = Machine(self, self.channel)
        self.gateway = self.channel.gateway()
        self.twilio.deliver_to(self.channel.url + WEBHOOK)
        self.numbers = itertools.count(1)
        self.written = {}

    def write(self, phone=PHONE, body=None):
        """Sends a text and checks that it is acknowledged."""
        body = body or f"text {next(self.numbers)}"
        self.assertEqual(self.twilio.text(body, phone)["status"], 200)
        self.written.setdefault(phone, []).append(body)

    def all_are_answered(self):
        """Checks that each text arrives soon, once and in order."""
        for phone, bodies in self.written.items():
            try:
                eventually(lambda: len(self.twilio.bodies(phone)) >= len(bodies), SOON, f"answers to {phone}")
            finally:
                self.assertEqual(self.twilio.bodies(phone), bodies, self.books(phone))

    def books(self, phone):
        """Returns the gateway's messages to a phone that are not simply sent."""
        odd = [e["id"] for e in self.channel.messages("outbound") if e["contact"] == phone and e["state"] != "sent"]
        return json.dumps([self.channel.read("telephony", "messages", each) for each in odd], indent=1)

    def turns_are_over(self):
        """Waits until all turns are done; answers may wait. Two jumps can delay a turn by an hour."""
        self.none_is("acknowledged", "waiting", "answering", "retrying")

    def nothing_is_left(self):
        """Checks that the gateway has no open work either."""
        self.none_is("acknowledged", "waiting", "answering", "retrying", "queued", "sending", "unknown")
        self.assertEqual([entry["state"] for entry in self.channel.messages("outbound") if entry["state"] != "sent"], [])

    def none_is(self, *states):
        is_so = lambda: not set(states) & self.channel.in_flight().keys()
        eventually(is_so, SOON, f"nothing {', '.join(states)}")


class Clock(Jumping):
    def test_texts_are_answered_while_the_clock_jumps(self):
        sent = []
        for wrong_by in (0, -HOUR, 0, -DAY, -HOUR, 0, HOUR, 0):
            self.machine.clock_wrong_by(wrong_by)
            for phone in (PHONE, FRIEND):
                self.write(phone)
            self.all_are_answered()
            sent.append(f"{len(sent)}: the clock is wrong by {wrong_by} s")
            self.assertIn("Sent: SM", self.channel.done("telephony", "send", OTHER, sent[-1]))
        self.assertEqual(self.twilio.bodies(OTHER), sent)
        self.nothing_is_left()

    def test_waiting_messages_do_not_wait_for_the_old_time_after_the_clock_is_set_back(self):
        """Lets all retries and lookups be scheduled by the old time."""
        self.twilio.misbehave("cut-before-accepting", {"next": 2})
        for phone in (FRIEND, OTHER):
            self.write(phone)
        outbox = lambda: self.channel.read("telephony", "status")["outbox"]
        eventually(lambda: outbox()["unknown"] == 2, what="two doubts")
        self.twilio.misbehave("too-many-requests")
        self.write(PHONE)
        eventually(lambda: outbox()["queued"], what="a retry")
        self.machine.clock_wrong_by(-HOUR)
        self.twilio.behave()
        self.write(PHONE)
        self.all_are_answered()
        self.nothing_is_left()

    def test_a_gateway_killed_before_the_clock_is_set_back_is_followed_by_another(self):
        self.twilio.misbehave({"delay-answer": {"milliseconds": 3000}}, {"next": 1})
        self.write()
        eventually(lambda: self.channel.read("telephony", "status")["outbox"]["sending"], what="a part on its way")
        self.gateway.kill()
        self.machine.clock_wrong_by(-HOUR)
        self.channel.gateway()
        self.write()
        self.all_are_answered()
        self.nothing_is_left()

    def test_an_answer_that_twilio_drops_is_found_in_its_list_whatever_the_clock_says(self):
        """The list has creation times from Twilio's clock."""
        for wrong_by in (HOUR, -HOUR, DAY):
            self.machine.clock_wrong_by(wrong_by)
            self.twilio.misbehave("cut-after-accepting", {"next": 1})
            self.twilio.misbehave("lose-callback", {"next": 4})
            self.write()
            self.write()
            self.all_are_answered()
            self.twilio.behave()
        self.nothing_is_left()

    def test_an_equal_text_that_was_sent_when_the_clock_was_wrong_is_not_taken_for_one_that_is_lost(self):
        for earlier, later in ((-HOUR, 0), (0, HOUR)):
            phone = f"+1555000{earlier + 9000}"
            self.machine.clock_wrong_by(earlier)
            self.write(phone, "ok")
            self.all_are_answered()
            self.machine.clock_wrong_by(later)
            self.twilio.misbehave("cut-before-accepting", {"next": 1})
            self.write(phone, "ok")
            self.all_are_answered()
        self.nothing_is_left()

    def test_answers_that_twilio_drops_are_not_sent_twice_while_the_clock_jumps(self):
        for fault, percent in FAULTS.items():
            self.twilio.misbehave(fault, {"percent": percent})
        phones = [f"+1555100{n:04}" for n in range(20)]
        # No larger step, because messages that have waited for ten hours expire.
        jumps = itertools.cycle((-HOUR, 0, HOUR))
        for _ in range(8):
            self.machine.clock_wrong_by(next(jumps))
            for phone in phones:
                # Some contacts repeat themselves, because equal texts are the hardest to distinguish.
                self.write(phone, "ok" if random.random() < 0.3 else None)
            self.turns_are_over()
        self.machine.clock_wrong_by(-HOUR)
        self.all_are_answered()
        self.nothing_is_left()


class Paced(Jumping):
    settings = {"sms": {"segmentsPerSecond": 2}}

    def test_pacing_does_not_stop_for_an_hour(self):
        for wrong_by in (0, -HOUR, 0, -DAY):
            self.machine.clock_wrong_by(wrong_by)
            for _ in range(4):
                self.write()
            self.turns_are_over()
        self.all_are_answered()
        self.nothing_is_left()


if __name__ == "__main__":
    main()
