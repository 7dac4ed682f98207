"""Webhooks signed by Twilio's official SDK, posted to a running gateway: accepted and rejected requests.

Run it with e2e/run.sh webhook_twilio_sdk.py.
"""

import collections
import http.server
import json
import pathlib
import threading
import urllib.parse
import xml.etree.ElementTree as xml

from harness import ACCOUNT, LINE, OMIT, PHONE, STATUS, TOKEN, WEBHOOK, Case, Channel, Twilio, eventually, main, request
from webhooks import EMPTY, FORM, sid, signature, text

MESSAGE_SIDS = ("MessageSid", "SmsSid", "SmsMessageSid")
PARAMETERS = pathlib.Path(__file__).parent.parent / "crates/telephony-providers/tests/data/webhook_params.json"


def filled(fields):
    """Returns a callback with these documented parameters, each with its example value."""
    shown = {field["name"].replace("{N}", "0"): field["example"].split("|")[0] for field in fields}
    whole = {
        "AccountSid": ACCOUNT, "CallSid": sid("CA"), "ParentCallSid": sid("CA"), "From": PHONE, "Caller": PHONE,
        "To": LINE, "Called": LINE, "CallStatus": "in-progress", **dict.fromkeys(MESSAGE_SIDS, sid("SM")),
    }  # fmt: skip
    return shown | {name: value for name, value in whole.items() if name in shown}


class Webhooks(Case):
    settings = {}

    def setUp(self):
        self.twilio = Twilio(self)
        self.channel = Channel(self, self.twilio.url, self.settings)
        self.gateway = self.channel.gateway()

    def post(self, parameters, signed=None, path=WEBHOOK, headers=None, body=None, **signing):
        """Posts a webhook, signed by the SDK for the URL `signed` (default: its target)."""
        signed = signed or self.channel.url + path
        headers = {**FORM, "X-Twilio-Signature": signature(signed, parameters, **signing), **(headers or {})}
        body = urllib.parse.urlencode(parameters, doseq=True) if body is None else body
        return request("POST", self.channel.url + path, body.encode(), headers)

    def heard(self, parameters, **more):
        self.assertEqual(self.post(parameters, **more), (200, EMPTY))

    def refused(self, parameters, **more):
        self.assertEqual(self.post(parameters, **more)[0], 403)

    def answered(self, *bodies, phone=PHONE):
        """Waits for the answers that `phone` gets, and checks that there are no others."""
        count = len(bodies)
        eventually(lambda: len(self.twilio.bodies(phone)) >= count, what=f"answer {count} to {phone}")
        self.assertEqual(self.twilio.bodies(phone), list(bodies))

    def only_this_was_heard(self, body="the only one"):
        """Proves that nothing before was accepted, because a conversation is answered in order."""
        self.heard(text(body))
        self.answered(body)
        self.assertEqual([entry["text"] for entry in self.channel.inbound()], [body])


class Texts(Webhooks):
    def test_a_text_is_answered(self):
        self.heard(text("Hello"))
        self.answered("Hello")
        (entry,) = self.channel.inbound()
        self.assertEqual((entry["contact"], entry["text"], entry["state"]), (PHONE, "Hello", "answered"))

    def test_a_forged_text_is_refused_and_leaves_no_trace(self):
        self.refused(text("x"), token="ffffffffffffffffffffffffffffffff")
        self.refused(text("x"), token=TOKEN.upper())
        self.refused(text("x"), signed="https://example.com" + WEBHOOK)
        self.refused(text("x"), signed=self.channel.url + "/telephony/Webhook")
        self.refused(text("x"), signed=self.channel.url + WEBHOOK + "?a=1")
        genuine = text("Send 1 dollar")
        self.refused(genuine, body=urllib.parse.urlencode({**genuine, "Body": "Send 9 dollars"}))
        self.refused(genuine, body=urllib.parse.urlencode({**genuine, "Added": ""}))
        self.refused(genuine, body=urllib.parse.urlencode({k: v for k, v in genuine.items() if k != "ToCity"}))
        self.refused(genuine, algorithm="HMAC_SHA256")
        for wrong in ("", "nonsense", "=", signature("", {}) + "=", signature("", {})[:-1]):
            with self.subTest(signature=wrong):
                self.refused(genuine, headers={"X-Twilio-Signature": wrong})
        self.only_this_was_heard()

    def test_an_unsigned_text_is_refused(self):
        body = urllib.parse.urlencode(text("x")).encode()
        self.assertEqual(request("POST", self.channel.url + WEBHOOK, body, FORM)[0], 403)
        self.only_this_was_heard()

    def test_a_signed_text_for_another_account_is_refused(self):
        self.refused(text("x", AccountSid="AC" + "f" * 32))
        self.refused({name: value for name, value in text("x").items() if name != "AccountSid"})
        self.only_this_was_heard()

    def test_a_text_that_comes_again_is_acknowledged_and_answered_once(self):
        first = text("once")
        for token in ("one", "one", "two"):
            self.heard(first, headers={"I-Twilio-Idempotency-Token": token})
        self.heard(text("then"))
        self.answered("once", "then")
        self.heard(first)
        self.heard(text("last"))
        self.answered("once", "then", "last")

    def test_many_copies_at_a_time_are_one_text(self):
        first, answers = text("once"), []
        threads = [threading.Thread(target=lambda: answers.append(self.post(first))) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [(200, EMPTY)] * 16)
        self.heard(text("then"))
        self.answered("once", "then")

    def test_texts_in_all_scripts_arrive_as_they_were_written(self):
        bodies = [
            "Grüße, «tschüß»", "😀👩‍👩‍👧‍👦 🇩🇪", "مرحبا بالعالم", "你好，世界", "ʼ’‘“”…–—", "a & b = c + d % e ; f # g",
            "%41%zz+%2B", "first\nsecond\n\nfourth", "e\u0301 is not \u00e9", "\U0001d4d0 beyond the first plane",
            "\u200bzero\u200dwidth", "\"quotes\" and 'quotes' and <tags> &amp;",
        ]  # fmt: skip
        for body in bodies:
            self.heard(text(body))
        received = [entry["text"] for entry in self.channel.inbound()]
        self.assertEqual(received, bodies)
        eventually(lambda: len(self.twilio.bodies()) == len(bodies), what="an answer to each")

    def test_an_empty_text_is_acknowledged_and_not_answered(self):
        self.heard(text(""))
        self.heard(text("", NumMedia="", OptOutType=""))
        self.heard(text("then"))
        self.answered("then")

    def test_unknown_parameters_do_no_harm(self):
        odd = {
            "NewIn2030": "yes", "body": "lower case", "": "no name", "naïve 😀": "key",
            "OtherTesters": "[\"a\"]", "ProfileName": "O'Neil & Sons", "RcsSenderId": "", "a" * 300: "b" * 3000,
        }  # fmt: skip
        self.heard(text("plain") | odd)
        self.heard(text("later") | {"BodyLanguage": "en", "SmsStatusReason": "none", "OptOutTypeSource": "carrier"})
        # Joined with its value, this could be a differently divided Body.
        self.refused(text("tampered") | {"Body ": "trailing space"})
        self.answered("plain", "later")

    def test_a_name_that_comes_twice_is_signed_with_all_its_values(self):
        self.heard(text("twice", Extra=["b", "a"]))
        self.heard(text("same twice", Extra=["a", "a", ""]))
        self.refused(text("x", Extra=["b", "a"]), signed=self.channel.url + "/elsewhere")
        swapped = text("swapped", Extra=["b", "a"])
        self.heard(swapped, body=urllib.parse.urlencode({**swapped, "Extra": ["a", "b"]}, doseq=True))
        self.answered("twice", "same twice", "swapped")

    def test_the_order_of_the_parameters_does_not_matter(self):
        parameters = text("backwards")
        self.heard(parameters, body=urllib.parse.urlencode(list(reversed(parameters.items()))))
        self.answered("backwards")

    def test_spaces_may_be_encoded_either_way(self):
        parameters = text("two words")
        self.heard(parameters, body=urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote))
        self.answered("two words")

    def test_a_body_of_more_than_64_kib_is_refused_and_a_smaller_one_is_not(self):
        self.heard(text("large", Padding="x" * 60_000))
        status, _ = self.post(text("too large", Padding="x" * 66_000))
        self.assertEqual(status, 413)
        self.heard(text("then"))
        self.answered("large", "then")

    def test_only_post_on_our_paths_is_answered(self):
        for method in ("GET", "PUT", "DELETE"):
            self.assertEqual(request(method, self.channel.url + WEBHOOK)[0], 405, method)
        for path in ("/", "/telephony", "/telephony/webhook/x", "/_simulator/log", "/.env"):
            self.assertEqual(self.post(text("x"), path=path)[0], 404, path)
        status, body = request("GET", self.channel.url + "/health")
        self.assertEqual((status, json.loads(body)), (200, {"ok": True, "provider": "twilio"}))
        self.heard(text("with a slash at the end"), path=WEBHOOK + "/")

    def test_a_text_to_a_number_that_is_not_ours_is_kept_and_not_answered(self):
        self.heard(text("wrong number", To="+15550009999", From="+15550001111"))
        self.only_about("+15550001111", "unconfirmed", "dropped")

    def only_about(self, contact, *states):
        """Waits until the owner's numbers were requested; then the message is in one of `states` and unanswered."""
        asked = lambda: any(
            "IncomingPhoneNumbers" in entry["target"] for entry in self.twilio.control("log", method="GET")
        )
        eventually(asked, what="the question whose number it is")
        self.heard(text("then"))
        self.answered("then")
        (entry,) = [entry for entry in self.channel.inbound() if entry["contact"] == contact]
        self.assertIn(entry["state"], states)
        self.assertEqual(self.twilio.bodies(contact), [])


class Tampering(Webhooks):
    """One signed request with differently divided fields: Twilio signs names and values without delimiters."""

    OPERATOR = "+15550009999"
    settings = {"inboundPolicy": "pairing", "allowFrom": [PHONE], "operator": {"number": OPERATOR}}

    def restart(self, how):
        getattr(self.gateway, how)()
        self.gateway = self.channel.gateway()

    def cut_at(self, parameters, place, length):
        """Moves the text from `place` on into a field whose name has this length; the signature stays valid."""
        body = parameters["Body"]
        cut = {**parameters, "Body": body[:place], body[place : place + length]: body[place + length :]}
        self.assertEqual(signature(self.channel.url + WEBHOOK, cut), signature(self.channel.url + WEBHOOK, parameters))
        return cut

    def test_the_same_signature_with_other_fields_is_refused_also_after_a_restart(self):
        names = ["ButtonText", "ButtonType", "ChannelPrefix", "Carrier", "ErrorCode", "Eta", "Body2", "BodyLanguage"]
        texts = [text(f"keep {n}{name} and this") for n, name in enumerate(names)]
        for parameters in texts:
            self.heard(parameters)
        self.answered(*(parameters["Body"] for parameters in texts))
        for how in (None, "stop", "kill"):
            if how:
                self.restart(how)
            for parameters, name in zip(texts, names, strict=True):
                with self.subTest(restart=how, name=name):
                    self.refused(self.cut_at(parameters, parameters["Body"].index(name), len(name)))
                    self.heard(parameters)
        self.heard(text("last"))
        self.answered(*(parameters["Body"] for parameters in texts), "last")
        self.assertEqual(
            [entry["text"] for entry in self.channel.inbound()], [parameters["Body"] for parameters in texts] + ["last"]
        )
        told = lambda: "fields were rearranged" in json.dumps(self.channel.read("telephony", "status"))
        eventually(told, what="the notice")

    def test_a_strangers_text_does_not_become_the_operators_command(self):
        stranger, forged = "+15550008888", sid("SM")
        self.heard(text("hello", From=stranger))
        eventually(lambda: self.twilio.bodies(stranger), what="the pairing code")
        (pending,) = self.channel.read("pairing", "list", "telephony")
        for name in ("MessageSidX", "MessageSid2", "Note", "Z", "ProfileName", "OriginalRepliedMessageSid"):
            command = f"APPROVE {pending['code']}"
            genuine = text(f"{command}From{self.OPERATOR}MessageSid{forged}{name}", From=stranger)
            glue = "".join(name + value for name, value in sorted(genuine.items()))
            rest = glue.partition(f"{forged}{name}")[2]
            cut = {
                "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "Body": command, "From": self.OPERATOR,
                "MessageSid": forged, name: rest,
            }  # fmt: skip
            url = self.channel.url + WEBHOOK
            self.assertEqual(signature(url, cut), signature(url, genuine), "it is the same signed text")
            with self.subTest(name=name):
                self.refused(cut)
                self.heard(genuine)
                self.refused(cut)
        self.restart("stop")
        self.refused(cut)
        self.heard(text("then"))
        self.answered("then")
        self.assertEqual([entry["code"] for entry in self.channel.read("pairing", "list", "telephony")], [pending["code"]])
        self.assertFalse([body for body in self.twilio.bodies(self.OPERATOR) if "pproved" in body])


class Urls(Webhooks):
    """The signed URL is the one configured at Twilio, not the one that arrives."""

    def behind(self, public_url, signed, path=WEBHOOK, hears=True):
        self.gateway.stop()
        self.channel.change({"publicUrl": public_url})
        self.gateway = self.channel.gateway()
        for url in signed:
            with self.subTest(publicUrl=public_url, signed=url):
                (self.heard if hears else self.refused)(text("x"), signed=url, path=path)

    def test_the_host_is_the_public_one(self):
        base = "https://phone.example.com"
        self.behind(base, [base + WEBHOOK, base + ":443" + WEBHOOK])
        self.behind(base + "/", [base + WEBHOOK])
        elsewhere = [self.channel.url + WEBHOOK, "http://phone.example.com" + WEBHOOK, base + ":8443" + WEBHOOK]
        self.behind(base, elsewhere + ["https://PHONE.example.com" + WEBHOOK], hears=False)

    def test_a_port_is_signed_for_texts_and_dropped_for_calls(self):
        base = "https://phone.example.com:8443"
        self.behind(base, [base + WEBHOOK, "https://phone.example.com" + WEBHOOK])
        self.behind(base, ["https://phone.example.com:443" + WEBHOOK], hears=False)

    def test_a_proxy_may_rewrite_the_path(self):
        full = "https://example.com/bots/7/telephony/webhook"
        self.behind(full, [full])
        self.behind("https://example.com/incoming", ["https://example.com/incoming"])
        self.behind(full, ["https://example.com" + WEBHOOK], hears=False)

    def test_the_query_is_signed_as_it_was_written(self):
        base = "https://example.com"
        for query in ("?a=1&b=2", "?b=%2F&a=%2f", "?q=it's+a%20test", "?x", "?a=%C3%BC&a=1"):
            self.behind(base, [base + WEBHOOK + query], path=WEBHOOK + query)
        self.behind(base, [base + WEBHOOK + "?a=2"], path=WEBHOOK + "?a=1", hears=False)
        self.behind(base, [base + WEBHOOK], path=WEBHOOK + "?a=1", hears=False)

    def test_a_public_url_with_a_query_of_its_own(self):
        full = "https://example.com/telephony/webhook?tenant=7"
        self.behind(full, [full], path=WEBHOOK + "?tenant=7")

    def test_without_a_public_url_the_host_header_counts(self):
        self.behind(OMIT, [self.channel.url + WEBHOOK])
        self.heard(text("x"), signed="https://phone.example.com" + WEBHOOK, headers={"Host": "phone.example.com"})
        self.refused(text("x"), signed="https://phone.example.com" + WEBHOOK, headers={"Host": "other.example.com"})


class Secrets(Webhooks):
    old, shared = "0000111122223333444455556666777f", "a shared secret"
    settings = {"twilio": {"previousAuthTokens": [old], "sharedKeys": {"webhooks_sharedkey_1": shared}}}

    def setting(self, key, algorithm):
        return {"X-Twilio-Webhooks-Signature-Settings": f"key={key},algorithm={algorithm}"}

    def test_a_token_that_is_being_replaced_still_counts(self):
        self.heard(text("x"), token=self.old)
        self.refused(text("x"), token=self.old[:-1])

    def test_shared_keys_sign_with_sha256(self):
        by_key = {"token": self.shared, "algorithm": "HMAC_SHA256"}
        settings = self.setting("webhooks_sharedkey_1", "HMAC_SHA256")
        self.heard(text("x"), headers=settings, **by_key)
        self.heard(text("x"), headers=self.setting("webhooks_sharedkey_1", "HMAC_SHA1"), token=self.shared)
        self.refused(text("x"), headers=settings, token=self.shared)
        self.refused(text("x"), headers=settings, algorithm="HMAC_SHA256")
        self.refused(text("x"), headers=self.setting("webhooks_sharedkey_2", "HMAC_SHA256"), **by_key)
        self.refused(text("x"), headers=self.setting("webhooks_sharedkey_1", "HMAC_MD5"), **by_key)
        self.refused(text("x"), **by_key)


class Reports(Webhooks):
    """Checks the outcomes of sent messages."""

    def setUp(self):
        super().setUp()
        self.twilio.misbehave("lose-callback")

    def send(self):
        self.channel.done("telephony", "send", PHONE, "Hello")
        return self.twilio.sent()[-1]["sid"]

    def report(self, message, status, **more):
        parameters = {
            "SmsSid": message, "SmsStatus": status, "MessageStatus": status, "To": PHONE, "MessageSid": message,
            "AccountSid": ACCOUNT, "From": LINE, "ApiVersion": "2010-04-01", **more,
        }  # fmt: skip
        self.heard(parameters, path=STATUS)

    def part(self, message):
        (part,) = self.channel.read("telephony", "messages", message)["parts"]
        return part["status"], part["code"]

    def becomes(self, message, *expected):
        """A report is acknowledged before it is in the database."""
        eventually(lambda: self.part(message) == expected, what=f"{expected} of {message}")

    def test_a_message_is_delivered(self):
        message = self.send()
        for status in ("queued", "sent", "delivered"):
            self.report(message, status)
        self.becomes(message, "delivered", None)

    def test_a_late_report_does_not_take_a_message_back(self):
        message = self.send()
        for status in ("delivered", "sent", "queued", "delivered"):
            self.report(message, status)
        self.becomes(message, "delivered", None)

    def test_a_message_that_does_not_arrive_says_why(self):
        message = self.send()
        self.report(message, "undelivered", ErrorCode="30003", RawDlrDoneDate="2611220942")
        self.becomes(message, "undelivered", 30003)

    def test_reports_may_come_to_the_webhook_itself_or_about_nothing_we_know(self):
        message = self.send()
        self.report(sid("SM"), "delivered")
        parameters = {
            "MessageSid": message,
            "MessageStatus": "delivered",
            "AccountSid": ACCOUNT,
            "To": PHONE,
            "From": LINE,
        }
        self.heard(parameters)
        self.becomes(message, "delivered", None)

    def test_a_forged_report_changes_nothing(self):
        message = self.send()
        parameters = {"MessageSid": message, "MessageStatus": "failed", "AccountSid": ACCOUNT, "ErrorCode": "30007"}
        self.refused(parameters, path=STATUS, token="wrong")
        self.assertNotEqual(self.part(message)[0], "failed")


class Calls(Webhooks):
    def call(self, **more):
        return {
            "CallSid": sid("CA"), "AccountSid": ACCOUNT, "From": PHONE, "To": LINE, "CallStatus": "ringing",
            "ApiVersion": "2010-04-01", "Direction": "inbound", "ForwardedFrom": "", "CallerName": "", **more,
        }  # fmt: skip

    def test_a_caller_hears_a_sentence_and_is_hung_up(self):
        status, body = self.post(self.call())
        self.assertEqual(status, 200)
        response = xml.fromstring(body)
        self.assertEqual((response.tag, [verb.tag for verb in response]), ("Response", ["Say", "Hangup"]))
        self.assertTrue(response[0].text.strip().endswith("."))

    def test_a_secure_call_is_signed_without_the_port(self):
        self.gateway.stop()
        self.channel.change({"publicUrl": "https://phone.example.com:8443"})
        self.gateway = self.channel.gateway()
        self.assertEqual(self.post(self.call(), signed="https://phone.example.com" + WEBHOOK)[0], 200)

    def test_reports_on_calls_are_acknowledged(self):
        over = self.call(
            CallStatus="completed", CallDuration="3", CallbackSource="call-progress-events", SequenceNumber="0"
        )
        self.heard(over, path=STATUS)
        self.heard(over)

    def test_every_callback_that_twilio_documents_is_acknowledged(self):
        documented = json.loads(PARAMETERS.read_text())
        bases = {
            "gather_action_extra": "voice_request", "call_status_extra": "voice_request",
            "fallback_extra": "inbound_message",
        }  # fmt: skip
        for kind, parameters in documented.items():
            if isinstance(parameters, list):
                fields = documented.get(bases.get(kind), []) + parameters
                with self.subTest(callback=kind):
                    self.assertEqual(self.post(filled(fields))[0], 200)

    def test_reports_without_the_state_of_the_call_are_acknowledged(self):
        mine = {"CallSid": sid("CA"), "AccountSid": ACCOUNT}
        self.heard({**mine, "AnsweredBy": "machine_end_beep", "MachineDetectionDuration": "4012"}, path=STATUS)
        self.heard({**mine, "RecordingSid": sid("RE"), "RecordingStatus": "completed"}, path=STATUS)
        self.heard({**mine, "StreamSid": sid("MZ"), "StreamEvent": "stream-stopped"}, path=STATUS)
        self.heard({**mine, "NewIn2030": "yes"}, path=STATUS)

    def test_a_forged_call_is_refused(self):
        self.refused(self.call(), token="wrong")
        self.refused(self.call(AccountSid="AC" + "f" * 32))


class Service(Case):
    """Texts to a Messaging Service of ours; a stub stands in for Twilio and records the messages."""

    service = "MG0123456789abcdef0123456789abcdef"

    def setUp(self):
        self.sent = collections.deque()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.stub())
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = {"fromNumber": OMIT, "twilio": {"messagingServiceSid": self.service}}
        self.channel = Channel(self, f"http://127.0.0.1:{server.server_port}", settings)
        self.channel.gateway()

    def stub(self):
        sent = self.sent

        class Messages(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                sent.append(dict(urllib.parse.parse_qsl(body)))
                answer = {"sid": sid("SM"), "status": "accepted", "num_segments": "0", "from": None, "error_code": None}
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_):
                pass

        return Messages

    def test_a_text_to_the_service_is_answered_by_the_service(self):
        parameters = text("Hello", To="+15550007777", MessagingServiceSid=self.service)
        url = self.channel.url + WEBHOOK
        headers = {**FORM, "X-Twilio-Signature": signature(url, parameters)}
        body = urllib.parse.urlencode(parameters).encode()
        self.assertEqual(request("POST", url, body, headers), (200, EMPTY))
        eventually(lambda: self.sent, what="the answer")
        (answer,) = self.sent
        self.assertEqual((answer["MessagingServiceSid"], answer["To"], answer["Body"]), (self.service, PHONE, "Hello"))
        self.assertNotIn("From", answer)
        self.assertTrue(answer["StatusCallback"].startswith(self.channel.url + STATUS + "?"), answer["StatusCallback"])


if __name__ == "__main__":
    main()
