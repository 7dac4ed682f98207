"""The commands of docs/guides/twilio.md, run against the built-in Twilio, print what the guide shows; and every command
of the other guides that needs no account, no root and no internet succeeds.

SIDs, codes, times and paths differ between runs and are compared by their form. Run it with e2e/run.sh guide.py.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import threading

from harness import ACCOUNT, LINE, OPENCLAW, PHONE, TOKEN, Case, Program, Twilio, eventually, free_port, main
from set_up import DOWN, ENTER, Model, Terminal

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
GUIDE = DOCS / "guides/twilio.md"
# Commands that a run of the guide does not need: the test types the answers.
SETUP, SIMULATE = "openclaw telephony setup", "openclaw telephony simulate"
FORMS = [
    (re.compile(r"\b(PN|SM|AC|SK)[0-9a-f]{32}\b"), r"\1…"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\b[A-HJ-NP-Z2-9]{8}\b"), "CODE"),
    (re.compile(r"/\S+/openclaw\.json"), "FILE"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "URL"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "TOKEN"),
    (re.compile(r"\d+-\d+-\d+ \d+:\d+(:\d+)?"), "TIME"),
    (re.compile(r" +"), " "),
]


def transcripts():
    """Returns the guide's commands with their output, in order."""
    found = []
    for block in re.findall(r"^```\n(\$ .*?)^```", GUIDE.read_text(), re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, printed = part.partition("\n")
            found.append((command, printed))
    return found


def form(text):
    """Normalizes a text to compare two runs."""
    for pattern, shown in FORMS:
        text = pattern.sub(shown, text)
    return [line.strip() for line in text.splitlines() if line.strip()]


class Guide(Case):
    def setUp(self):
        self.twilio = Twilio(self)
        self.state = self.folder / ".openclaw"
        (self.state / "telephony").mkdir(parents=True)
        self.environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "TERM": "xterm"}
        self.environment |= {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}

    def configure(self):
        """Writes the guide's configuration with its own port and the built-in Twilio."""
        text = re.search(r"```json5\n(\{\n.*?)```", GUIDE.read_text(), re.S).group(1)
        port = free_port()
        text = text.replace("3335", str(port))
        text = text.replace('provider: "twilio",', f'provider: "twilio", twilio: {{ apiBaseUrl: "{self.twilio.url}" }},')
        (self.state / "telephony/openclaw.json").write_text(text)
        return port

    def point_number(self, **urls):
        """Sets the number's URLs, as in the console."""
        number = self.twilio.rest("GET", "IncomingPhoneNumbers.json")["incoming_phone_numbers"][0]
        self.twilio.rest("POST", f"IncomingPhoneNumbers/{number['sid']}.json", **urls)

    def serve_at(self, url):
        """Changes the public URL to one that the built-in Twilio reaches, and points the number at it."""
        file = self.state / "telephony/openclaw.json"
        file.write_text(file.read_text().replace("https://phone.example.com", url))
        self.point_number(SmsUrl=f"{url}/telephony/webhook")

    def words(self, command):
        words = shlex.split(command)
        self.assertEqual(words[0], "openclaw", command)
        return words[1:]

    def check(self, command, printed, shown):
        self.assertEqual(form(shown), form(printed), f"the guide is stale at `{command}`:\n{shown}")

    def run_command(self, command):
        ran = subprocess.run(
            [OPENCLAW, *self.words(command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=60, env=self.environment,
        )
        self.assertEqual(ran.returncode, 0, ran.stdout)
        return ran.stdout

    def test_commands_print_what_the_guide_shows(self):
        port = self.configure()
        by_hand = [(command, printed) for command, printed in transcripts() if not command.startswith((SETUP, SIMULATE))]
        self.assertGreaterEqual(len(by_hand), 5, by_hand)
        self.point_number(SmsUrl="https://demo.twilio.com/welcome/sms/reply", VoiceUrl="https://demo.twilio.com/welcome/voice/")
        gateway = None
        for command, printed in by_hand:
            if "[y/N]" in printed:
                terminal = Terminal(self.environment, *self.words(command))
                terminal.answer("[y/N]", "y" + ENTER)
                shown = terminal.end()[1].replace("\r", "")
                self.check(command, printed, shown)
                continue
            if "pairing list" in command:
                self.serve_at(f"http://127.0.0.1:{port}")
                gateway = Program(self, "gateway", [OPENCLAW, "gateway"], self.environment)
                gateway.answers(f"http://127.0.0.1:{port}/health")
                self.twilio.text("hello?")
                text = eventually(self.twilio.bodies, what="the pairing text")[0]
                code = text.split()[-1]
            if "pairing approve" in command:
                command = command.replace("ABCD2345", code)
            shown = self.run_command(command)
            if "pairing approve" in command:
                # The guide leaves out the SMS's number.
                shown = re.sub(r"^Sent: SM.*\n", "", shown, flags=re.M)
            self.check(command, printed, shown)
        self.assertIsNotNone(gateway)

    def test_setup_asks_what_the_guide_shows(self):
        (printed,) = [printed for command, printed in transcripts() if command.startswith(SETUP)]
        self.environment = {name: value for name, value in self.environment.items() if "TWILIO" not in name}
        model = Model(self, ["llama3.2:latest"], key=None)
        servers = ("--api-base-url", self.twilio.url, "--agent-url", model.url)
        terminal = Terminal(self.environment, "telephony", "setup", *servers)
        self.addCleanup(terminal.process.kill)
        opening, first, rest = printed.partition("Account SID")
        self.assertIn("nothing is written before you agree", opening)
        lines = [line for line in (first + rest).splitlines() if not line.startswith("The agent answers")]
        questions = [match[1] for match in (re.match(r"(.*?)[?:] ", line) for line in lines) if match]
        self.assertGreaterEqual(len(questions), 8, printed)
        for question in questions:
            keys = {"Account SID": ACCOUNT, "Public URL": "https://phone.example.com", "Your own num": PHONE}
            keys["Who answers"] = 6 * DOWN
            typed = next((keys[start] for start in keys if question.startswith(start)), "")
            if question.startswith("Auth Token"):
                terminal.keep_secret(question, TOKEN + ENTER)
            else:
                terminal.answer(question, typed + ENTER)
        terminal.answer("Write these files? [y/N]", "n" + ENTER)
        shown = form(terminal.end()[1])
        # Answers are printed once they are typed.
        for line in form(printed):
            self.assertIn(line, shown, "the guide is stale")

    def test_the_simulator_prints_what_the_guide_shows(self):
        (printed,) = [printed for command, printed in transcripts() if command.startswith(SIMULATE)]
        self.check(SIMULATE, printed, eventually(lambda: "Ctrl-C" in self.twilio.program.output() and self.twilio.program.output()))


# Commands that need root, a container engine, a registry, a service manager, the internet or a person, and commands that
# this suite, proxies.py, set_up.py and service.py run in another way.
NEEDS_MORE = re.compile(
    r"(sudo|docker|cargo|npx|systemctl|ulimit|man|dist/\S+|RUN_AS=\S+) |dist/"
    r"|export |curl .*https://"
    r"|openclaw (gateway|telephony (setup|simulate|service install(?! --dry-run)))"
)
# What a page's commands print exactly; elsewhere, only the exit code counts.
EXACT = "openclaw telephony segments"
OTHER_PHONE = "+15550005679"


def blocks(page):
    """Returns the fenced blocks of a page with their language."""
    found, language, lines = [], None, []
    for line in page.read_text().splitlines():
        fence = re.match(r"\s*```(\S*)", line)
        if fence and language is None:
            language, lines = fence[1], []
        elif fence:
            found.append((language, lines))
            language = None
        elif language is not None:
            lines.append(line.strip())
    return found


def commands(page):
    """Returns the commands of a page, each with what it prints if the page shows that."""
    found = []
    for language, lines in blocks(page):
        text = "\n".join(lines)
        if language == "sh":
            # A quoted text or a backslash continues on the next line.
            whole = ""
            for line in text.split("\n"):
                whole += line
                if whole.endswith("\\") or whole.count("'") % 2:
                    whole += "\n"
                elif whole.strip():
                    found.append((whole, None))
                    whole = ""
        elif text.startswith("$ "):
            for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
                command, _, printed = part.partition("\n")
                found.append((command, printed))
    return found


class EveryPage(Case):
    """A gateway with a built-in Twilio, a contact's text, and a message that failed."""

    def setUp(self):
        self.twilio = Twilio(self)
        self.port, self.metrics = free_port(), free_port()
        (self.folder / "bin").mkdir()
        (self.folder / "bin/openclaw").symlink_to(pathlib.Path(OPENCLAW).resolve())
        for name in ("backup", "reply", ".openclaw"):
            (self.folder / name).mkdir(mode=0o700)
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        self.environment = {"HOME": str(self.folder), "PATH": path, "OPENCLAW_REPLY_MEDIA": str(self.folder / "reply")}
        configuration = {
            "enabled": True, "provider": "twilio", "fromNumber": LINE, "inboundPolicy": "open",
            "publicUrl": f"http://127.0.0.1:{self.port}", "serve": {"port": self.port},
            "metrics": {"port": self.metrics}, "voice": {"enabled": True}, "limits": {"quietHours": None},
            "agent": {"kind": "echo"}, "operator": {"number": "+15550004444"},
            "twilio": {"accountSid": ACCOUNT, "authToken": TOKEN, "apiBaseUrl": self.twilio.url},
        }
        self.file = self.folder / ".openclaw/openclaw.json"
        self.file.write_text(json.dumps({"channels": {"telephony": configuration}}))
        self.file.chmod(0o600)
        (self.folder / "openclaw.json").write_text("{}")
        (self.folder / "menu.jpg").write_bytes(bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9"))
        (self.folder / "contact.vcf").write_text("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Alice\r\nEND:VCARD\r\n")
        self.gateway = Program(self, "gateway", [OPENCLAW, "gateway"], self.environment)
        self.gateway.answers(f"http://127.0.0.1:{self.port}/health")
        self.twilio.deliver_to(f"http://127.0.0.1:{self.port}/telephony/webhook")
        self.twilio.text("hello?")
        eventually(self.twilio.bodies, what="an answer")
        self.twilio.control("outcome", {"to": OTHER_PHONE, "outcome": {"undelivered": 30003}})
        self.openclaw("send", OTHER_PHONE, "Are you there?")
        failed = ("messages", "--status", "undelivered", "--json")
        self.failed = eventually(lambda: json.loads(self.openclaw(*failed)), what="a failed message")[0]["id"]
        self.hang_up_calls()

    def openclaw(self, *words):
        ran = subprocess.run([OPENCLAW, "telephony", *words], env=self.environment, text=True, capture_output=True, timeout=60)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        return ran.stdout

    def hang_up_calls(self):
        """Has the other side hang up every call soon after it begins."""
        over = threading.Event()
        self.addCleanup(over.set)

        def hang_up():
            while not over.wait(0.5):
                for call in self.twilio.control("calls", method="GET"):
                    if call["status"] == "in-progress":
                        self.twilio.control(f"calls/{call['sid']}/hang-up")

        threading.Thread(target=hang_up, daemon=True).start()

    def no_call_is_open(self):
        return all(call["status"] in ("completed", "canceled") for call in json.loads(self.openclaw("calls", "--json")))

    def no_message_is_on_its_way(self):
        """Twilio does not delete a message that it still processes."""
        on_its_way = ("accepted", "queued", "sending", "sent", "receiving")
        return all(message["status"] not in on_its_way for message in self.twilio.control("messages", method="GET"))

    def run_page(self, page):
        program = self.folder / "answer.py"
        program.write_text(next((text for text in re.findall(r"```python\n(.*?)```", page.read_text(), re.S)), ""))
        program.chmod(0o700)
        variables, ran = [], 0
        for command, printed in commands(page):
            if NEEDS_MORE.match(command) or ("| jq" in command and not shutil.which("jq")):
                continue
            if re.match(r"[a-z]+=", command):
                variables.append(self.here(command))
                continue
            if " restore " in command:
                self.gateway.stop()
            if " purge " in command:
                eventually(self.no_message_is_on_its_way, what="the end of every message")
            if " call " in command:
                eventually(self.no_call_is_open, what="the end of the previous call")
            # A pipe to a program that shows a page fails if that program is missing.
            script = "\n".join([*variables, self.here(command).replace("| man -l -", "| cat > /dev/null")])
            shown = subprocess.run(
                ["bash", "-c", script], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
            )
            # Doctor finds that the public URL is on this machine; a transcript may show a failure; without a terminal,
            # `purge` asks no question and deletes nothing.
            is_failure = command == "openclaw telephony doctor" or (printed or "").startswith("error:")
            expected = 1 if is_failure or ("telephony purge" in command and "--yes" not in command) else 0
            self.assertEqual(shown.returncode, expected, f"{page.name}: {command}\n{shown.stdout}")
            if printed and command.startswith(EXACT):
                self.assertEqual(form(shown.stdout), form(printed), f"{page.name} is stale at `{command}`")
            ran += 1
        return ran

    def here(self, command):
        """Replaces the guide's addresses, folders and ids by those of this test."""
        for shown, real in [
            ("http://127.0.0.1:4010", self.twilio.url), ("127.0.0.1:9464", f"127.0.0.1:{self.metrics}"),
            ("/backup/", f"{self.folder}/backup/"), ("/home/you/", f"{self.folder}/"), ("/srv/", f"{self.folder}/"),
            ("out-34", self.failed), ("out-12", self.failed),
        ]:
            command = command.replace(shown, real)
        return f"{command} --yes" if command.endswith("webhook sync") else command


def add_page(page, fewest):
    """Adds a test that runs at least `fewest` commands of a page."""

    def test(self):
        if page.name == "consent.md":
            self.twilio.text("STOP")
        self.assertGreaterEqual(self.run_page(page), fewest, page.name)

    name = page.relative_to(DOCS).with_suffix("").as_posix().replace("/", "_").replace("-", "_")
    setattr(EveryPage, f"test_commands_of_{name}_succeed", test)


FEWEST = {
    "concepts/consent.md": 9, "guides/agents/command.md": 2, "guides/command-line.md": 2, "guides/costs.md": 4,
    "guides/deploy.md": 6, "guides/monitoring.md": 1, "guides/operator.md": 1, "guides/pictures.md": 2,
    "guides/simulator.md": 11, "guides/troubleshooting.md": 5, "guides/tunnels.md": 1, "guides/voice.md": 2,
}
for path in sorted([*DOCS.glob("guides/**/*.md"), *DOCS.glob("concepts/*.md")]):
    if path != GUIDE and any(not NEEDS_MORE.match(command) for command, _ in commands(path)):
        add_page(path, FEWEST.get(path.relative_to(DOCS).as_posix(), 0))


if __name__ == "__main__":
    main()
