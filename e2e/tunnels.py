"""The built program opens tunnels: a script stands in for Tailscale's program, and ngrok is unreachable.

Run it with e2e/run.sh tunnels.py. Neither an account at Tailscale nor one at ngrok is needed, or used.
"""

import json
import os
import pathlib
import shutil

from harness import HERE, OMIT, WEBHOOK, Case, Channel, Twilio, eventually, free_port, main, request
from webhooks import EMPTY, signed, text

STAND_IN = HERE.parent / "crates/telephony-tunnels/tests/stand_in/tailscale.py"
URL = "https://box.tail1234.ts.net"


class Tunnels(Case):
    settings = {}

    def setUp(self):
        self.twilio = Twilio(self)
        self.channel = Channel(self, self.twilio.url, {"publicUrl": OMIT, **self.settings})
        programs = self.folder / "bin"
        programs.mkdir()
        self.tailscale = pathlib.Path(shutil.copy(STAND_IN, programs / "tailscale"))
        self.tailscale.chmod(0o755)
        usual = self.channel.environment
        path = f"{programs}:{os.environ['PATH']}"
        self.channel.environment = lambda: {**usual(), "PATH": path, "NGROK_AUTHTOKEN": "", "XDG_CONFIG_HOME": ""}
        self.gateway = self.channel.gateway()

    def tunnel(self):
        return (self.channel.read("telephony", "status")["gateway"] or {}).get("tunnel") or {}

    def post(self, url):
        headers, body = signed(url + WEBHOOK, text("Hello"))
        return request("POST", self.channel.url + WEBHOOK, body, headers)


class Funnel(Tunnels):
    settings = {"tunnel": {"provider": "tailscale-funnel", "syncWebhooks": True}}

    def served(self):
        file = self.tailscale.parent / "served"
        return json.loads(file.read_text()) if file.exists() else None

    def number(self):
        (number,) = self.twilio.rest("GET", "IncomingPhoneNumbers.json")["incoming_phone_numbers"]
        return number["sms_url"].split("#")[0]

    def test_the_url_is_registered_at_twilio_and_signed_requests_arrive(self):
        eventually(lambda: self.number() == URL + WEBHOOK, what="the URL at Twilio")
        self.assertEqual(self.post(URL), (200, EMPTY))
        eventually(lambda: self.twilio.bodies() == ["Hello"], what="the answer")
        self.assertEqual(self.post("https://other.tail1234.ts.net")[0], 403)
        self.assertEqual(self.tunnel(), {"name": "tailscale-funnel", "url": URL, "trouble": None})
        self.assertIn(f"{URL}{WEBHOOK}", self.channel.done("telephony", "status"))
        self.assertIn(f"{URL}{WEBHOOK}", self.gateway.output())
        self.assertIn(f"{URL}{WEBHOOK}", self.channel.done("telephony", "webhook", "show"))

    def test_what_is_served_goes_with_the_gateway(self):
        eventually(lambda: self.tunnel().get("url") == URL, what="the tunnel")
        (handlers,) = [site["Handlers"] for site in self.served()["Web"].values()]
        target = f"http://127.0.0.1:{self.channel.port}{WEBHOOK}"
        self.assertEqual(handlers[WEBHOOK], {"Proxy": target})
        self.gateway.stop()
        self.assertEqual(self.served(), {})

    def test_a_killed_gateway_takes_over_what_it_left(self):
        eventually(lambda: self.tunnel().get("url") == URL, what="the tunnel")
        self.gateway.kill()
        left = self.served()
        self.gateway = self.channel.gateway()
        eventually(lambda: self.tunnel().get("url") == URL, what="the tunnel")
        self.assertEqual(self.served(), left)


class Ngrok(Tunnels):
    settings = {"tunnel": {"provider": "ngrok"}}

    def test_without_a_token_the_gateway_works_and_says_what_to_do(self):
        self.assertEqual(self.post("http://" + self.channel.url.removeprefix("http://")), (200, EMPTY))
        trouble = eventually(lambda: self.tunnel().get("trouble"), what="the reason")
        self.assertIn("ngrok has no token", trouble)
        for told in (self.gateway.output(), self.channel.done("telephony", "status")):
            self.assertIn("NGROK_AUTHTOKEN", told)

    def test_an_unreachable_ngrok_server_is_named_without_the_token(self):
        self.gateway.stop()
        file = self.folder / ".config/ngrok/ngrok.yml"
        file.parent.mkdir(parents=True)
        file.write_text(f"version: 3\nagent:\n  authtoken: hunter2\n  connect_url: 127.0.0.1:{free_port()}\n")
        self.gateway = self.channel.gateway()
        trouble = eventually(lambda: self.tunnel().get("trouble"), what="the reason")
        self.assertIn("is unreachable", trouble)
        self.assertIn("refused", trouble)
        self.assertNotIn("hunter2", self.gateway.output())


if __name__ == "__main__":
    main()
