"""The commands of docs/guides/twilio.md, run against the built-in Twilio, print what the guide shows.

SIDs, codes, times and paths differ between runs and are compared by their form. Run it with e2e/run.sh guide.py.
"""

import os
import pathlib
import re
import shlex
import subprocess

from harness import ACCOUNT, OPENCLAW, PHONE, TOKEN, Case, Program, Twilio, eventually, free_port, main
from set_up import DOWN, ENTER, Model, Terminal

GUIDE = pathlib.Path(__file__).resolve().parent.parent / "docs/guides/twilio.md"
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


if __name__ == "__main__":
    main()
