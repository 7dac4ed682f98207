"""Debian's nginx and Caddy in front of the gateway, with TLS of their own, as the guide sets them up.

Their configuration is the one that docs/guides/reverse-proxy.md shows; only ports and certificate are the test's.
Run it with e2e/run.sh proxies.py. It needs nginx, caddy and openssl.
"""

import http.client
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess

from harness import OMIT, PHONE, WEBHOOK, Case, Channel, Program, Twilio, eventually, free_port, main
from webhooks import EMPTY, signed, text

ROOT = pathlib.Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs/guides/reverse-proxy.md"
HOST, OTHER = "phone.example.com", "other.example.com"
URL = f"https://{HOST}{WEBHOOK}"


def block(language, containing):
    """Returns the guide's only block in `language` that contains `containing`."""
    blocks = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (found,) = [text for text in blocks if containing in text]
    return found


class Proxied(Case):
    """A gateway behind a proxy that terminates TLS with its own certificate."""

    settings = {"publicUrl": f"https://{HOST}"}

    def setUp(self):
        self.twilio = Twilio(self)
        self.channel = Channel(self, self.twilio.url, self.settings)
        self.gateway = self.channel.gateway()
        self.make_certificate()
        self.tls_port = free_port()

    def make_certificate(self):
        self.key, self.certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        names = f"subjectAltName=DNS:{HOST},DNS:{OTHER}"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-days", "2", "-subj", f"/CN={HOST}", "-addext", names, "-keyout", self.key, "-out", self.certificate]
        subprocess.run(command, check=True, capture_output=True)

    def request(self, method, path, body=b"", headers=None, host=HOST, source="127.0.0.1"):
        """Connects to the proxy over TLS as a client does, and checks its certificate."""
        context = ssl.create_default_context(cafile=self.certificate)
        plain = socket.create_connection(("127.0.0.1", self.tls_port), timeout=20, source_address=(source, 0))
        connection = http.client.HTTPConnection(host)
        connection.sock = context.wrap_socket(plain, server_hostname=host)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def listens(self, program):
        def is_there():
            self.assertIsNone(program.process.poll(), program.output())
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.tls_port)) == 0

        eventually(is_there, what="the proxy")

    def restart(self, **settings):
        self.gateway.stop()
        self.channel.change(settings)
        self.gateway = self.channel.gateway()

    def post(self, body, url=URL, path=WEBHOOK, forged=None, **to):
        """Posts a text that Twilio signed for `url`, optionally with forged headers."""
        headers, form = signed(url, text(body))
        return self.request("POST", path, form, {**headers, **(forged or {})}, **to)

    def heard(self, body, **how):
        self.assertEqual(self.post(body, **how), (200, EMPTY))

    def refused(self, body, **how):
        self.assertEqual(self.post(body, **how)[0], 403)

    def answered(self, *bodies):
        eventually(lambda: len(self.twilio.bodies()) >= len(bodies), what=f"the answers to {PHONE}")
        self.assertEqual(self.twilio.bodies(), list(bodies))


BELIEVED = {"allowedHosts": [HOST], "trustForwardingHeaders": True, "trustedProxyIPs": ["127.0.0.1"]}


class EveryProxy:
    """Tests that apply to every proxy."""

    def test_a_text_comes_through_and_is_answered(self):
        self.heard("Hello")
        self.answered("Hello")

    def test_another_url_is_refused(self):
        self.refused("x", url=f"https://{OTHER}{WEBHOOK}")
        self.refused("x", url=f"http://{HOST}{WEBHOOK}")
        self.refused("x", url=f"{URL}?a=1")
        self.refused("x", host=OTHER, url=f"https://{OTHER}{WEBHOOK}")
        self.heard("the only one")
        self.answered("the only one")

    def test_the_query_is_signed_as_it_was_written(self):
        for query in ("?a=%2f&b=%2F", "?q=it's+a%20test"):
            self.heard("x", url=URL + query, path=WEBHOOK + query)

    def test_a_long_body_comes_through(self):
        headers, form = signed(URL, text("long", Padding="x" * 60_000))
        self.assertEqual(self.request("POST", WEBHOOK, form, headers), (200, EMPTY))

    def test_without_a_public_url_the_host_header_counts(self):
        self.restart(publicUrl=OMIT)
        self.heard("x")
        self.refused("x", host=OTHER)
        self.heard("x", host=OTHER, url=f"https://{OTHER}{WEBHOOK}")

    def test_without_a_public_url_only_allowed_hosts_count(self):
        self.restart(publicUrl=OMIT, webhookSecurity={"allowedHosts": [HOST]})
        self.heard("x")
        self.refused("x", host=OTHER, url=f"https://{OTHER}{WEBHOOK}")

    def test_a_forged_host_changes_nothing(self):
        forged = {"X-Forwarded-Host": OTHER, "X-Forwarded-Proto": "http", "Forwarded": f"host={OTHER};proto=http"}
        self.heard("x", forged=forged)
        self.refused("x", url=f"https://{OTHER}{WEBHOOK}", forged=forged)
        self.restart(publicUrl=OMIT, webhookSecurity=BELIEVED)
        self.refused("x", url=f"https://{OTHER}{WEBHOOK}", forged=forged)
        self.refused("x", url=f"http://{OTHER}{WEBHOOK}", forged=forged)

    def test_a_trusted_proxy_forwards_the_public_host(self):
        self.restart(publicUrl="https://else.example.com", webhookSecurity=BELIEVED)
        self.heard("x")
        self.refused("x", url=f"http://{HOST}{WEBHOOK}")

    def test_an_untrusted_proxy_is_ignored(self):
        missing = {"trustForwardingHeaders": False}, {"trustedProxyIPs": ["192.0.2.1"]}, {"allowedHosts": [OTHER]}
        for believed in missing:
            self.restart(publicUrl="https://else.example.com", webhookSecurity={**BELIEVED, **believed})
            self.refused("x")

    def test_a_proxy_may_be_named_by_its_mapped_address(self):
        """A dual-stack listener reports IPv4 peers as ::ffff:127.0.0.1."""
        security = {**BELIEVED, "trustedProxyIPs": ["::ffff:127.0.0.1"]}
        for bind in ("127.0.0.1", "::"):
            self.restart(publicUrl="https://else.example.com", webhookSecurity=security, serve={"bind": bind})
            self.heard("x")

    def test_the_log_names_the_client_where_the_proxy_is_trusted(self):
        for trusted, address in ((False, "127.0.0.1"), (True, "127.0.0.2")):
            self.restart(webhookSecurity={**BELIEVED, "trustForwardingHeaders": trusted})
            forged = {"X-Forwarded-For": "192.0.2.7"}
            self.refused("x", url="https://wrong.example.com", forged=forged, source="127.0.0.2")
            self.assertEqual(self.addresses()[-1], address)
            self.assertNotIn("192.0.2.7", self.gateway.output())

    def addresses(self):
        """Returns the requests that the gateway reports as rejected."""
        return re.findall(r'"rejected a webhook.*?"address":"([^"]*)"', self.gateway.output())


class Nginx(EveryProxy, Proxied):
    def setUp(self):
        super().setUp()
        self.start(block("nginx", "location /telephony/"))

    def start(self, locations):
        """nginx with one server, whose locations come from the guide."""
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        locations = locations.replace("127.0.0.1:3335", f"127.0.0.1:{self.channel.port}")
        temporary = "\n".join(
            f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        configuration = self.folder / "nginx.conf"
        configuration.write_text(
            f"""
            daemon off; master_process off; pid {self.folder}/nginx.pid; error_log stderr;
            events {{ }}
            http {{
                access_log off; {temporary}
                server {{
                    listen 127.0.0.1:{self.tls_port} ssl;
                    server_name {HOST} {OTHER};
                    ssl_certificate {self.certificate};
                    ssl_certificate_key {self.key};
                    {locations}
                }}
            }}
            """
        )
        self.nginx = Program(self, "nginx", [program, "-p", str(self.folder), "-c", str(configuration)])
        self.listens(self.nginx)

    def test_the_path_may_be_rewritten(self):
        self.nginx.stop()
        self.start(block("nginx", "location = /bots/7/sms"))
        url = f"https://{HOST}/bots/7/sms"
        self.restart(publicUrl=url)
        self.heard("x", url=url, path="/bots/7/sms")
        self.refused("x", path="/bots/7/sms")

    def test_health_is_reached_where_the_guide_says_so(self):
        self.nginx.stop()
        self.start(block("nginx", "location = /health"))
        self.assertEqual(self.request("GET", "/health"), (200, '{"ok":true,"provider":"twilio"}'))

    def test_the_webhook_says_that_it_takes_posts_only(self):
        self.assertEqual(self.request("GET", WEBHOOK)[0], 405)


class RunsCaddy(Proxied):
    def run_caddy(self, site, variables=None):
        """Caddy with one site."""
        file = self.folder / "Caddyfile"
        file.write_text("{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + site)
        folders = {name: str(self.folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        command = ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]
        self.caddy = Program(self, "caddy", command, {**os.environ, **folders, **(variables or {})})
        self.listens(self.caddy)

    def with_certificate(self, site, name):
        """Returns the site whose block begins with `name`, changed to loopback and the test's certificate."""
        return site.replace(f"{name} {{", f"{name} {{\n\ttls {self.certificate} {self.key}\n\tbind 127.0.0.1", 1)

    def names(self):
        return f"{HOST}:{self.tls_port}, {OTHER}:{self.tls_port}"


class Caddy(EveryProxy, RunsCaddy):
    def setUp(self):
        super().setUp()
        self.start(block("caddy", "reverse_proxy /telephony/*"))

    def start(self, site):
        """Caddy with the guide's site on another port."""
        site = self.with_certificate(site.replace(f"{HOST} {{", f"{self.names()} {{", 1), self.names())
        self.run_caddy(site.replace("127.0.0.1:3335", f"127.0.0.1:{self.channel.port}"))

    def test_the_path_may_be_rewritten(self):
        self.caddy.stop()
        self.start(block("caddy", "handle /bots/7/sms"))
        url = f"https://{HOST}/bots/7/sms"
        self.restart(publicUrl=url)
        self.heard("x", url=url, path="/bots/7/sms")
        self.refused("x", path="/bots/7/sms")

    def test_a_prefix_may_be_taken_off(self):
        self.caddy.stop()
        self.start(block("caddy", "handle_path /bots/7/*"))
        url = f"https://{HOST}/bots/7{WEBHOOK}"
        self.restart(publicUrl=url)
        self.heard("x", url=url, path=f"/bots/7{WEBHOOK}")
        self.assertEqual(self.request("GET", "/bots/7/health"), (200, '{"ok":true,"provider":"twilio"}'))


class CaddyOfCompose(EveryProxy, RunsCaddy):
    """The file that dist/compose.yaml passes to Caddy, with the variables that it sets."""

    def setUp(self):
        super().setUp()
        site = self.with_certificate((ROOT / "dist/Caddyfile").read_text(), "{$PHONE_HOST}")
        self.run_caddy(site, {"PHONE_HOST": self.names(), "GATEWAY": f"127.0.0.1:{self.channel.port}"})

    def test_other_paths_stay_inside(self):
        for path in ("/", "/health", "/metrics", "/telephony"):
            self.assertEqual(self.request("GET", path)[0], 404, path)


if __name__ == "__main__":
    main()
