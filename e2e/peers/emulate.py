"""emulate, an independent Twilio emulator, carries a gateway's messages from a stranger's first text to the end.

It reports `queued` before it has answered the request, signs fragments of URLs (so there must be none), and numbers
messages in its own way. Run it with e2e/run.sh peers/emulate.py.

What it has at the start is the seed named by EMULATE_SEED (default: ../shared/data/emulate.seed.yaml beside the checkout,
where that is, else the one beside this file), with the gateway's address put in.
"""

import json
import os
import pathlib
import re
import sys
import urllib.parse

from harness import (
    HERE,
    LINE,
    PHONE,
    WEBHOOK,
    Case,
    Channel,
    Program,
    basic_auth,
    eventually,
    free_port,
    main,
    request,
)

BESIDE, OURS = HERE.parent.parent / "shared/data/emulate.seed.yaml", HERE / "peers/emulate.seed.yaml"
SEED = pathlib.Path(os.environ.get("EMULATE_SEED") or (BESIDE if BESIDE.is_file() else OURS))
ACCOUNT, TOKEN = "AC00000000000000000000000000000000", "twilio_test_auth_token"
PEERS = HERE / "peers/node_modules"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Emulate:
    """Starts emulate as a separate process."""

    def __init__(self, test, channel_url, port):
        self.url = f"http://127.0.0.1:{port}"
        seed = test.folder / "seed.yaml"
        seed.write_text(re.sub(r"http://127\.0\.0\.1:\d+", channel_url, SEED.read_text()))
        node, program = PEERS / "node/bin/node", PEERS / "emulate/dist/index.js"
        command = [node, program, "start", "-s", "twilio", "-p", str(port), "--seed", seed]
        self.program = Program(test, "emulate", command)
        self.program.answers(self.url)

    def post(self, path, **form):
        """Makes a request with the account's credentials that must succeed."""
        headers = FORM | basic_auth(ACCOUNT, TOKEN)
        status, text = request("POST", self.url + path, urllib.parse.urlencode(form).encode(), headers)
        assert status in (200, 201), f"{path} was answered {status}: {text}"
        return json.loads(text)

    def text(self, body, phone=PHONE):
        return self.post("/_twilio/simulate/inbound-message", From=phone, To=LINE, Body=body)

    def report(self, sid, status):
        return self.post("/_twilio/simulate/message-status", MessageSid=sid, Status=status)

    def sent(self, phone=PHONE):
        """Returns messages from the line to a phone, oldest first."""
        url = f"{self.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json?PageSize=100"
        status, text = request("GET", url, headers=basic_auth(ACCOUNT, TOKEN))
        assert status == 200, f"the list was answered {status}: {text}"
        newest_first = json.loads(text)["messages"]
        return [m for m in reversed(newest_first) if m["direction"] == "outbound-api" and m["to"] == phone]


class Carried(Case):
    def setUp(self):
        port = free_port()
        settings = {
            "inboundPolicy": "pairing",
            "twilio": {"accountSid": ACCOUNT, "authToken": TOKEN, "connectionOverrides": ""},
        }
        self.channel = Channel(self, f"http://127.0.0.1:{port}", settings)
        self.twilio = Emulate(self, self.channel.url, port)
        self.channel.gateway()

    def got(self, count):
        """Waits until the phone has received exactly this many messages."""
        eventually(lambda: len(self.twilio.sent()) >= count, what=f"message {count}")
        messages = self.twilio.sent()
        self.assertEqual(len(messages), count)
        return messages

    def becomes(self, message, state, status):
        """Waits until the only part of a message is in this state; a report is acknowledged before it is stored."""

        def is_so():
            (part,) = self.channel.read("telephony", "messages", message["sid"])["parts"]
            return (part["state"], part["status"]) == (state, status)

        eventually(is_so, what=f"{state}, {status}")

    def test_a_stranger_is_paired_and_answered_and_every_report_is_taken(self):
        self.twilio.text("Hello, who is this?")
        (challenge,) = self.got(1)
        code = challenge["body"].split()[-1]
        self.assertIn(f"openclaw pairing approve telephony {code}", challenge["body"])
        (request,) = self.channel.read("pairing", "list", "telephony")
        self.assertEqual((request["number"], request["code"]), (PHONE, code))

        self.channel.done("pairing", "approve", "telephony", code.lower())
        bodies = [message["body"] for message in self.got(3)]
        approval = "Your phone number has been approved. You can now send messages to this bot."
        self.assertEqual(bodies[1:], [approval, "Hello, who is this?"])

        self.twilio.text("Thank you 😀")
        answer = self.got(4)[3]
        self.assertEqual(answer["body"], "Thank you 😀")
        for status in ("sent", "delivered"):
            self.twilio.report(answer["sid"], status)
        self.becomes(answer, "sent", "delivered")

    def test_a_command_sends_and_learns_what_became_of_it(self):
        printed = self.channel.done("telephony", "send", PHONE, "Hello from OpenClaw!")
        (message,) = self.got(1)
        self.assertEqual(message["body"], "Hello from OpenClaw!")
        self.assertIn(message["sid"], printed)
        self.twilio.report(message["sid"], "undelivered")
        self.becomes(message, "sent", "undelivered")

    def test_a_long_message_goes_out_in_parts_and_in_order(self):
        self.channel.done("telephony", "send", PHONE, " ".join(f"word{n}" for n in range(500)))
        starts = [message["body"][:6] for message in self.got(3)]
        self.assertEqual(starts, ["[1/3] ", "[2/3] ", "[3/3] "])

    def test_a_caller_is_answered(self):
        call = self.twilio.post("/_twilio/simulate/inbound-call", From=PHONE, To=LINE)
        self.assertTrue(call["sid"].startswith("CA"))
        self.twilio.post("/_twilio/simulate/call-status", CallSid=call["sid"], Status="completed")

    def test_setup_sync_undo_and_doctor_work_with_it_and_say_what_it_does_not_have(self):
        own = ("--account-sid", ACCOUNT, "--auth-token", TOKEN, "--from-number", LINE, "--no-webhook", "--yes")
        self.channel.done("telephony", "setup", *own)
        before = self.settings()
        self.assertEqual(before["SmsUrl"], self.channel.url + WEBHOOK + "?x=1")
        self.channel.done("telephony", "webhook", "sync", "--yes")
        self.assertEqual(self.settings()["SmsUrl"], self.channel.url + WEBHOOK)
        report = json.loads(self.channel.run("telephony", "doctor", "--json").stdout)
        unchecked = [found["detail"] for found in report["findings"] if found["id"] == "could-not-check"]
        for what in ("the balance", "Twilio's alerts", "the A2P registration"):
            self.assertTrue(any(detail.startswith(what) for detail in unchecked), f"{what}: {report}")
        found = {finding["id"] for finding in report["findings"]}
        self.assertFalse(found & {"credentials-wrong", "twilio-unreachable", "number-missing", "webhook-elsewhere"})
        self.assertIn("a signed request arrived", json.dumps(report["checked"]))
        self.channel.done("telephony", "webhook", "undo", "--yes")
        self.assertEqual(self.settings(), before)

    def settings(self):
        """Returns emulate's settings of the line, by name."""
        shown = self.channel.read("telephony", "webhook", "show")["routes"][0]
        return {setting["name"]: setting["value"] for setting in shown["settings"]}


if __name__ == "__main__":
    print(f"the seed is {SEED}", file=sys.stderr)
    main()
