"""Kills the gateway again and again while texts come in and Twilio misbehaves: nothing is lost, doubled or swapped.

Every text that was acknowledged has one answer at Twilio's, and every conversation is in order. At some of the kills the
disk also changes bytes of the journal: what they held comes back from Twilio's list, once. Run it with
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
    """How much happens, and for how long."""

    conversations: int
    texts: int
    kills: int
    seconds: int
    rest: int
    # Requests that Twilio never answers; the gateway gives up on each after 30 s.
    hangs: int = 0
    # Seconds in which lost reports are made up for; 0: that is not waited for.
    reports: int = 0


PLANS = {"short": Plan(50, 6, 20, 20, 120), "long": Plan(50, 12, 60, 120, 400, hangs=3, reports=240)}
plan = PLANS["short"]

# In percent of the requests or callbacks that they can strike. Losing what was not accepted costs 15 s each time.
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
# Codes with which Twilio rejects the whole account: inactive, trial, rotated token, suspended, no right, test credentials.
ACCOUNT_CODES = [20003, 20005, 10001, 20006, 10002, 20008]
# The journal is damaged at one kill in so many.
DAMAGE_EACH = 6
WRITERS = 10
OPERATORS_FRIEND = "+15552000000"
# The state of a message that Twilio lost twice: the gateway says so and does not try a third time.
GAVE_UP = "finally-unknown"


class Texts:
    """People who write to the line, each text until it is acknowledged, and what they wrote."""

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
                # Some people repeat themselves: equal texts are the hardest to tell apart afterwards.
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
    """An operator who looks and sends meanwhile. A send is repeated with its key until its fate is known."""

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
    """What the gateway acknowledged and had not stored when it was killed, on a disk that changes bytes."""

    def __init__(self, channel):
        self.channel = channel
        self.damages, self.phones = 0, set()

    def kill_while_it_holds_something(self, gateway, texts):
        """Kills the gateway while a text is in the journal only, which is so for some milliseconds; says whether it found
        one before everything was written."""
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
        """Changes a byte, a run of bytes, or all of what is written."""
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
        """Who is named in it: what is lost of them comes back later than what they write next."""
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

    def test_nothing_is_lost_doubled_or_swapped(self):
        gateway = self.channel.gateway()
        journal = Journal(self.channel)
        self.misbehave()
        texts, commands = Texts(self.twilio, self.over), Commands(self.channel, self.over)
        for thread in (*texts.threads, commands):
            thread.start()
        for number in range(plan.kills):
            self.refuse_or_serve(number)
            # Any moment will do, also one while it starts.
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
        """Twilio refuses the account from one kill in four to the next, each time with another code."""
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
        """Waits until everything was sent, or all texts came and nothing is in flight any more."""
        eventually(lambda: len(self.twilio.sent()) >= count or self.is_at_rest(texts), plan.rest, "rest")

    def is_at_rest(self, texts):
        """What a damaged journal lost is in flight nowhere until Twilio's list has been read."""
        return len(self.channel.messages("inbound", limit=10_000)) >= texts and not self.channel.in_flight()

    def all_are_delivered(self):
        """Although reports were lost, and others came late or twice."""
        sent = [entry for entry in self.channel.messages("outbound", limit=10_000) if entry["state"] != GAVE_UP]
        return all(entry["status"] == "delivered" for entry in sent)

    def compare(self, expected, may_be_swapped):
        """What was to be said, what the gateway says it said, and what Twilio got, are the same, and in order; but for
        those whose texts were in a damaged journal: these are answered once, in any order."""
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
        """What is given up was lost twice on its way, each time without an answer: a third request might be the second
        that the contact reads. That Twilio has none of it was seen above; the operator is told of each."""
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
