"""Kills the gateway repeatedly while texts arrive and Twilio misbehaves: nothing is lost, doubled or swapped.

Every acknowledged text has one answer at Twilio, and every conversation is in order. At some of the kills the
disk also corrupts the journal; the lost entries come back from Twilio's list, once. Run it with
e2e/run.sh crash.py, or e2e/run.sh crash.py long.
"""

import collections
import dataclasses
import random
import re
import signal
import sys
import threading

from harness import WEBHOOK, Case, Channel, Twilio, eventually, main


@dataclasses.dataclass
class Plan:
    """The amount of traffic and its duration."""

    conversations: int
    texts: int
    kills: int
    seconds: int
    rest: int
    # Requests that Twilio never answers; the gateway's timeout is 30 s.
    hangs: int = 0
    # Seconds until lost reports are recovered; 0 does not wait for them.
    reports: int = 0


PLANS = {"short": Plan(50, 6, 20, 20, 120), "long": Plan(50, 12, 60, 120, 400, hangs=3, reports=240)}
plan = PLANS["short"]

# Percentages of the requests or callbacks concerned. Losing a request before acceptance costs 15 s each time.
FAULTS = {
    "too-many-requests": 5,
    "server-error": 1,
    "server-error-after-accepting": 3,
    "cut-before-accepting": 1,
    "cut-after-accepting": 4,
    "callback-before-answer": 5,
    "lose-callback": 10,
    "reorder-callback": 10,
    "duplicate-callback": 10,
}
TIMED_FAULTS = {"delay-answer": 20, "delay-callback": 20}
# Codes with which Twilio rejects the account: inactive, trial, rotated token, suspended, no right, test credentials.
ACCOUNT_CODES = [20003, 20005, 10001, 20006, 10002, 20008]
# The journal is damaged at one in this many kills.
DAMAGE_EACH = 6
WRITERS = 10
OPERATORS_FRIEND = "+15552000000"
# The state of a message lost twice at Twilio: the gateway reports it and does not try a third time.
GAVE_UP = "finally-unknown"


class Texts:
    """Contacts who text the line, repeat each text until it is acknowledged, and record it."""

    def __init__(self, twilio, over):
        self.twilio, self.over = twilio, over
        self.written = collections.defaultdict(list)
        self.posts = 0
        self.threads = [threading.Thread(target=self.write, args=(n,), daemon=True) for n in range(WRITERS)]

    def write(self, writer):
        phones = [f"+1555100{n:04}" for n in range(writer, plan.conversations, WRITERS)]
        pause = plan.seconds / (plan.texts * len(phones))
        for n in range(plan.texts):
            for phone in phones:
                # Some contacts repeat themselves, because equal texts are the hardest to distinguish afterwards.
                body = "ok" if random.random() < 0.2 else f"text {n} of {phone}"
                self.until_acknowledged(phone, body)
                self.written[phone].append(body)
                self.over.wait(random.uniform(0, 2 * pause))

    def are_being_written(self):
        return any(thread.is_alive() for thread in self.threads)

    def until_acknowledged(self, phone, body):
        delivery = self.twilio.text(body, phone)
        self.posts += 1
        while delivery["status"] != 200:
            self.over.wait(0.05)
            delivery = self.twilio.control(f"redeliver/{delivery['sid']}")
            self.posts += 1


class Commands(threading.Thread):
    """An operator who runs commands meanwhile. A send is repeated with its key until its outcome is known."""

    def __init__(self, channel, over):
        super().__init__(daemon=True)
        self.channel, self.over = channel, over
        self.sent, self.troubles = [], []

    def run(self):
        for number in range(10_000):
            if self.over.is_set():
                return
            self.look("telephony", "status", "--json")
            self.look("telephony", "messages", "--json")
            self.send(f"from the operator, number {number}")

    def look(self, *command):
        ended = self.channel.run(*command)
        if ended.returncode != 0:
            self.troubles.append(f"{command}: {ended.stderr}")

    def send(self, body):
        self.sent.append(body)
        while True:
            ended = self.channel.run("telephony", "send", OPERATORS_FRIEND, body, "--key", body)
            if ended.returncode == 0 or "cannot find out whether" in ended.stderr:
                return
            self.over.wait(0.2)


class Journal:
    """Corrupts what the gateway acknowledged but had not stored when it was killed."""

    def __init__(self, channel):
        self.channel = channel
        self.damages, self.phones = 0, set()

    def kill_while_it_holds_something(self, gateway, texts):
        """Kills the gateway while a text is only in the journal, a matter of milliseconds. Returns false if no such
        moment came before everything was written."""
        found = False
        while not found and texts.are_being_written():
            found = self.is_stopped_with_entries(gateway)
        gateway.kill()
        return found

    def is_stopped_with_entries(self, gateway):
        if self.phones_in(self.read()):
            gateway.process.send_signal(signal.SIGSTOP)
            if self.phones_in(self.read()):
                return True
            gateway.process.send_signal(signal.SIGCONT)
        return False

    def damage(self):
        """Changes a byte, a run of bytes, or everything written."""
        content = bytearray(self.read())
        self.phones |= self.phones_in(content)
        written = len(content.rstrip(b"\0"))
        length = min(written, random.choice([1, 1, 30, 400, written]))
        start = random.randrange(written - length + 1)
        for place in range(start, start + length):
            content[place] ^= random.randrange(1, 256)
        self.file().write_bytes(content)
        self.damages += 1

    def phones_in(self, content):
        """Returns the contacts in the damaged part, whose lost texts come back after their next ones."""
        return {phone.decode() for phone in re.findall(rb"\+1555100\d{4}", content)}

    def read(self):
        return self.file().read_bytes()

    def file(self):
        (file,) = self.channel.state.rglob("*-arrivals")
        return file


class Crash(Case):
    def setUp(self):
        self.twilio = Twilio(self)
        self.channel = Channel(self, self.twilio.url)
        self.twilio.deliver_to(self.channel.url + WEBHOOK)
        self.over = threading.Event()
        self.addCleanup(self.over.set)

    def test_nothing_is_lost_duplicated_or_swapped(self):
        gateway = self.channel.gateway()
        journal = Journal(self.channel)
        self.misbehave()
        texts, commands = Texts(self.twilio, self.over), Commands(self.channel, self.over)
        for thread in (*texts.threads, commands):
            thread.start()
        for number in range(plan.kills):
            self.refuse_or_serve(number)
            # Any moment is fine, including startup.
            self.over.wait(random.uniform(0.02, 2 * plan.seconds / plan.kills))
            if number % DAMAGE_EACH != DAMAGE_EACH - 1:
                gateway.kill()
            elif journal.kill_while_it_holds_something(gateway, texts):
                journal.damage()
            gateway = self.channel.launch()
        gateway.answers(f"{self.channel.url}/health")
        for thread in texts.threads:
            thread.join()
        self.over.set()
        commands.join()
        self.twilio.behave()
        print(f"{plan.kills} kills; {sum(map(len, texts.written.values()))} texts in {texts.posts} posts; "
              f"{len(commands.sent)} sent by command; the journal was damaged {journal.damages} times, "
              f"with texts of {len(journal.phones)} people in it", file=sys.stderr)  # fmt: skip
        self.assertGreaterEqual(journal.damages, 2)
        self.assertEqual(commands.troubles, [])
        expected = {**texts.written, OPERATORS_FRIEND: commands.sent}
        self.rest(sum(map(len, texts.written.values())), sum(map(len, expected.values())))
        self.compare(expected, journal.phones)
        if plan.reports:
            eventually(self.all_are_delivered, plan.reports, "the last word on every message")

    def refuse_or_serve(self, number):
        """Twilio rejects the account from every fourth kill to the next one, each time with another code."""
        if number % 4 == 1:
            code = ACCOUNT_CODES[number // 4 % len(ACCOUNT_CODES)]
            self.twilio.misbehave({"refuse-account": {"code": code}})
        elif number % 4 == 2:
            self.twilio.misbehave({"refuse-account": {"code": 0}}, {"next": 0})

    def misbehave(self):
        for fault, percent in FAULTS.items():
            self.twilio.misbehave(fault, {"percent": percent})
        for fault, percent in TIMED_FAULTS.items():
            self.twilio.misbehave({fault: {"milliseconds": 200}}, {"percent": percent})
        self.twilio.misbehave("hang-after-accepting", {"next": plan.hangs})

    def rest(self, texts, count):
        """Waits until everything is sent, or all texts have arrived and nothing is in flight."""
        eventually(lambda: len(self.twilio.sent()) >= count or self.is_at_rest(texts), plan.rest, "rest")

    def is_at_rest(self, texts):
        """Entries lost from a damaged journal are not in flight until the gateway has read Twilio's list."""
        return len(self.channel.messages("inbound", limit=10_000)) >= texts and not self.channel.in_flight()

    def all_are_delivered(self):
        """Checks the final statuses, although reports were lost, late or doubled."""
        sent = [entry for entry in self.channel.messages("outbound", limit=10_000) if entry["state"] != GAVE_UP]
        return all(entry["status"] == "delivered" for entry in sent)

    def compare(self, expected, may_be_swapped):
        """Checks that the expected answers, the gateway's records and Twilio's messages match, in order. Contacts whose
        texts were in a damaged journal get each answer once, in any order."""
        said, got, given_up = {}, {}, set()
        for entry in self.channel.messages("outbound", limit=10_000):
            if entry["state"] == GAVE_UP:
                given_up.add(entry["id"])
            said.setdefault(entry["contact"], []).append((entry["text"], entry["state"] == GAVE_UP))
        for message in self.twilio.sent():
            got.setdefault(message["to"], []).append(message["body"])
        for phone, bodies in expected.items():
            with self.subTest(phone=phone):
                order = sorted if phone in may_be_swapped else list
                self.assertEqual(order(body for body, _ in said.get(phone, [])), order(bodies))
                self.assertEqual(got.get(phone, []), [body for body, is_given_up in said[phone] if not is_given_up])
        print(f"given up, as the gateway says: {len(given_up)}", file=sys.stderr)
        self.could_not_be_decided(given_up)

    def could_not_be_decided(self, given_up):
        """Checks that the operator gets a notice of each message that was lost twice without a response. The gateway
        gives it up, because a third request might reach the contact as a second copy."""
        self.assertEqual(set(self.channel.read("telephony", "status")["finallyUnknown"]), given_up)
        for message in given_up:
            attempts = self.channel.read("telephony", "messages", message)["attempts"]
            open_ends = [attempt for attempt in attempts if attempt["outcome"] == "unknown" and attempt["code"] is None]
            print(f"{message}: {[attempt['reason'] for attempt in attempts]}", file=sys.stderr)
            self.assertGreaterEqual(len(open_ends), 2, attempts)
            self.assertEqual([attempt for attempt in attempts if attempt["outcome"] == "sent"], [])


if __name__ == "__main__":
    if "long" in sys.argv:
        sys.argv.remove("long")
        plan = PLANS["long"]
    main()
