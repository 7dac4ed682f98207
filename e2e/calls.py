"""Kills the gateway repeatedly while calls go on in both directions and Twilio misbehaves: no call stays open, none is
dialed twice, and no words are lost.

Contacts call and talk, hang up, fall silent or talk until their time is up. Commands and the agent place calls, to
people, machines, busy lines and phones that nobody answers. The second test does the same at a Twilio that ignores the
longest time of a call that came in. Run it with e2e/run.sh calls.py, or with the seed of an earlier run:
e2e/run.sh calls.py 1234.
"""

import collections
import dataclasses
import datetime
import email.utils
import http.client
import http.server
import json
import random
import sys
import threading
import time
import urllib.parse

from harness import LINE, Case, Channel, Twilio, eventually, main, request


@dataclasses.dataclass
class Plan:
    """The number of calls and kills, and the seconds in which they begin."""

    incoming: int
    outgoing: int
    kills: int
    seconds: int
    # Requests for a call that Twilio never answers, half of them for calls that it places.
    hangs: int


LONG = Plan(incoming=26, outgoing=24, kills=20, seconds=40, hangs=2)
SHORT = Plan(incoming=10, outgoing=6, kills=6, seconds=12, hangs=0)

# The longest call and the longest ringing, in seconds.
LONGEST, RINGS = 15, 5
# The time within which a call is over after its deadline.
GRACE = 60
# Twilio may keep a call queued for a minute; the gateway then waits for the ringing and half a minute more.
UNANSWERED = 60 + RINGS + 30
# Twilio reports times in whole seconds.
ROUNDING = 2

# The statuses of a call that is not over.
OPEN = ["queued", "initiated", "ringing", "in-progress"]

# Percentages of the requests for a call, of all requests, and of the status reports.
FAULTS = {
    "too-many-requests": 5,
    "server-error": 8,
    "server-error-after-accepting": 8,
    "cut-before-accepting": 8,
    "cut-after-accepting": 8,
    "outage": 5,
    "reads-unavailable": 5,
    "lose-callback": 25,
    "reorder-callback": 10,
    "duplicate-callback": 20,
}
TIMED_FAULTS = {"delay-answer": (15, 300), "delay-callback": (20, 1500)}

ENDINGS = ["hangs up", "falls silent", "says goodbye", "presses *", "talks on", "talks on"]
OUTCOMES = ["human", "human", "human", "human", "machine", "busy", "failed", "rings", "fax"]

AGENT = """
import json, subprocess, sys, time
turn = json.load(sys.stdin)
text = turn["text"]
if "slow" in text:
    time.sleep(2)
if "please call" in text:
    command = {command} + [text.split()[-1], "--message", "A message of the agent."]
    text = "Placed: " + str(subprocess.run(command, capture_output=True).returncode)
print("Yes. " + text + ("\\nend call" if "goodbye" in text else ""))
"""


class Wire:
    """The network between Twilio and the gateway: it loses requests and answers, and waits for a gateway that starts.

    It remembers which words the gateway acknowledged."""

    # Seconds, and percentages of the requests that wait for a gateway and of those whose answer is lost.
    WAIT = 10
    WAITS, LOSES = 70, 10

    def __init__(self, test, dice):
        self.acknowledged, self.lock, self.dice = [], threading.Lock(), dice
        self.gateway_port = None
        wire = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = wire.pass_on(self.path, dict(self.headers), body)
                if answer is not None:
                    status, content_type, text = answer
                    self.send_response(status)
                    self.send_header("Content-Type", content_type)
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                """The simulated Twilio gives up waiting."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)

    def pass_on(self, path, headers, body):
        """Returns the gateway's answer, or none if the connection to Twilio is cut."""
        with self.lock:
            waits, is_lost = (self.dice.random() * 100 < percent for percent in (self.WAITS, self.LOSES))
        until = time.monotonic() + (self.WAIT if waits else 0)
        answer = self.ask(path, headers, body)
        while answer is None and time.monotonic() < until:
            time.sleep(0.05)
            answer = self.ask(path, headers, body)
        return None if is_lost else answer

    def ask(self, path, headers, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway_port, timeout=20)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            status, content_type, text = answer.status, answer.getheader("Content-Type", "text/plain"), answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        if status == 200:
            self.note(body)
        return status, content_type, text

    def note(self, body):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        if form.get("SpeechResult"):
            with self.lock:
                self.acknowledged.append((form["CallSid"], form["SpeechResult"]))


class Phone:
    """A phone at the simulated Twilio, of a contact who talks on one call."""

    def __init__(self, calls, number, dice):
        self.calls, self.number, self.dice = calls, number, dice
        self.ending = dice.choice(ENDINGS)
        self.sentences = dice.randint(1, 4)

    def act(self, sid, action, **words):
        """Returns false if the call is over. Waits until the call listens."""
        body = json.dumps(words).encode()
        path = f"{self.calls.twilio.url}/_simulator/calls/{sid}/{action}"
        while True:
            try:
                status, _ = request("POST", path, body, {"Content-Type": "application/json"})
                return status == 204
            except TimeoutError:
                """It still does not listen, and is not over."""

    def talk(self, sid, first=()):
        """Talks on a call until it is over."""
        for sentence in first:
            self.act(sid, "say", text=sentence)
        said = 0
        while self.ending == "talks on" or said < self.sentences:
            said += 1
            slow = " slow" if self.dice.random() < 0.3 else ""
            if not self.act(sid, "say", text=f"sentence {said} of {self.number}{slow}"):
                return
            self.calls.over.wait(self.dice.uniform(0, 1))
        if self.ending == "hangs up":
            self.act(sid, "hang-up")
        elif self.ending == "says goodbye":
            self.act(sid, "say", text=f"goodbye from {self.number}")
        elif self.ending == "presses *":
            self.act(sid, "press", keys="*")


class Calls:
    """All calls of a test, each in its own thread."""

    def __init__(self, test, plan, seed):
        self.twilio, self.channel, self.plan, self.seed = test.twilio, test.channel, plan, seed
        self.over, self.troubles = test.over, []
        self.numbers = [f"+1555200{n:04}" for n in range(plan.outgoing)]
        self.of_agent = []
        self.threads = [self.thread(self.come_in, n) for n in range(plan.incoming)]
        self.threads += [self.thread(self.go_out, n) for n in range(plan.outgoing)]

    def thread(self, run, n):
        dice = random.Random(f"{self.seed} {run.__name__} {n}")
        return threading.Thread(target=self.begin, args=(run, n, dice), daemon=True)

    def begin(self, run, n, dice):
        try:
            self.over.wait(dice.uniform(0, self.plan.seconds))
            run(n, dice)
        except Exception as trouble:
            self.troubles.append(repr(trouble))

    def come_in(self, n, dice):
        phone = Phone(self, f"+1555100{n:04}", dice)
        first = []
        if n % 5 == 4:
            callee = f"+1555300{n:04}"
            self.of_agent.append(callee)
            first = [f"please call {callee}"]
        call = self.twilio.control("inbound-call", {"from": phone.number, "to": LINE})
        phone.talk(call["sid"], first)

    def go_out(self, n, dice):
        to, outcome = self.numbers[n], dice.choice(OUTCOMES)
        self.twilio.control("call-outcome", {"to": to, "outcome": outcome})
        what = dice.choice([["--message", f"Message {n}."], ["--task", f"Task {n}."], []])
        threading.Thread(target=self.be_called, args=(to, outcome, dice), daemon=True).start()
        command = ["telephony", "call", to, *what, "--key", f"key {n}"]
        while not self.over.wait(0.2):
            ended = self.channel.run(*command)
            # A command whose gateway is gone is repeated, with its key.
            if "gateway" not in ended.stderr or " failed: " in ended.stderr:
                return

    def be_called(self, to, outcome, dice):
        """Answers the phone, and talks."""
        phone = Phone(self, to, dice)
        while not self.over.wait(0.2):
            sid = next((call["sid"] for call in self.at_twilio() if call["to"] == to), None)
            if sid is not None:
                if outcome == "rings" and dice.random() < 0.7:
                    self.over.wait(dice.uniform(0, RINGS))
                    phone.act(sid, "answer")
                return phone.talk(sid)

    def at_twilio(self):
        return self.twilio.control("calls", method="GET")


class CallsUnderFire(Case):
    def setUp(self):
        self.seed = seed
        print(f"seed {self.seed}", file=sys.stderr)
        self.dice = random.Random(self.seed)
        self.over = threading.Event()
        self.twilio = Twilio(self)
        self.wire = Wire(self, random.Random(f"{self.seed} wire"))
        settings = {
            "publicUrl": self.wire.url,
            "maxConcurrentSessions": 100,
            "agent": {"kind": "command"},
            "voice": {
                "enabled": True, "inboundGreeting": "Hi.", "maxDurationSeconds": LONGEST, "silenceSeconds": 2,
                "fillerAfterMs": 500, "answerWithinSeconds": 5, "ringSeconds": RINGS,
            },
            "limits": {
                "callsPerHour": None, "callMinutesPerDay": None, "callCountries": None, "quietHours": None,
                "repliesPerContactPer30s": None,
            },
        }  # fmt: skip
        self.channel = Channel(self, self.twilio.url, settings)
        self.wire.gateway_port = self.channel.port
        agent = self.folder / "agent.py"
        agent.write_text(AGENT.format(command=self.channel.command("telephony", "call")))
        self.channel.change({"agent": {"command": [sys.executable, str(agent)]}})
        self.channel.done("telephony", "webhook", "sync", "--yes")
        self.addCleanup(self.over.set)

    def test_no_call_stays_open_or_is_dialed_twice(self):
        self.survive(LONG)

    def test_nor_at_a_twilio_that_ignores_the_longest_time(self):
        self.twilio.misbehave("ignore-time-limit")
        self.survive(SHORT)

    def survive(self, plan):
        began = time.monotonic()
        gateway = self.channel.gateway()
        self.misbehave(plan)
        calls = Calls(self, plan, self.seed)
        for thread in calls.threads:
            thread.start()
        for _ in range(plan.kills):
            # Any moment is fine, including startup.
            self.over.wait(self.dice.uniform(0.02, 2 * plan.seconds / plan.kills))
            gateway.kill()
            self.over.wait(self.dice.choice([0, 0, 0.5]))
            gateway = self.channel.launch()
        gateway.answers(f"{self.channel.url}/health")
        eventually(lambda: self.are_over(calls), LONGEST + UNANSWERED + GRACE, "the end of all calls")
        self.over.set()
        self.twilio.behave()
        ours, theirs = self.details(), self.twilio.rest("GET", "Calls.json?PageSize=1000")["calls"]
        self.show(plan, calls, ours, theirs, time.monotonic() - began)
        self.assertEqual(calls.troubles, [])
        self.ended_in_time(ours, theirs)
        self.were_dialed_once(calls, ours, theirs)
        self.were_heard(ours)
        self.were_texted_once()
        eventually(self.are_answered, GRACE, "an outcome of every turn")

    def misbehave(self, plan):
        for _ in range(plan.hangs):
            self.twilio.misbehave("hang-after-accepting", {"next": 1})
            self.twilio.misbehave("hang-before-accepting", {"next": 1})
        for fault, percent in FAULTS.items():
            self.twilio.misbehave(fault, {"percent": percent})
        for fault, (percent, milliseconds) in TIMED_FAULTS.items():
            self.twilio.misbehave({fault: {"milliseconds": milliseconds}}, {"percent": percent})

    def are_over(self, calls):
        return (
            not any(thread.is_alive() for thread in calls.threads)
            and all(call["state"] == "over" for call in self.entries())
            and all(call["status"] not in OPEN for call in calls.at_twilio())
        )

    def are_answered(self):
        """The agent may still work on answers that go by text, because the call is over."""
        return all(turn["outcome"] for call in self.details() for turn in call["transcript"])

    def entries(self):
        return self.channel.read("telephony", "calls", "--limit", "1000")

    def details(self):
        return [self.channel.read("telephony", "calls", str(call["id"])) for call in self.entries()]

    def show(self, plan, calls, ours, theirs, seconds):
        statuses = collections.Counter(f"{call['direction']} {call['status']}" for call in theirs)
        failures = collections.Counter(call["outgoing"]["failure"] for call in ours if call["outgoing"])
        turns = collections.Counter(turn["outcome"] for call in ours for turn in call["transcript"])
        print(f"{len(theirs)} calls at Twilio and {len(ours)} at the gateway, {plan.kills} kills, {seconds:.0f} s\n"
              f"at Twilio: {dict(statuses)}\ndialing: {dict(failures)}\n"
              f"turns: {dict(turns)}, {len(self.wire.acknowledged)} acknowledged", file=sys.stderr)  # fmt: skip

    def ended_in_time(self, ours, theirs):
        """Checks the ends at Twilio and at the gateway."""
        began = {}
        for call in theirs:
            answered = call["start_time"] and moment(call["start_time"])
            at, most = (answered, LONGEST) if answered else (moment(call["date_created"]), UNANSWERED)
            began[call["sid"]] = at, most
            self.assertLessEqual(moment(call["end_time"]) - at, most + GRACE + ROUNDING, call)
        for call in ours:
            at, most = began.get(call["providerId"], (date(call["beganAt"]), UNANSWERED))
            self.assertLessEqual(date(call["endedAt"]) - at, most + GRACE + ROUNDING, call)

    def were_dialed_once(self, calls, ours, theirs):
        """Compares the requests of commands with Twilio's calls; what was not placed has a reason and a notice."""
        requests = [entry for entry in self.twilio.control("log", method="GET") if entry["event"] == "create call"]
        twice = {phone: count for phone, count in collections.Counter(entry["phone"] for entry in requests).items() if count > 1}
        self.assertEqual(twice, {})
        placed = {call["to"]: call["sid"] for call in theirs if call["direction"] != "inbound"}
        self.assertEqual(len(placed), sum(call["direction"] != "inbound" for call in theirs))
        known = {call["contact"]: call for call in ours if call["outgoing"]}
        self.assertEqual(len(known), sum(call["outgoing"] is not None for call in ours))
        self.assertEqual(set(calls.numbers) - set(known), set())
        self.assertEqual({to: call["providerId"] for to, call in known.items() if call["providerId"]}, placed)
        notices = self.channel.read("telephony", "status")["notices"]
        for to in set(known) - set(placed):
            call = known[to]
            self.assertEqual(call["outgoing"]["dialing"], "not-dialed", call)
            self.assertTrue(call["outgoing"]["failure"], call)
            self.assertTrue(any(notice.startswith(f"Call {call['id']} ") for notice in notices), (call, notices))

    def were_heard(self, ours):
        """Checks that acknowledged words are in the transcript, once."""
        transcripts = {call["providerId"]: [turn["words"] for turn in call["transcript"]] for call in ours}
        for sid, words in self.wire.acknowledged:
            self.assertEqual(transcripts[sid].count(words), 1, (sid, words, transcripts[sid]))

    def were_texted_once(self):
        texts = collections.Counter((text["to"], text["body"]) for text in self.twilio.sent())
        self.assertEqual([text for text, count in texts.items() if count > 1], [])


def moment(text):
    """Reads a time of Twilio's, in seconds."""
    return email.utils.parsedate_to_datetime(text).timestamp()


def date(text):
    """Reads a time of the gateway's, in seconds."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


if __name__ == "__main__":
    given = [argument for argument in sys.argv if argument.isdigit()]
    seed = int(given[0]) if given else random.randrange(100_000)
    sys.argv = [argument for argument in sys.argv if argument not in given]
    main()
