"""Starts the built program, its built-in Twilio and other software. Shows their logs when a test fails.

OPENCLAW names the program (default: target/debug/openclaw). The harness knows nothing of its internals.
"""

import base64
import http.client
import json
import mmap
import os
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
OPENCLAW = os.environ.get("OPENCLAW", str(HERE.parent / "target/debug/openclaw"))
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
TOKEN = "0123456789abcdef0123456789abcdef"
KEY, SECRET = "SK0123456789abcdef0123456789abcdef", "simulated-secret"
LINE, PHONE = "+15550001234", "+15550005678"
WEBHOOK, STATUS = "/telephony/webhook", "/telephony/status"
LOG_LINES = 60


class Case(unittest.TestCase):
    """A test with its own folder; its logs are shown on failure."""

    maxDiff = None

    def run(self, result=None):
        with tempfile.TemporaryDirectory(prefix="openclaw-e2e-") as folder:
            self.folder = pathlib.Path(folder)
            troubles = len(result.failures) + len(result.errors)
            super().run(result)
            if len(result.failures) + len(result.errors) > troubles:
                self.show_logs()
        return result

    def show_logs(self):
        for log in sorted(self.folder.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()
            heading = f"--- {self.id()}: {log.name}, last of {len(lines)} lines"
            print(heading, *lines[-LOG_LINES:], sep="\n", file=sys.stderr)


def main():
    """Runs the tests of the calling script."""
    if not shutil.which(OPENCLAW):
        sys.exit(f"error: there is no program {OPENCLAW}\nhint: run `cargo build`, or name another one in OPENCLAW")
    unittest.main(verbosity=2)


def eventually(find, within=30, what="what was waited for"):
    """Returns the first true value of `find()`, or fails at the timeout."""
    deadline = time.monotonic() + within
    while True:
        found = find()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {within} s")
        time.sleep(0.02)


def free_port():
    """Returns a free port outside the range that the system uses for outgoing connections."""
    while True:
        port = random.randrange(10_000, first_outgoing_port())
        with socket.socket() as probe:
            # Remains of closed connections do not count: our own listeners do without this option.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in chosen_ports:
            chosen_ports.add(port)
            return port


def first_outgoing_port():
    """Returns the first port that the system uses for outgoing connections."""
    return max(20_000, int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]))


chosen_ports = set()


def request(method, url, body=b"", headers=None):
    """Returns the answer's status and body, or None and the reason if the request fails."""
    parts = urllib.parse.urlsplit(url)
    target = parts._replace(scheme="", netloc="").geturl()
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (ConnectionError, http.client.HTTPException) as error:
        return None, repr(error)
    finally:
        connection.close()


def basic_auth(user, password):
    """Returns the Authorization header with user and password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


class Program:
    """A running process whose output goes to a file in the test's folder; stopped at the end of the test."""

    def __init__(self, test, name, command, environment=None, cwd=None):
        self.log = test.folder / f"{name}.log"
        with self.log.open("ab") as log:
            environment = {**os.environ, **(environment or {})}
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=cwd
            )
        test.addCleanup(self.stop)

    def stop(self):
        """Asks the process to stop and kills it after 20 seconds."""
        self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        """Kills the process, as in a power failure."""
        self.process.kill()
        self.process.wait()

    def output(self):
        """Returns the output so far."""
        return self.log.read_text(errors="replace")

    def answers(self, url, within=20):
        """Waits until a GET of `url` returns a status below 500."""

        def is_there():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.log.stem} ended with {self.process.returncode}")
            status, _ = request("GET", url)
            return status is not None and status < 500

        eventually(is_there, within, f"an answer of {url}")


class Twilio:
    """The built-in Twilio as a separate process."""

    def __init__(self, test):
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rsplit(":", 1)[1]
        command = [OPENCLAW, "telephony", "simulate", "--twilio-only", "--port", port]
        self.program = Program(test, "twilio", command)
        self.program.answers(f"{self.url}/_simulator/messages")

    def control(self, path, body=None, method="POST"):
        """Calls the simulator's control API and fails on an unexpected answer."""
        headers = {"Content-Type": "application/json"}
        data = b"" if body is None else json.dumps(body).encode()
        status, text = request(method, f"{self.url}/_simulator/{path}", data, headers)
        if status not in (200, 204):
            raise AssertionError(f"{method} {path} was answered {status}: {text}")
        return json.loads(text) if text else None

    def misbehave(self, fault, extent="all"):
        """Activates `fault`."""
        self.control("misbehave", {"fault": fault, "extent": extent})

    def behave(self):
        """Ends all faults."""
        self.control("misbehave", method="DELETE")

    def text(self, body, phone=PHONE, **more):
        """Sends a text from a phone and returns its webhook's result."""
        return self.control("inbound-message", {"from": phone, "to": LINE, "body": body, **more})

    def sent(self, phone=None):
        """Returns messages from the line, oldest first, optionally only those to one phone."""
        messages = self.control("messages", method="GET")
        return [m for m in messages if m["direction"] == "outbound-api" and phone in (None, m["to"])]

    def bodies(self, phone=PHONE):
        """Returns the texts that a phone received."""
        return [message["body"] for message in self.sent(phone)]

    def rest(self, method, path, **form):
        """Calls the REST API as the account's owner."""
        headers = basic_auth(ACCOUNT, TOKEN) | {"Content-Type": "application/x-www-form-urlencoded"}
        url = f"{self.url}/2010-04-01/Accounts/{ACCOUNT}/{path}"
        status, text = request(method, url, urllib.parse.urlencode(form).encode(), headers)
        if status not in (200, 201):
            raise AssertionError(f"{method} {path} was answered {status}: {text}")
        return json.loads(text)

    def deliver_to(self, url):
        """Sets the URL for texts and calls to the line."""
        (number,) = self.rest("GET", "IncomingPhoneNumbers.json")["incoming_phone_numbers"]
        self.rest("POST", f"IncomingPhoneNumbers/{number['sid']}.json", SmsUrl=url, VoiceUrl=url)


class Machine:
    """Faults of the machine as the channel's programs see it: its clock, and the disk of its state folder.

    They affect only these programs, and need no mounts and no special rights. See machine.c.
    """

    WELL, FULL, READ_ONLY = range(3)

    def __init__(self, test, channel):
        library = test.folder / "machine.so"
        build = ["cc", "-shared", "-fPIC", "-o", library, HERE / "machine.c", "-ldl"]
        subprocess.run(build, check=True, stdin=subprocess.DEVNULL)
        file = test.folder / "machine"
        file.write_bytes(bytes(24))
        with file.open("r+b") as opened:
            self.trouble = mmap.mmap(opened.fileno(), 24)
        test.addCleanup(self.trouble.close)
        usual = channel.environment
        ours = {"LD_PRELOAD": str(library), "MACHINE": str(file), "MACHINE_DISK": str(channel.state)}
        channel.environment = lambda: {**usual(), **ours}

    def put(self, place, number):
        """Writes one of the numbers that machine.c reads."""
        assert self.taken(), f"{OPENCLAW} does not load machine.c: it has to be linked dynamically"
        struct.pack_into("<q", self.trouble, 8 * place, number)

    def taken(self):
        """Returns the number of programs that have read the faults."""
        return struct.unpack_from("<q", self.trouble, 0)[0]

    def clock_wrong_by(self, seconds):
        """Sets the clock's offset: negative is behind the real time."""
        self.put(1, seconds)

    def disk(self, state):
        """Sets the disk to WELL, FULL or READ_ONLY."""
        self.put(2, state)


class Channel:
    """One installation of the program: its state folder, its configuration, its port."""

    def __init__(self, test, api_url, settings=None, name="gateway"):
        self.test, self.name = test, name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.state = test.folder / name
        self.state.mkdir(exist_ok=True)
        self.config = test.folder / f"{name}.json"
        self.settings = {
            "enabled": True,
            "provider": "twilio",
            "fromNumber": LINE,
            "inboundPolicy": "open",
            "publicUrl": self.url,
            "serve": {"port": self.port},
            "twilio": {"accountSid": ACCOUNT, "authToken": TOKEN, "apiBaseUrl": api_url},
            "sms": {"coalesceMs": 0, "segmentsPerSecond": None},
            "limits": {"repliesPerContactPer30s": None},
            "agent": {"kind": "echo"},
        }
        self.change(settings or {})

    def change(self, settings):
        """Changes the configuration; OMIT removes a key."""
        merge(self.settings, settings)
        self.config.write_text(json.dumps({"channels": {"telephony": self.settings}}, indent=2))

    def command(self, *arguments):
        """Returns a command line of the program."""
        return [OPENCLAW, *arguments, "--config", str(self.config)]

    def environment(self):
        """Returns an environment that hides the user's own state from the program."""
        return {"OPENCLAW_STATE_DIR": str(self.state), "HOME": str(self.test.folder), "OPENCLAW_LOG": "debug"}

    def launch(self):
        """Starts the gateway without waiting for it."""
        return Program(self.test, self.name, self.command("gateway"), self.environment())

    def gateway(self):
        """Starts the gateway and waits until it listens."""
        gateway = self.launch()
        gateway.answers(f"{self.url}/health")
        return gateway

    def run(self, *arguments, stdin=""):
        """Runs a command to completion."""
        environment = {**os.environ, **self.environment(), "OPENCLAW_LOG": "error"}
        return subprocess.run(
            self.command(*arguments), input=stdin, capture_output=True, text=True, timeout=120, env=environment
        )

    def done(self, *arguments):
        """Returns a command's output; fails unless the command succeeds."""
        ended = self.run(*arguments)
        if ended.returncode != 0:
            raise AssertionError(f"{arguments} ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
        return ended.stdout

    def read(self, *arguments):
        """Returns the JSON output of a reading command."""
        return json.loads(self.done(*arguments, "--json"))

    def messages(self, direction=None, limit=1000):
        """The gateway's own list of messages, the oldest first."""
        entries = self.read("telephony", "messages", "--limit", str(limit))
        return [entry for entry in reversed(entries) if direction in (None, entry["direction"])]

    def inbound(self, limit=1000):
        """Returns the incoming texts, oldest first, once the list contains all that a running gateway acknowledged."""
        eventually(self.is_settled, what="the store, to have what was acknowledged")
        return self.messages("inbound", limit)

    def is_settled(self):
        """Returns true if the journal begins with zeros: it is wiped once everything is stored."""
        (journal,) = self.state.rglob("*-arrivals")
        return not any(journal.read_bytes()[:4])

    def in_flight(self):
        """Returns the counts of unfinished texts in the journal, turns and parts, in this order."""
        counts = {"acknowledged": int(not self.is_settled())}
        summary = self.read("telephony", "status")
        for name in ("waiting", "answering", "retrying"):
            counts[name] = summary["inbox"][name]
        for name in ("queued", "sending", "unknown"):
            counts[name] = summary["outbox"][name]
        return {name: count for name, count in counts.items() if count}


OMIT = object()


def merge(settings, changes):
    """Merges `changes` into `settings`, section by section; OMIT removes a key."""
    for key, value in changes.items():
        if value is OMIT:
            settings.pop(key, None)
        elif isinstance(value, dict) and isinstance(settings.get(key), dict):
            merge(settings[key], value)
        else:
            settings[key] = value
