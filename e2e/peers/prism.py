"""Prism accepts every kind of request that the program makes, according to Twilio's API description.

It stands between the program and the simulator, so that whole journeys go through it. Which kinds there are is read from
the program's source: one that no journey makes, or that is new and unknown here, fails.

The description is the file named by TWILIO_OPENAPI (default: ../shared/data/twilio_openapi_subset.json beside the
checkout); without it all is skipped. Run it with e2e/run.sh peers/prism.py.
"""

import base64
import http.client
import http.server
import json
import os
import pathlib
import re
import threading
import unittest
import urllib.parse

from harness import (
    ACCOUNT,
    HERE,
    LINE,
    OMIT,
    PHONE,
    TOKEN,
    WEBHOOK,
    Case,
    Channel,
    Machine,
    Program,
    Twilio,
    eventually,
    free_port,
    main,
    request,
)
from webhooks import signed, text

BESIDE = HERE.parent.parent / "shared/data/twilio_openapi_subset.json"
DESCRIPTION = pathlib.Path(os.environ.get("TWILIO_OPENAPI") or BESIDE)
SOURCE = HERE.parent / "crates/telephony-providers/src/twilio"
SERVICE = "MG0123456789abcdef0123456789abcdef"
KEY = {"apiKeySid": "SK0123456789abcdef0123456789abcdef", "apiKeySecret": "simulated-secret"}

# A one-pixel GIF.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)

OWN = f"/2010-04-01/Accounts/{ACCOUNT}"
SID = "[A-Z]{2}[0-9a-f]{32}"

# The requests of each of our functions: method, path and parameters. A request can be of several kinds.
KINDS = {
    "account_state": ("GET", f"{OWN}.json", ()),
    "balance": ("GET", f"{OWN}/Balance.json", ()),
    "create_message": ("POST", f"{OWN}/Messages.json", ("To", "Body")),
    "message": ("GET", f"{OWN}/Messages/{SID}.json", ()),
    "messages_to": ("GET", f"{OWN}/Messages.json", ("To", "PageSize")),
    "billed": ("GET", f"{OWN}/Messages.json", ("DateSent>", "PageSize")),
    "one_side": ("GET", f"{OWN}/Messages.json", ("From", "PageSize")),
    "media_of": ("GET", f"{OWN}/Messages/{SID}/Media.json", ()),
    "delete_media": ("DELETE", f"{OWN}/Messages/{SID}/Media/{SID}.json", ()),
    "delete_message": ("DELETE", f"{OWN}/Messages/{SID}.json", ()),
    "phone_number": ("GET", f"{OWN}/IncomingPhoneNumbers.json", ("PhoneNumber", "PageSize")),
    "phone_numbers": ("GET", f"{OWN}/IncomingPhoneNumbers.json", ("PageSize",)),
    "probe": ("GET", f"{OWN}/IncomingPhoneNumbers.json", ("PageSize",)),
    "phone_number_by_sid": ("GET", f"{OWN}/IncomingPhoneNumbers/{SID}.json", ()),
    "update_phone_number": ("POST", f"{OWN}/IncomingPhoneNumbers/{SID}.json", ("SmsUrl",)),
    "verified_numbers": ("GET", f"{OWN}/OutgoingCallerIds.json", ("PageSize",)),
    "services": ("GET", "/v1/Services", ("PageSize",)),
    "service": ("GET", f"/v1/Services/{SID}", ()),
    "update_service": ("POST", f"/v1/Services/{SID}", ("InboundRequestUrl",)),
    "service_numbers": ("GET", f"/v1/Services/{SID}/PhoneNumbers", ("PageSize",)),
    "campaigns": ("GET", f"/v1/Services/{SID}/Compliance/Usa2p", ()),
    "alerts": ("GET", "/v1/Alerts", ("LogLevel", "PageSize")),
    "create_call": ("POST", f"{OWN}/Calls.json", ("To", "From", "Url", "Timeout", "TimeLimit", "StatusCallback")),
    "calls_to": ("GET", f"{OWN}/Calls.json", ("To", "PageSize")),
    "call": ("GET", f"{OWN}/Calls/{SID}.json", ()),
    "limit_call": ("POST", f"{OWN}/Calls/{SID}.json", ("TimeLimit", "StatusCallback")),
    "replace_document": ("POST", f"{OWN}/Calls/{SID}.json", ("Twiml",)),
    "end_call": ("POST", f"{OWN}/Calls/{SID}.json", ("Status",)),
}
# Files are fetched from URLs that Twilio provides, which are not in the API description; neither are
# short codes.
NOT_DESCRIBED = {"ask", "short_code", "short_code_by_sid", "update_short_code", "service_short_codes"}

A_REQUEST = re.compile(r"self\s*\.(?:get|get_dated|get_of|post|post_of|delete|created_since)(?:::<\w+>)?\(|client\(\)\?\s*\.(?:get|post|delete|request)\(")
A_FUNCTION = re.compile(r"^ *(?:pub(?:\([^)]*\))? )?async fn (\w+)", re.MULTILINE)


def functions_that_ask():
    """Reads the names of our request functions from the source, except helpers that make any kind of request."""
    found = set()
    for file in [SOURCE / "rest.rs", *(SOURCE / "rest").glob("*.rs")]:
        code = file.read_text().split("#[cfg(test)]")[0]
        starts = [*A_FUNCTION.finditer(code)]
        for start, end in zip(starts, [*(match.start() for match in starts[1:]), len(code)]):
            if A_REQUEST.search(code[start.end() : end]):
                found.add(start[1])
    return found - {"get", "get_dated", "get_of", "post", "post_of", "delete", "created_since"}


class Counter(http.server.BaseHTTPRequestHandler):
    """A proxy in front of Prism that records the requests with Prism's answers."""

    protocol_version = "HTTP/1.1"

    def pass_on(self):
        if re.fullmatch(f".*/Media/{SID}|/v1/Services/{SID}/ShortCodes[?].*", self.path):
            return self.pass_beside()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, text = request(self.command, self.server.prism + self.path, body, dict(self.headers))
        self.server.seen.append((self.command, self.path, body.decode(), status, text))
        self.send_response(status or 502)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def pass_beside(self):
        """Fetched directly from the simulator, because the description has no files and no short codes."""
        simulator = http.client.HTTPConnection(self.server.simulator.removeprefix("http://"), timeout=20)
        simulator.request("GET", self.path, headers={"Authorization": self.headers["Authorization"]})
        answer = simulator.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name in ("Location", "Content-Type"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        simulator.close()

    do_GET = do_POST = do_DELETE = pass_on

    def log_message(self, *_):
        pass


@unittest.skipUnless(DESCRIPTION.is_file(), f"Twilio's description of its API is not there: {DESCRIPTION}")
class Described(Case):
    """All journeys in one test, so that missing requests can be reported at the end."""

    def setUp(self):
        self.twilio = Twilio(self)
        port = free_port()
        prism = HERE / "peers/node_modules/.bin/prism"
        command = [prism, "proxy", "-h", "127.0.0.1", "-p", str(port), "--errors", DESCRIPTION, self.twilio.url]
        Program(self, "prism", command).answers(f"http://127.0.0.1:{port}/", within=120)
        self.counter = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counter)
        self.counter.prism, self.counter.seen = f"http://127.0.0.1:{port}", []
        self.counter.simulator = self.twilio.url
        threading.Thread(target=self.counter.serve_forever, daemon=True).start()
        self.addCleanup(self.counter.server_close)
        self.addCleanup(self.counter.shutdown)
        self.url = f"http://127.0.0.1:{self.counter.server_port}"
        self.channel = Channel(self, self.url)
        self.machine = Machine(self, self.channel)

    def seen(self, method, path, parameters):
        """Returns the requests of this kind with exactly this query, and at least these parameters in the form."""
        found = []
        for seen_method, target, body, *_ in list(self.counter.seen):
            parts = urllib.parse.urlsplit(target)
            query, form = (dict(urllib.parse.parse_qsl(each, keep_blank_values=True)) for each in (parts.query, body))
            has_parameters = set(parameters) <= {*form} if method == "POST" else set(parameters) == {*query}
            if seen_method == method and re.fullmatch(path, parts.path) and has_parameters:
                found.append((query, form))
        return found

    def asked(self, function):
        """Waits until one of our functions has made its request."""
        return eventually(lambda: self.seen(*KINDS[function]), what=f"the request of {function}")[-1]

    def test_every_kind_of_request_is_accepted(self):
        self.assertEqual(functions_that_ask() - NOT_DESCRIBED, set(KINDS), "kinds in the source, and known here")
        self.prism_does_find_what_is_wrong()
        for journey in (
            self.sets_it_up,
            self.texts_go_both_ways,
            self.a_text_was_missed,
            self.a_lost_answer_is_looked_up,
            self.a_text_comes_to_another_number,
            self.a_service_sends_with_an_api_key,
            self.doctor_looks_at_everything,
            self.purges_a_contact,
            self.a_call_is_answered_and_ended,
            self.a_call_is_placed,
            self.a_request_for_a_call_gets_no_answer,
        ):
            with self.subTest(journey.__name__):
                before, self.expected_failures = len(self.counter.seen), set()
                journey()
                self.prism_complained_of_nothing(before)
        missing = {name: kind for name, kind in KINDS.items() if not self.seen(*kind)}
        self.assertEqual(missing, {}, "no journey made these requests")

    def prism_complained_of_nothing(self, since):
        seen = self.counter.seen[since:]
        self.assertTrue(seen)
        for method, path, body, status, text in seen:
            self.assertNotIn("stoplight", text, f"{method} {path} {body}")
            if status not in (200, 201, 204):
                self.assertIn((method, status), self.expected_failures, f"{method} {path} {body}: {text}")

    def prism_does_find_what_is_wrong(self):
        headers = {"Authorization": "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()}
        status, text = request("POST", f"{self.url}{OWN}/Messages.json", b"Body=x", headers)
        self.assertEqual((status, "stoplight" in text), (422, True), text)
        self.counter.seen.clear()

    def sets_it_up(self):
        # Twilio accepts an empty URL, which unsets a setting. Its description requires a `uri`, so there is one.
        (number,) = self.twilio.rest("GET", "IncomingPhoneNumbers.json")["incoming_phone_numbers"]
        before = "https://before.example.com/"
        urls = {"SmsUrl": before, "VoiceUrl": before, "StatusCallback": before}
        self.twilio.rest("POST", f"IncomingPhoneNumbers/{number['sid']}.json", **urls)
        own = ("--account-sid", ACCOUNT, "--auth-token", TOKEN, "--from-number", LINE, "--no-webhook", "--yes")
        self.channel.done("telephony", "setup", *own)
        self.channel.done("telephony", "webhook", "show")
        self.channel.done("telephony", "webhook", "sync", "--yes")
        self.channel.done("telephony", "webhook", "undo", "--yes")
        self.channel.done("telephony", "webhook", "sync", "--yes")
        self.asked("update_phone_number")
        self.asked("phone_number_by_sid")

    def texts_go_both_ways(self):
        self.gateway = self.channel.gateway()
        self.assertEqual(self.twilio.text("Grüße & 😀 = +\n")["status"], 200)
        eventually(lambda: self.twilio.bodies() == ["Grüße & 😀 = +\n"], what="the answer")
        _, form = self.asked("create_message")
        self.assertIn("#rc=3", form["StatusCallback"])
        picture = self.folder / "picture.png"
        picture.write_bytes(PICTURE)
        self.channel.done("telephony", "send", PHONE, "A picture", "--media", str(picture))
        self.assertIn("MediaUrl", self.seen(*KINDS["create_message"])[-1][1])
        self.gateway.stop()
        # If no status reports can arrive, the gateway asks for the status.
        self.channel.change({"publicUrl": OMIT})
        self.channel.done("telephony", "send", PHONE, "Hello again", "--wait")
        self.asked("message")
        self.channel.change({"publicUrl": self.channel.url})

    def a_text_was_missed(self):
        picture = {"content_type": "image/png", "data": base64.b64encode(PICTURE).decode()}
        self.assertNotEqual(self.twilio.text("Look!", files=[picture])["status"], 200)
        self.gateway = self.channel.gateway()
        is_answered = lambda: any(body.startswith("Look!") for body in self.twilio.bodies())
        eventually(is_answered, what="the answer to what was missed")
        self.asked("media_of")

    def a_lost_answer_is_looked_up(self):
        # Answers from the simulator instead of Prism, for its deliberate errors.
        self.expected_failures = {("POST", 500)}
        self.twilio.misbehave("lose-callback")
        self.twilio.misbehave("server-error-after-accepting", {"next": 1})
        self.channel.done("telephony", "send", PHONE, "Are you there?")
        self.twilio.behave()
        self.assertEqual(self.twilio.bodies().count("Are you there?"), 1)
        query, _ = self.asked("messages_to")
        self.assertEqual(query["To"], PHONE)

    def a_text_comes_to_another_number(self):
        url = self.channel.url + WEBHOOK
        headers, body = signed(url, text("Hello", To="+15550007777"))
        self.assertEqual(request("POST", url, body, headers)[0], 200)
        asks = lambda: [query for query, _ in self.seen(*KINDS["phone_number"]) if query["PhoneNumber"] == "+15550007777"]
        eventually(asks, what="a look at the account's numbers")

    def a_service_sends_with_an_api_key(self):
        self.gateway.stop()
        self.twilio.control("services", {"sid": SERVICE, "numbers": [LINE], "campaign": "VERIFIED"})
        self.channel.change({"fromNumber": OMIT, "twilio": {**KEY, "messagingServiceSid": SERVICE}})
        self.gateway = self.channel.gateway()
        self.channel.done("telephony", "send", PHONE, "From a service")
        self.assertEqual(self.seen(*KINDS["create_message"])[-1][1]["MessagingServiceSid"], SERVICE)
        self.channel.done("telephony", "webhook", "sync", "--yes")
        self.asked("update_service")

    def doctor_looks_at_everything(self):
        # API keys have no access to the account's own state.
        self.channel.change({"fromNumber": LINE, "twilio": {"apiKeySid": OMIT, "apiKeySecret": OMIT}})
        self.twilio.control("account", {"type": "Trial", "verified": [PHONE]})
        found = json.loads(self.channel.run("telephony", "doctor", "--json").stdout)
        unchecked = [each["detail"] for each in found["findings"] if each["id"] == "could-not-check"]
        self.assertEqual(unchecked, [])
        for function in ("account_state", "verified_numbers", "services", "service_numbers", "campaigns", "alerts"):
            self.asked(function)
        self.twilio.control("account", {"type": "Full"})

    def purges_a_contact(self):
        for n in range(6):
            self.twilio.text(f"text {n}")
        eventually(lambda: "text 5" in self.twilio.bodies(), what="six answers")
        self.gateway.stop()
        # Prices are known later; if many are missing, the gateway reads the list.
        self.machine.clock_wrong_by(2 * 60 * 60)
        self.channel.done("telephony", "costs")
        self.machine.clock_wrong_by(0)
        self.asked("billed")
        self.asked("balance")
        settled = lambda: all(each["status"] in ("delivered", "received", "failed") for each in self.all_messages())
        eventually(settled, what="the end of every message")
        # One of them never reached Twilio.
        self.expected_failures = {("GET", 404), ("DELETE", 404)}
        self.channel.done("telephony", "purge", PHONE, "--at-twilio", "--yes")
        self.assertEqual([each for each in self.all_messages() if PHONE in (each["to"], each["from"])], [])

    def all_messages(self):
        return self.twilio.control("messages", method="GET")

    def a_call_is_answered_and_ended(self):
        self.channel.change({"voice": {"enabled": True}})
        self.channel.done("telephony", "webhook", "sync", "--yes")
        self.gateway = self.channel.gateway()
        self.assertEqual(self.twilio.control("inbound-call", {"from": PHONE, "to": LINE})["status"], 200)
        _, form = self.asked("limit_call")
        self.assertEqual(form["TimeLimit"], "300")
        # The caller is warned 20 s before the end, while the call listens.
        is_listening = lambda: self.twilio.control("calls", method="GET")[-1]["isListening"]
        eventually(is_listening, what="a call that listens")
        self.machine.clock_wrong_by(285)
        _, form = self.asked("replace_document")
        self.assertIn("<Gather", form["Twiml"])
        # Twilio does not end the call by its own limit, because only our clock is ahead.
        self.machine.clock_wrong_by(301)
        self.asked("end_call")
        self.asked("call")
        is_over = lambda: self.channel.read("telephony", "calls")[0]["state"] == "over"
        eventually(is_over, what="the end of the call")
        self.machine.clock_wrong_by(0)

    def a_call_is_placed(self):
        self.channel.change({"limits": {"quietHours": None}})
        self.gateway.stop()
        self.gateway = self.channel.gateway()
        self.channel.done("telephony", "call", PHONE, "--message", "The parcel is here.", "--wait")
        _, form = self.asked("create_call")
        self.assertEqual((form["To"], form["From"], form["MachineDetection"]), (PHONE, LINE, "DetectMessageEnd"))

    def a_request_for_a_call_gets_no_answer(self):
        # Answers from the simulator instead of Prism, for its deliberate errors.
        self.expected_failures = {("POST", 500)}
        self.twilio.misbehave("server-error", {"next": 1})
        self.channel.run("telephony", "call", PHONE, "--message", "The parcel is here.")
        query, _ = self.asked("calls_to")
        self.assertEqual(query["To"], PHONE)
        self.twilio.behave()


if __name__ == "__main__":
    main()
