"""Prism, with Twilio's own description of its API, accepts every kind of request that the program makes.

The description is the file named by TWILIO_OPENAPI (default: ../shared/data/twilio_openapi_subset.json beside the
checkout); without it all is skipped. Run it with e2e/run.sh peers/prism.py.
"""

import http.server
import os
import pathlib
import threading
import unittest
import urllib.parse

from harness import (
    ACCOUNT,
    HERE,
    OMIT,
    PHONE,
    TOKEN,
    WEBHOOK,
    Case,
    Channel,
    Program,
    eventually,
    free_port,
    main,
    request,
)
from twilio.request_validator import RequestValidator

BESIDE = HERE.parent.parent / "shared/data/twilio_openapi_subset.json"
DESCRIPTION = pathlib.Path(os.environ.get("TWILIO_OPENAPI") or BESIDE)
SERVICE = "MG0123456789abcdef0123456789abcdef"


class Counter(http.server.BaseHTTPRequestHandler):
    """Stands in front of Prism: passes requests on, notes them, and can keep an answer to itself."""

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, text = request(self.command, self.server.prism + self.path, body, dict(self.headers))
        self.server.seen.append((self.command, self.path, body.decode(), status, text))
        if self.command == "POST" and self.server.loses_answers:
            self.server.loses_answers -= 1
            status, text = 500, ""
        self.send_response(status or 502)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_DELETE = pass_on

    def log_message(self, *_):
        pass


@unittest.skipUnless(DESCRIPTION.is_file(), f"Twilio's description of its API is not there: {DESCRIPTION}")
class Described(Case):
    def setUp(self):
        port = free_port()
        prism = HERE / "peers/node_modules/.bin/prism"
        command = [prism, "mock", "-h", "127.0.0.1", "-p", str(port), "--errors", DESCRIPTION]
        Program(self, "prism", command).answers(f"http://127.0.0.1:{port}/", within=60)
        self.counter = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counter)
        self.counter.prism, self.counter.seen, self.counter.loses_answers = f"http://127.0.0.1:{port}", [], 0
        threading.Thread(target=self.counter.serve_forever, daemon=True).start()
        self.addCleanup(self.counter.server_close)
        self.addCleanup(self.counter.shutdown)
        self.channel = Channel(self, f"http://127.0.0.1:{self.counter.server_port}")

    def send(self, *arguments):
        """Sends a message; what became of it is not waited for."""
        Program(self, "send", self.channel.command("telephony", "send", *arguments), self.channel.environment())

    def asked(self, method, path, **wanted):
        """Waits for a request whose query has what is `wanted`; its query and the form that went with it."""
        account = f"/2010-04-01/Accounts/{ACCOUNT}/"

        def find():
            for seen in list(self.counter.seen):
                target = urllib.parse.urlsplit(seen[1])
                query = dict(urllib.parse.parse_qsl(target.query))
                if seen[0] == method and target.path.startswith(account + path) and wanted.items() <= query.items():
                    return query, dict(urllib.parse.parse_qsl(seen[2]))

        return eventually(find, 30, f"{method} {path}")

    def tearDown(self):
        """Whatever was asked: Prism had nothing to complain about."""
        for method, path, body, status, text in self.counter.seen:
            self.assertIn(status, (200, 201, 204), f"{method} {path} {body}: {text}")
        self.assertTrue(self.counter.seen)

    def test_a_message_is_sent(self):
        self.channel.gateway()
        self.send(PHONE, "Grüße & 😀 = +\n")
        _, form = self.asked("POST", "Messages.json")
        self.assertEqual((form["To"], form["Body"]), (PHONE, "Grüße & 😀 = +\n"))
        self.assertIn("#rc=3", form["StatusCallback"])

    def test_a_message_of_a_service_is_sent_with_an_api_key(self):
        key = {"apiKeySid": "SK" + "0" * 32, "apiKeySecret": "secret", "messagingServiceSid": SERVICE}
        self.channel.change({"fromNumber": OMIT, "twilio": key})
        self.send(PHONE, "Hello")
        _, form = self.asked("POST", "Messages.json")
        self.assertEqual(form["MessagingServiceSid"], SERVICE)

    def test_a_message_is_asked_after(self):
        self.channel.change({"publicUrl": OMIT})
        self.channel.gateway()
        self.send(PHONE, "Hello")
        self.asked("GET", "Messages/")

    def test_a_lost_answer_is_looked_up(self):
        self.channel.gateway()
        self.counter.loses_answers = 1
        self.send(PHONE, "Hello")
        self.asked("GET", "Messages.json", To=PHONE)

    def test_a_number_is_looked_up(self):
        self.channel.gateway()
        url = self.channel.url + WEBHOOK
        text = {
            "MessageSid": "SM" + "1" * 32,
            "AccountSid": ACCOUNT,
            "From": PHONE,
            "To": "+15550007777",
            "Body": "Hello",
        }
        signature = RequestValidator(TOKEN).compute_signature(url, text)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
        self.assertEqual(request("POST", url, urllib.parse.urlencode(text).encode(), headers)[0], 200)
        query, _ = self.asked("GET", "IncomingPhoneNumbers.json")
        self.assertEqual(query["PhoneNumber"], "+15550007777")


if __name__ == "__main__":
    main()
