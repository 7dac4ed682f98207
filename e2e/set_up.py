"""Sets the channel up at a terminal, runs doctor, undoes everything, and watches a slow send.

The terminal is a pseudo-terminal: the test answers each question, and the token must not show. Run it with
e2e/run.sh set_up.py.
"""

import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import ACCOUNT, LINE, OPENCLAW, PHONE, TOKEN, Case, Program, Twilio, eventually, free_port, main

MARKS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ENTER, DOWN = "\r", "\x1b[B"


class Terminal:
    """The program at its own terminal."""

    def __init__(self, environment, *arguments):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [OPENCLAW, *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True,
            # A background process may ignore SIGINT, and its children would too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(slave)
        self.shown, self.answered = "", 0

    def read(self, wait):
        if not select.select([self.master], [], [], wait)[0]:
            return True
        try:
            chunk = os.read(self.master, 65536)
        except OSError:
            return False
        self.shown += chunk.decode(errors="replace")
        return bool(chunk)

    def text(self):
        return MARKS.sub("", self.shown)

    def answer(self, question, keys):
        """Waits for a question, then types."""
        deadline = time.monotonic() + 60
        while question not in self.text()[self.answered :]:
            if not self.read(0.1) or time.monotonic() > deadline:
                raise AssertionError(f"`{question}` was not asked:\n{self.text()}")
        self.answered = self.text().index(question, self.answered) + len(question)
        if keys and "[y/N]" not in question:
            # The program reads and echoes single keys. A token or Control-C typed before that would be lost.
            eventually(lambda: not termios.tcgetattr(self.master)[3] & termios.ECHO, what="a terminal that hides keys")
        os.write(self.master, keys.encode())

    def keep_secret(self, question, keys):
        """Types a secret once the terminal has stopped echoing."""
        self.answer(question, "")
        deadline = time.monotonic() + 30
        while termios.tcgetattr(self.master)[3] & termios.ECHO:
            if not self.read(0.01) or time.monotonic() > deadline:
                raise AssertionError(f"`{question}` shows what is typed:\n{self.text()}")
        os.write(self.master, keys.encode())

    def end(self):
        """Returns everything shown and the exit code."""
        deadline = time.monotonic() + 60
        while self.read(0.1) and self.process.poll() is None:
            if time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"it does not end:\n{self.text()}")
        while self.read(0.05):
            if not select.select([self.master], [], [], 0.05)[0]:
                break
        os.close(self.master)
        return self.process.wait(30), self.text()


class Model:
    """A server with OpenAI's API."""

    def __init__(self, case, models, fails=0, key="sk-secret"):
        """Lists `models`, or has no list if that is None; it is overloaded for the first `fails` questions."""
        model = self
        self.models, self.fails, self.questions = models, fails, []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if key and self.headers["Authorization"] != f"Bearer {key}":
                    return self.say(401, {"error": {"message": "no such key"}})
                if model.models is None:
                    return self.say(404, {})
                self.say(200, {"data": [{"id": name} for name in model.models]})

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if "messages" not in asked:
                    return self.say(400, {"error": {"message": "no messages"}})
                model.questions.append((asked["model"], asked["messages"][-1]["content"]))
                if len(model.questions) <= model.fails:
                    return self.say(503, {"error": {"message": "overloaded"}})
                self.say(200, {"choices": [{"message": {"content": "I hear you."}, "finish_reason": "stop"}]})

            def say(self, status, body):
                body = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/v1"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        case.addCleanup(server.server_close)
        case.addCleanup(server.shutdown)


class SetUp(Case):
    def setUp(self):
        self.twilio = Twilio(self)
        self.state = self.folder / "state"
        self.state.mkdir()
        self.environment = {
            "OPENCLAW_STATE_DIR": str(self.state),
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            "TERM": "xterm",
        }

    def run_program(self, *arguments):
        return subprocess.run(
            [OPENCLAW, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
            env=self.environment,
        )

    def setup_at_a_terminal(self, *more):
        terminal = Terminal(self.environment, "telephony", "setup", "--api-base-url", self.twilio.url, *more)
        self.addCleanup(terminal.process.wait)
        self.addCleanup(terminal.process.kill)
        return terminal

    def written(self, terminal):
        """Answers the last questions of setup. Returns what the terminal showed, and the configuration written."""
        terminal.answer("Your own number", ENTER)
        terminal.answer("Where should the secrets be stored", ENTER)
        terminal.answer("Write these files? [y/N]", "y" + ENTER)
        terminal.answer("Send a test message", ENTER)
        code, shown = terminal.end()
        self.assertEqual(code, 0, shown)
        return shown, json.loads((self.state / "openclaw.json").read_text())["channels"]["telephony"]

    def test_every_question_is_answered_and_the_number_texts(self):
        terminal = self.setup_at_a_terminal()
        terminal.answer("Account SID (Twilio", ACCOUNT + ENTER)
        terminal.keep_secret("Auth Token (not", TOKEN + ENTER)
        terminal.answer("Which number", ENTER)
        terminal.answer("How does Twilio reach", ENTER)
        terminal.answer("Public URL", "https://phone.example.com" + ENTER)
        terminal.answer("Who may talk", DOWN + DOWN + ENTER)
        terminal.answer("Who answers", ENTER)
        terminal.answer("Your own number", PHONE + ENTER)
        terminal.answer("Where should the Auth Token be stored", ENTER)
        terminal.answer("Write these files? [y/N]", "y" + ENTER)
        terminal.answer("Make these changes at Twilio? [y/N]", "y" + ENTER)
        terminal.answer("Send a test message", ENTER)
        code, shown = terminal.end()
        self.assertEqual(code, 0, shown)
        self.assertNotIn(TOKEN, shown.replace(ACCOUNT, ""))
        self.assertIn("Sent: SM", shown)
        config = json.loads((self.state / "openclaw.json").read_text())["channels"]["telephony"]
        self.assertEqual((config["fromNumber"], config["inboundPolicy"]), (LINE, "open"))
        self.assertEqual(config["publicUrl"], "https://phone.example.com")
        self.assertEqual((self.state / ".env").read_text(), f"TWILIO_AUTH_TOKEN={TOKEN}\n")

        report = json.loads(self.run_program("telephony", "doctor", "--json").stdout)
        found = {finding["id"] for finding in report["findings"]}
        self.assertIn("gateway-not-running", found)
        self.assertFalse(found & {"credentials-wrong", "webhook-not-set", "webhook-elsewhere", "file-open-to-others"})
        undone = self.run_program("telephony", "webhook", "undo", "--yes")
        self.assertEqual(undone.returncode, 0, undone.stderr)
        shown = self.run_program("telephony", "webhook", "show", "--json").stdout
        self.assertEqual(json.loads(shown)["routes"][0]["settings"][0]["value"], "")

    def test_a_model_a_tunnel_and_a_list_are_asked_for(self):
        model = Model(self, ["large", "tiny"], fails=1)
        terminal = self.setup_at_a_terminal()
        terminal.answer("nothing is written before you agree", "")
        terminal.answer("Account SID (Twilio", ACCOUNT + ENTER)
        terminal.keep_secret("Auth Token (not", TOKEN + ENTER)
        terminal.answer("Which number", ENTER)
        terminal.answer("How does Twilio reach", DOWN + ENTER)
        terminal.answer("Your ngrok domain", "claw.example.com" + ENTER)
        terminal.keep_secret("ngrok authtoken (not", "ng-secret" + ENTER)
        terminal.answer("Who may talk", DOWN + ENTER)
        terminal.answer("Which numbers", f"{PHONE}, nobody" + ENTER)
        terminal.answer("`nobody` is not a phone number", PHONE + ENTER)
        terminal.answer("Who answers", DOWN + DOWN + ENTER)
        terminal.answer("API base URL", model.url + ENTER)
        terminal.keep_secret("API key (not", "sk-secret" + ENTER)
        terminal.answer("Which model", DOWN + ENTER)
        terminal.answer("Test question", ENTER)
        terminal.answer("error: the agent is unavailable", "")
        terminal.answer("What next", ENTER)
        terminal.answer("Test question", ENTER)
        terminal.answer("The agent answers: I hear you.", "")
        shown, config = self.written(terminal)
        self.assertNotIn("-secret", shown)
        self.assertEqual(config["allowFrom"], [PHONE])
        self.assertEqual(config["agent"], {"kind": "openai", "baseUrl": model.url, "model": "tiny"})
        question = ("tiny", "Hello! Can you hear me? Please answer in one short sentence.")
        self.assertEqual(model.questions, [question, question])
        self.assertEqual((config["tunnel"]["provider"], config["tunnel"]["ngrokDomain"]), ("ngrok", "claw.example.com"))
        stored = f"TWILIO_AUTH_TOKEN={TOKEN}\nNGROK_AUTHTOKEN=ng-secret\nOPENAI_API_KEY=sk-secret\n"
        self.assertEqual((self.state / ".env").read_text(), stored)

    def test_an_agent_that_does_not_answer_is_chosen_again_or_kept(self):
        model = Model(self, None, fails=9)
        terminal = self.setup_at_a_terminal("--agent-url", model.url)
        terminal.answer("Account SID (Twilio", ACCOUNT + ENTER)
        terminal.keep_secret("Auth Token (not", TOKEN + ENTER)
        terminal.answer("Which number", ENTER)
        terminal.answer("How does Twilio reach", DOWN + DOWN + DOWN + ENTER)
        terminal.answer("Who may talk", ENTER)
        terminal.answer("Who answers", DOWN + DOWN + ENTER)
        terminal.keep_secret("API key (not", "wrong" + ENTER)
        terminal.answer("Could not fetch the list of models: the agent rejects the request", "")
        terminal.answer("Model", "tiny" + ENTER)
        terminal.answer("Test question", ENTER)
        terminal.answer("What next", DOWN + ENTER)
        terminal.answer("Who answers", DOWN + DOWN + ENTER)
        terminal.keep_secret("API key (not", "sk-secret" + ENTER)
        terminal.answer("Model", "tiny" + ENTER)
        terminal.answer("Test question", ENTER)
        terminal.answer("error: the agent is unavailable", "")
        terminal.answer("What next", DOWN + DOWN + ENTER)
        _, config = self.written(terminal)
        self.assertEqual(config["agent"], {"kind": "openai", "baseUrl": model.url, "model": "tiny"})
        self.assertIn("OPENAI_API_KEY=sk-secret\n", (self.state / ".env").read_text())

    def test_a_wrong_token_is_asked_for_again_and_no_is_no(self):
        terminal = self.setup_at_a_terminal()
        terminal.answer("Account SID (Twilio", ACCOUNT + ENTER)
        terminal.keep_secret("Auth Token (not", "0" * 32 + ENTER)
        terminal.answer("rejected these credentials", "")
        terminal.answer("Account SID (Twilio", ACCOUNT + ENTER)
        terminal.keep_secret("Auth Token (not", TOKEN + ENTER)
        terminal.answer("Which number", ENTER)
        terminal.answer("How does Twilio reach", DOWN + DOWN + DOWN + ENTER)
        terminal.answer("Who may talk", ENTER)
        terminal.answer("Who answers", ENTER)
        terminal.answer("Your own number", ENTER)
        terminal.answer("Where should the Auth Token be stored", DOWN + ENTER)
        terminal.answer("Write these files? [y/N]", ENTER)
        code, shown = terminal.end()
        self.assertEqual(code, 1, shown)
        self.assertIn("Nothing was written.", shown)
        self.assertNotIn(TOKEN, shown.replace(ACCOUNT, ""))
        self.assertEqual(list(self.state.iterdir()), [])

    def test_control_c_changes_nothing(self):
        terminal = self.setup_at_a_terminal()
        terminal.answer("Account SID (Twilio", ACCOUNT + ENTER)
        terminal.keep_secret("Auth Token (not", TOKEN + ENTER)
        terminal.answer("Which number", ENTER)
        terminal.answer("How does Twilio reach", "\x03")
        code, shown = terminal.end()
        self.assertNotEqual(code, 0, shown)
        self.assertEqual(list(self.state.iterdir()), [])

    def test_send_says_at_a_terminal_what_it_waits_for(self):
        port = free_port()
        settings = {"enabled": True, "provider": "twilio", "fromNumber": LINE, "serve": {"port": port}}
        settings["twilio"] = {"accountSid": ACCOUNT, "authToken": TOKEN, "apiBaseUrl": self.twilio.url}
        settings["publicUrl"] = f"http://127.0.0.1:{port}"
        (self.state / "openclaw.json").write_text(json.dumps({"channels": {"telephony": settings}}))
        self.twilio.misbehave({"delay-answer": {"milliseconds": 3000}})
        send = ("telephony", "send", PHONE, "Hello")
        for has_gateway in (False, True):
            if has_gateway:
                gateway = Program(self, "gateway", [OPENCLAW, "gateway"], self.environment)
                gateway.answers(f"http://127.0.0.1:{port}/health")
            code, shown = Terminal(self.environment, *send).end()
            self.assertEqual(code, 0, shown)
            self.assertRegex(shown, r"Waiting for Twilio's answer \(\d+ s at most; the message is kept\)\s+Sent: SM")
        piped = self.run_program(*send)
        self.assertEqual((piped.returncode, piped.stderr), (0, ""))


if __name__ == "__main__":
    main()
