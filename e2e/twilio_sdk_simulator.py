"""Drives the simulator with Twilio's official SDK, which must not notice a difference to Twilio.

Run it with e2e/run.sh twilio_sdk_simulator.py.
"""

import base64
import datetime
import http.server
import queue
import threading
import urllib.parse

import requests
from harness import ACCOUNT, KEY, LINE, PHONE, SECRET, TOKEN, Case, Twilio, eventually, free_port, main
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.voice_response import Gather, VoiceResponse


class Desk(TwilioHttpClient):
    """Redirects requests for any Twilio host to the simulator."""

    def __init__(self, base_url):
        super().__init__(timeout=10)
        self.base_url = base_url

    def request(self, method, url, *arguments, **named):
        path = urllib.parse.urlsplit(url)._replace(scheme="", netloc="").geturl()
        return super().request(method, self.base_url + path, *arguments, **named)


class Webhooks(http.server.BaseHTTPRequestHandler):
    """Our server: records webhooks, answers with the path's TwiML if any, and serves a picture."""

    PICTURE = b"\x89PNG that nobody decodes"

    def do_HEAD(self):
        found = self.path == "/picture.png"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "image/png" if found else "text/plain")
        self.send_header("Content-Length", str(len(self.PICTURE) if found else 0))
        self.end_headers()
        return found

    def do_GET(self):
        if self.do_HEAD():
            self.wfile.write(self.PICTURE)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        self.server.posted.put((self.path, self.headers["X-Twilio-Signature"], form))
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.end_headers()
        self.wfile.write(self.server.documents.get(self.path, "<Response/>").encode())

    def log_message(self, *_):
        pass


class OfficialSdk(Case):
    def setUp(self):
        self.simulator = Twilio(self)
        self.control = self.simulator.control
        self.base_url = self.simulator.url
        self.twilio = Client(ACCOUNT, TOKEN, http_client=Desk(self.base_url))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhooks)
        self.posted = server.posted = queue.Queue()
        self.documents = server.documents = {}
        self.ours = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def send(self, body="Hello", **more):
        return self.twilio.messages.create(to=PHONE, from_=LINE, body=body, **more)

    def settled(self, message):
        final = ("delivered", "undelivered", "failed")
        fetched = lambda: (now := message.fetch()).status in final and now
        return eventually(fetched, what="a final status")

    def refused(self, status, code, action):
        with self.assertRaises(TwilioRestException) as raised:
            action()
        self.assertEqual((raised.exception.status, raised.exception.code), (status, code))

    def test_a_message_is_sent_and_delivered(self):
        message = self.send("Grüße 😀")
        self.assertEqual((message.status, message.num_segments, message.price), ("queued", "1", None))
        self.assertEqual((message.direction, message.from_, message.to), ("outbound-api", LINE, PHONE))
        self.assertEqual(message.date_created.tzinfo, datetime.timezone.utc)
        message = self.settled(message)
        self.assertEqual((message.status, message.body, message.error_code), ("delivered", "Grüße 😀", None))
        self.assertIsInstance(message.date_sent, datetime.datetime)

    def test_lists_are_filtered_and_paged(self):
        for number in range(5):
            self.send(f"message {number}")
        self.twilio.messages.create(to="+15550009999", from_=LINE, body="elsewhere")
        found = self.twilio.messages.list(to=PHONE, page_size=2)
        self.assertEqual([message.body for message in found], [f"message {number}" for number in (4, 3, 2, 1, 0)])
        self.assertEqual(len(self.twilio.messages.list(limit=3)), 3)
        self.assertEqual(self.twilio.messages.list(from_=PHONE), [])
        for message in found:
            self.settled(message)
        now = datetime.datetime.now(datetime.timezone.utc)
        hour = datetime.timedelta(hours=1)
        self.assertEqual(len(self.twilio.messages.list(to=PHONE, date_sent_after=now - hour)), 5)
        self.assertEqual(len(self.twilio.messages.list(to=PHONE, date_sent_before=now - hour)), 0)
        self.assertEqual(len(self.twilio.messages.list(to=PHONE, date_sent_before=now + hour)), 5)

    def test_a_message_is_redacted_and_deleted(self):
        message = self.settled(self.send("secret"))
        self.assertEqual(message.update(body="").body, "")
        self.assertTrue(message.delete())
        self.refused(404, 20404, message.fetch)

    def test_errors_have_twilios_codes(self):
        create = self.twilio.messages.create
        cases = [
            (21211, {"to": "+15005550001", "from_": "+15005550006", "body": "x"}),
            (21211, {"to": "none", "from_": LINE, "body": "x"}),
            (21602, {"to": PHONE, "from_": LINE}),
            (21603, {"to": PHONE, "body": "x"}),
            (21606, {"to": PHONE, "from_": "+15559999999", "body": "x"}),
            (21610, {"to": "+15005550004", "from_": LINE, "body": "x"}),
            (21617, {"to": PHONE, "from_": LINE, "body": "x" * 1601}),
        ]
        for code, parameters in cases:
            with self.subTest(code=code):
                self.refused(400, code, lambda: create(**parameters))
        stranger = Client(ACCOUNT, "wrong", http_client=Desk(self.base_url))
        self.refused(401, 20003, stranger.api.v2010.account.balance.fetch)

    def test_misbehavior_reaches_the_sdk(self):
        self.control("misbehave", {"fault": "too-many-requests", "extent": {"next": 1}})
        self.refused(429, 20429, self.send)
        self.assertEqual(self.send().status, "queued")

    def test_the_account_shows_balance_and_numbers(self):
        self.assertEqual(self.twilio.api.v2010.account.balance.fetch().currency, "USD")
        self.assertEqual(self.twilio.api.v2010.accounts(ACCOUNT).fetch().type, "Full")
        (number,) = self.twilio.incoming_phone_numbers.list(phone_number=LINE)
        self.assertTrue(number.capabilities["sms"])
        changed = number.update(sms_url=f"{self.ours}/sms", voice_url=f"{self.ours}/voice")
        self.assertEqual((changed.sms_url, changed.fetch().voice_url), (f"{self.ours}/sms", f"{self.ours}/voice"))
        self.refused(400, 21402, lambda: number.update(sms_url="nonsense"))
        self.assertEqual(self.twilio.messaging.v1.services.list(), [])

    def test_an_api_key_sends_but_does_not_see_the_account(self):
        keyed = Client(KEY, SECRET, ACCOUNT, http_client=Desk(self.base_url))
        self.assertEqual(keyed.messages.create(to=PHONE, from_=LINE, body="x").status, "queued")
        self.refused(401, 20003, keyed.api.v2010.accounts(ACCOUNT).fetch)

    def test_the_sdk_accepts_the_signature_of_every_webhook(self):
        (number,) = self.twilio.incoming_phone_numbers.list(phone_number=LINE)
        number.update(sms_url=f"{self.ours}/sms?a=b#rc=2", voice_url=f"{self.ours}/voice")
        text = {"from": PHONE, "to": LINE, "body": "Grüße & 😀 = +\n", "media": 1}
        self.assertEqual(self.control("inbound-message", text)["status"], 200)
        self.control("inbound-call", {"from": PHONE, "to": LINE})
        self.send(status_callback=f"{self.ours}/status?part=1#rp=all")
        validator = RequestValidator(TOKEN)
        paths = []
        for _ in range(5):
            path, signature, form = self.posted.get(timeout=10)
            paths.append(path)
            self.assertTrue(validator.validate(self.ours + path, form, signature), path)
        self.assertEqual(paths, ["/sms?a=b", "/voice"] + ["/status?part=1"] * 3)
        (received,) = self.twilio.messages.list(from_=PHONE)
        self.assertEqual((received.direction, received.num_media), ("inbound", "1"))
        self.assertEqual(len(received.media.list()), 1)

    def receive(self, *files):
        """Sends a text with files from the phone and returns it as Twilio shows it."""
        encoded = [{"content_type": kind, "data": base64.b64encode(content).decode()} for kind, content in files]
        delivery = self.control("inbound-message", {"from": PHONE, "to": LINE, "body": "Look!", "files": encoded})
        return self.twilio.messages(delivery["sid"]).fetch()

    def test_received_files_are_listed_fetched_and_deleted(self):
        message = self.receive(("image/png", b"a picture"), ("text/vcard", b"BEGIN:VCARD"))
        self.assertEqual((message.num_media, message.direction), ("2", "inbound"))
        picture, card = message.media.list()
        self.assertEqual((picture.content_type, card.fetch().content_type), ("image/png", "text/vcard"))
        self.assertEqual(picture.parent_sid, message.sid)
        url = self.base_url + picture.uri.removesuffix(".json")
        self.assertEqual(requests.get(url, timeout=10).status_code, 401)
        fetched = requests.get(url, auth=(ACCOUNT, TOKEN), timeout=10)
        self.assertEqual((fetched.content, fetched.headers["Content-Type"]), (b"a picture", "image/png"))
        (redirect,) = fetched.history
        self.assertEqual(redirect.status_code, 307)
        refused = requests.get(redirect.headers["Location"], auth=(ACCOUNT, TOKEN), timeout=10)
        self.assertEqual(refused.status_code, 400)
        self.control("misbehave", {"fault": "media-late", "extent": {"next": 1}})
        self.assertEqual(requests.get(url, auth=(ACCOUNT, TOKEN), timeout=10).status_code, 404)
        self.assertTrue(picture.delete())
        self.refused(404, 20404, picture.fetch)
        self.assertEqual([file.sid for file in message.media.list()], [card.sid])

    def test_a_picture_is_sent_and_what_cannot_be_fetched_fails(self):
        sent = self.settled(self.send(media_url=[f"{self.ours}/picture.png"] * 2))
        self.assertEqual((sent.status, sent.num_media), ("delivered", "2"))
        self.assertEqual([file.content_type for file in sent.media.list()], ["image/png"] * 2)
        failed = self.settled(self.send(media_url=[f"{self.ours}/nothing.png"]))
        self.assertEqual((failed.status, failed.error_code, failed.media.list()), ("failed", 11200, []))
        (alert,) = self.twilio.monitor.v1.alerts.list()
        self.assertEqual((alert.error_code, alert.resource_sid), ("11200", failed.sid))

    def test_services_and_their_campaigns_are_listed_and_changed(self):
        sid = "MG0123456789abcdef0123456789abcdef"
        self.control("services", {"sid": sid, "numbers": [LINE], "campaign": "IN_PROGRESS"})
        (service,) = self.twilio.messaging.v1.services.list()
        self.assertEqual((service.sid, service.us_app_to_person_registered), (sid, False))
        changed = service.update(inbound_request_url=f"{self.ours}/service", use_inbound_webhook_on_number=False)
        self.assertEqual(changed.fetch().inbound_request_url, f"{self.ours}/service")
        self.assertFalse(changed.use_inbound_webhook_on_number)
        self.refused(400, 21402, lambda: service.update(fallback_url="nonsense"))
        (number,) = service.phone_numbers.list()
        self.assertEqual((number.phone_number, number.capabilities), (LINE, ["SMS", "MMS", "Voice"]))
        (campaign,) = service.us_app_to_person.list()
        self.assertEqual((campaign.campaign_status, campaign.messaging_service_sid), ("IN_PROGRESS", sid))
        self.assertEqual(self.receive().messaging_service_sid, sid)
        self.assertEqual(self.posted.get(timeout=10)[0], "/service")
        message = self.twilio.messages.create(to=PHONE, messaging_service_sid=sid, body="x")
        self.assertEqual((message.status, message.from_, message.num_segments), ("accepted", None, "0"))
        self.assertEqual(self.settled(message).from_, LINE)

    def test_a_number_is_overridden_and_alerts_tell_what_failed(self):
        (number,) = self.twilio.incoming_phone_numbers.list()
        self.assertEqual((number.sms_application_sid, number.trunk_sid), ("", ""))
        application = "AP" + "0" * 32
        number.update(sms_url=f"{self.ours}/sms", sms_application_sid=application)
        self.assertEqual(number.fetch().sms_application_sid, application)
        self.receive()
        self.assertTrue(self.posted.empty())
        closed = f"http://127.0.0.1:{free_port()}/sms"
        number.update(sms_url=closed, sms_application_sid="")
        message = self.receive()
        today = datetime.datetime.now(datetime.timezone.utc).date()
        (alert,) = self.twilio.monitor.v1.alerts.list(start_date=today, log_level="error")
        self.assertEqual((alert.error_code, alert.resource_sid, alert.request_url), ("11205", message.sid, closed))
        self.assertIn("Body=Look%21", alert.fetch().request_variables)

    def test_an_account_in_trouble_says_so(self):
        self.assertEqual([key.sid for key in self.twilio.keys.list()], [KEY])
        self.control("account", {"type": "Trial", "status": "suspended", "balance": "-3.20"})
        account = self.twilio.api.v2010.accounts(ACCOUNT).fetch()
        self.assertEqual((account.type, account.status), ("Trial", "suspended"))
        self.refused(401, 20005, self.send)
        self.control("account", {"status": "active"})
        self.assertEqual(self.twilio.api.v2010.account.balance.fetch().balance, "-3.20")
        self.refused(400, 21608, self.send)
        self.control("account", {"verified": [PHONE]})
        self.assertEqual([caller.phone_number for caller in self.twilio.outgoing_caller_ids.list()], [PHONE])
        self.assertTrue(self.send("x").body.startswith("Sent from your Twilio trial account - "))

    def test_a_call_is_placed_and_hung_up(self):
        pause = "<Response><Pause length='100'/></Response>"
        call = self.twilio.calls.create(to=PHONE, from_=LINE, twiml=pause)
        self.assertEqual((call.status, call.direction), ("queued", "outbound-api"))
        self.assertEqual(call.update(status="completed").status, "completed")
        self.refused(400, 21220, lambda: call.update(status="completed"))

    def listening(self, action, prompt):
        """Returns an SDK document that speaks and listens."""
        response = VoiceResponse()
        gather = Gather(input="dtmf speech", action=action, timeout=30, action_on_empty_result=True)
        gather.say(prompt)
        response.append(gather)
        return str(response)

    def heard(self, call):
        """Returns the call's transcript once it is over."""
        over = lambda: (now := call.fetch()).status in ("completed", "busy", "failed", "no-answer") and now
        self.assertEqual(eventually(over, what="the end of the call").status, "completed")
        (found,) = [known for known in self.control("calls", method="GET") if known["sid"] == call.sid]
        return [(said["by"], said["text"]) for said in found["transcript"]]

    def webhook(self, path):
        """Returns the next webhook to a path."""
        while True:
            target, signature, form = self.posted.get(timeout=30)
            if target == path:
                self.assertTrue(RequestValidator(TOKEN).validate(self.ours + path, form, signature))
                return form

    def test_a_phone_calls_and_talks(self):
        self.simulator.deliver_to(f"{self.ours}/voice")
        self.documents["/voice"] = self.listening("/turn", "How can I help?")
        self.documents["/turn"] = self.listening("/pin", "Your PIN?")
        goodbye = VoiceResponse()
        goodbye.say("Bye")
        goodbye.hangup()
        self.documents["/pin"] = str(goodbye)
        sid = self.control("inbound-call", {"from": PHONE, "to": LINE})["sid"]
        self.control(f"calls/{sid}/say", {"text": "It is me", "confidence": 0.5})
        self.control(f"calls/{sid}/press", {"keys": "12#"})
        number, phone = "number", "phone"
        self.assertEqual(
            self.heard(self.twilio.calls(sid).fetch()),
            [(number, "How can I help?"), (phone, "It is me"), (number, "Your PIN?"), (phone, "12"), (number, "Bye")],
        )
        self.assertEqual(self.webhook("/voice")["Direction"], "inbound")
        turn = self.webhook("/turn")
        self.assertEqual((turn["SpeechResult"], turn["Confidence"], turn["Language"]), ("It is me", "0.5", "en-US"))
        pin = self.webhook("/pin")
        self.assertEqual((pin["Digits"], pin["FinishedOnKey"]), ("12", "#"))

    def test_a_call_is_placed_changed_and_reported(self):
        pause = VoiceResponse()
        pause.pause(length=1000)
        events = ["initiated", "ringing", "answered", "completed"]
        call = self.twilio.calls.create(
            to=PHONE, from_=LINE, twiml=pause, status_callback=f"{self.ours}/status", status_callback_event=events,
            machine_detection="DetectMessageEnd", async_amd="true", async_amd_status_callback=f"{self.ours}/amd",
            timeout=30, time_limit=600,
        )  # fmt: skip
        for status in ("initiated", "ringing", "in-progress"):
            self.assertEqual(self.webhook("/status")["CallStatus"], status)
        self.assertEqual(self.webhook("/amd")["AnsweredBy"], "human")
        self.assertEqual(call.fetch().answered_by, "human")
        self.assertEqual([found.sid for found in self.twilio.calls.list(to=PHONE, status="in-progress")], [call.sid])
        call.update(time_limit=500)
        call.update(twiml="<Response><Say>New</Say></Response>")
        self.assertEqual(self.heard(call), [("number", "New")])
        over = self.webhook("/status")
        self.assertEqual((over["CallStatus"], over["SequenceNumber"]), ("completed", "3"))
        self.refused(400, 21220, lambda: call.update(url=f"{self.ours}/late"))

    def test_a_phone_is_busy(self):
        self.control("call-outcome", {"to": PHONE, "outcome": "busy"})
        call = self.twilio.calls.create(to=PHONE, from_=LINE, twiml="<Response/>")
        eventually(lambda: call.fetch().status == "busy", what="a busy phone")


if __name__ == "__main__":
    main()
