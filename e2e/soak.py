"""A long day: texts both ways while reports are lost and swapped, responses are lost and the gateway is killed.

Every text has one answer at Twilio's and in the gateway's books, none twice, each conversation in order; memory stays
flat; the bill adds up to the last digit. Run it with e2e/run.sh soak.py (10,000 texts), or e2e/run.sh soak.py short.
"""

import collections
import dataclasses
import pathlib
import statistics
import sys
import threading
import time
from decimal import Decimal

from harness import WEBHOOK, Case, Channel, Twilio, eventually, main


@dataclasses.dataclass
class Plan:
    """The amount of traffic, and the time limits of the recovery in seconds."""

    people: int
    texts: int
    rest: int
    # Lost reports and prices are fetched minutes later; 0 does not wait for them.
    afterwards: int = 0


PLANS = {"long": Plan(people=200, texts=50, rest=900, afterwards=400), "short": Plan(people=40, texts=15, rest=40)}
plan = PLANS["long"]

# Percentages of the reports and of the requests to send.
FAULTS = {"lose-callback": 5, "reorder-callback": 5, "cut-after-accepting": 2, "server-error-after-accepting": 1}
# All kills are in the first half, so that the last process lives long enough to show a leak.
KILLS_AT = [0.1, 0.2, 0.3, 0.4, 0.5]
WRITERS = 8
# SQLite's caches fill, and tasks come and go; a leak per message exceeds this after thousands.
GROWTH_AT_MOST_KB = 6 * 1024
PRICE_OUT, PRICE_IN = Decimal("0.0079"), Decimal("0.0075")
# The state of a message with two lost responses: the gateway reports it and does not try a third time.
GAVE_UP = "finally-unknown"


class Memory(threading.Thread):
    """A process's memory, sampled ten times a second."""

    def __init__(self, pid, over):
        super().__init__(daemon=True)
        self.status, self.over = pathlib.Path(f"/proc/{pid}/status"), over
        self.kilobytes = []

    def run(self):
        while not self.over.wait(0.1):
            try:
                lines = self.status.read_text().splitlines()
            except OSError:
                return
            self.kilobytes += [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]

    def growth(self):
        """Returns the growth from the second quarter of its life to the last, because the first is a warm-up."""
        quarter = len(self.kilobytes) // 4
        early, late = self.kilobytes[quarter : 2 * quarter], self.kilobytes[-quarter:]
        return statistics.median(late) - statistics.median(early)


class Soak(Case):
    def setUp(self):
        self.twilio = Twilio(self)
        # More than any contact sends in a day.
        limits = {"segmentsPerDay": None, "segmentsPerContactPerDay": None}
        self.channel = Channel(self, self.twilio.url, {"limits": limits})
        self.twilio.deliver_to(self.channel.url + WEBHOOK)
        self.over = threading.Event()
        self.addCleanup(self.over.set)
        self.written = collections.defaultdict(list)
        self.acknowledged = 0
        self.lock = threading.Lock()

    def test_every_message_is_accounted_for(self):
        started = time.monotonic()
        gateway = self.channel.gateway()
        for fault, percent in FAULTS.items():
            self.twilio.misbehave(fault, {"percent": percent})
        writers = [threading.Thread(target=self.write, args=(n,), daemon=True) for n in range(WRITERS)]
        for thread in writers:
            thread.start()
        for share in KILLS_AT:
            eventually(lambda: self.acknowledged >= share * self.count(), plan.rest, f"{share:.0%} of the texts")
            gateway.kill()
            gateway = self.channel.gateway()
        memory = Memory(gateway.process.pid, self.over)
        memory.start()
        for thread in writers:
            thread.join()
        sent_after = time.monotonic() - started
        self.rest()
        self.over.set()
        memory.join()
        self.twilio.behave()
        self.compare()
        peak, growth = max(memory.kilobytes), memory.growth()
        print(f"{self.count()} texts answered in {time.monotonic() - started:.0f} s (written in {sent_after:.0f} s), "
              f"{len(KILLS_AT)} kills; memory {peak / 1024:.1f} MB at most, {growth / 1024:+.1f} MB from the second "
              "quarter of the last life to its last", file=sys.stderr)  # fmt: skip
        self.assertLess(growth, GROWTH_AT_MOST_KB)
        if plan.afterwards:
            eventually(self.is_settled, plan.afterwards, "the last word on every message")
            eventually(self.is_paid, plan.afterwards, "every price")

    def count(self):
        return plan.people * plan.texts

    def write(self, writer):
        phones = [f"+1555100{n:04}" for n in range(writer, plan.people, WRITERS)]
        for n in range(plan.texts):
            for phone in phones:
                body = f"text {n} of {phone}"
                self.until_acknowledged(phone, body)
                self.written[phone].append(body)
                with self.lock:
                    self.acknowledged += 1

    def until_acknowledged(self, phone, body):
        delivery = self.twilio.text(body, phone)
        while delivery["status"] != 200 and not self.over.wait(0.05):
            delivery = self.twilio.control(f"redeliver/{delivery['sid']}")

    def rest(self):
        """Waits until nothing is in flight any more."""
        try:
            eventually(lambda: not self.channel.in_flight(), plan.rest, "rest")
        except AssertionError:
            self.fail(f"no rest within {plan.rest} s: {self.channel.in_flight()}")

    def sent(self):
        return self.channel.messages("outbound", limit=4 * self.count())

    def compare(self):
        """Sent, recorded and received texts are the same, once and in order."""
        said, got, given_up = collections.defaultdict(list), collections.defaultdict(list), 0
        for entry in self.sent():
            said[entry["contact"]].append((entry["text"], entry["state"] == GAVE_UP))
            given_up += entry["state"] == GAVE_UP
        for message in self.twilio.sent():
            got[message["to"]].append(message["body"])
        for phone, bodies in self.written.items():
            with self.subTest(phone=phone):
                self.assertEqual([body for body, _ in said[phone]], bodies)
                # For messages the gateway gave up on, the outcome is unknown: Twilio has each once or not at all.
                lost = {body for body, is_given_up in said[phone] if is_given_up} - set(got[phone])
                self.assertEqual(got[phone], [body for body in bodies if body not in lost])
        print(f"given up, as the gateway says: {given_up}", file=sys.stderr)
        self.assertLessEqual(given_up, self.count() // 1000)

    def is_settled(self):
        """Checks the final statuses, although reports were lost or late."""
        return all(entry["state"] == GAVE_UP or entry["status"] == "delivered" for entry in self.sent())

    def is_paid(self):
        """Checks the price of every message against Twilio's, exactly."""
        costs = self.channel.read("telephony", "costs")["total"]
        if costs["estimated"] or costs["unknown"]:
            return False
        ((actual),) = costs["actual"]
        self.assertEqual(Decimal(actual["amount"]), costs["sent"] * PRICE_OUT + costs["received"] * PRICE_IN)
        self.assertEqual(costs["received"], self.count())
        return True


if __name__ == "__main__":
    if "short" in sys.argv:
        sys.argv.remove("short")
        plan = PLANS["short"]
    main()
