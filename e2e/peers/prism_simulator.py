"""Prism, with Twilio's own description of its API, stands in front of the simulator and finds nothing wrong in what
goes either way: what the simulator answers has the fields and forms that Twilio describes.

The description is the file named by TWILIO_OPENAPI (default: ../shared/data/twilio_openapi_subset.json beside the
checkout); without it all is skipped. Run it with e2e/run.sh peers/prism_simulator.py.
"""

import base64
import json
import os
import pathlib
import unittest

import requests
from harness import ACCOUNT, HERE, LINE, PHONE, TOKEN, Case, Program, Twilio, eventually, free_port, main

BESIDE = HERE.parent.parent / "shared/data/twilio_openapi_subset.json"
DESCRIPTION = pathlib.Path(os.environ.get("TWILIO_OPENAPI") or BESIDE)
SERVICE = "MG0123456789abcdef0123456789abcdef"


@unittest.skipUnless(DESCRIPTION.is_file(), f"Twilio's description of its API is not there: {DESCRIPTION}")
class Described(Case):
    def setUp(self):
        self.simulator = Twilio(self)
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rsplit(":", 1)[1]
        prism = HERE / "peers/node_modules/.bin/prism"
        command = [prism, "proxy", "-h", "127.0.0.1", "-p", port, DESCRIPTION, self.simulator.url]
        Program(self, "prism", command).answers(f"{self.url}/", within=60)
        self.own = f"/2010-04-01/Accounts/{ACCOUNT}"

    def ask(self, method, path, status=200, **form):
        """Checks that the answer has this status and only fields from the description."""
        answer = requests.request(method, self.url + path, data=form or None, auth=(ACCOUNT, TOKEN), timeout=20)
        violations = json.loads(answer.headers.get("sl-violations", "[]"))
        self.assertEqual([(violation["location"], violation["message"]) for violation in violations], [], path)
        self.assertEqual(answer.status_code, status, f"{method} {path}: {answer.text}")
        return answer.json() if answer.text else None

    def test_prism_does_find_what_is_wrong(self):
        answer = requests.post(f"{self.url}{self.own}/Messages.json", data={"Body": "x"}, auth=(ACCOUNT, TOKEN), timeout=20)
        self.assertIn("To", answer.headers["sl-violations"])

    def test_messages_and_their_media(self):
        sent = self.ask("POST", f"{self.own}/Messages.json", 201, To=PHONE, From=LINE, Body="Grüße 😀")
        self.ask("GET", f"{self.own}/Messages/{sent['sid']}.json")
        picture = {"content_type": "image/png", "data": base64.b64encode(b"a picture").decode()}
        received = self.simulator.text("Look!", files=[picture])["sid"]
        self.assertEqual(len(self.ask("GET", f"{self.own}/Messages.json?PageSize=1")["messages"]), 1)
        (media,) = self.ask("GET", f"{self.own}/Messages/{received}/Media.json")["media_list"]
        path = f"{self.own}/Messages/{received}/Media/{media['sid']}.json"
        self.ask("GET", path)
        self.ask("DELETE", path, 204)
        delivered = lambda: self.ask("GET", f"{self.own}/Messages/{sent['sid']}.json")["status"] == "delivered"
        eventually(delivered, what="delivery")
        self.ask("POST", f"{self.own}/Messages/{sent['sid']}.json", Body="")
        self.ask("DELETE", f"{self.own}/Messages/{sent['sid']}.json", 204)

    def test_the_account_and_its_numbers(self):
        self.simulator.control("account", {"type": "Trial", "verified": [PHONE]})
        self.assertEqual(self.ask("GET", f"{self.own}.json")["type"], "Trial")
        self.ask("GET", f"{self.own}/Balance.json")
        self.ask("GET", f"{self.own}/OutgoingCallerIds.json")
        (number,) = self.ask("GET", f"{self.own}/IncomingPhoneNumbers.json?PageSize=50")["incoming_phone_numbers"]
        path = f"{self.own}/IncomingPhoneNumbers/{number['sid']}.json"
        self.ask("POST", path, SmsUrl="http://127.0.0.1:1/sms", SmsMethod="POST")
        self.ask("GET", path)

    def test_services_with_campaigns(self):
        for campaign in ("PENDING", "FAILED", "VERIFIED"):
            self.simulator.control("services", {"sid": SERVICE, "numbers": [LINE], "campaign": campaign})
            self.ask("GET", f"/v1/Services/{SERVICE}/Compliance/Usa2p")
        self.ask("GET", "/v1/Services?PageSize=20")
        self.ask("POST", f"/v1/Services/{SERVICE}", InboundRequestUrl="http://127.0.0.1:1/in")
        self.ask("GET", f"/v1/Services/{SERVICE}")
        self.ask("GET", f"/v1/Services/{SERVICE}/PhoneNumbers")
        self.ask("POST", f"{self.own}/Messages.json", 201, To=PHONE, MessagingServiceSid=SERVICE, Body="x")

    def test_alerts(self):
        about = "SM" + "0" * 32
        alert = {"code": 11200, "text": "HTTP 502", "url": "https://example.com/in", "about": about}
        sid = self.simulator.control("alerts", alert)["sid"]
        self.ask("GET", "/v1/Alerts?PageSize=20&LogLevel=error")
        self.ask("GET", f"/v1/Alerts/{sid}")

    def test_calls(self):
        twiml = "<Response><Pause length='100'/></Response>"
        call = self.ask("POST", f"{self.own}/Calls.json", 201, To=PHONE, From=LINE, Twiml=twiml)
        self.ask("GET", f"{self.own}/Calls/{call['sid']}.json")
        self.ask("POST", f"{self.own}/Calls/{call['sid']}.json", Status="completed")
        self.ask("GET", f"{self.own}/Calls.json")


if __name__ == "__main__":
    main()
