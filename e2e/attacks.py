"""Attacks on a public gateway: genuine texts are still answered, memory stays bounded, nothing gets in.

Run it with e2e/run.sh attacks.py. Everything stays on loopback addresses and ends by itself: each attack is a separate
process with limits on number and time, and an alarm ends it if it overruns.

Attackers come from 127.0.0.2 and up, genuine texts from 127.0.0.1, unless the attack says otherwise.
"""

import asyncio
import collections
import http.server
import multiprocessing
import random
import resource
import signal
import socket
import statistics
import threading
import time
import urllib.parse
import zlib

from harness import STATUS, WEBHOOK, Case, Channel, Program, Twilio, eventually, main, request
from webhooks import EMPTY, FORM, signature, signed, text

# Twilio's webhook timeout is 15 s.
PATIENCE = 15
# The memory growth allowed per attack: all connections and all permits, each with the largest body.
MOST_MEMORY = 96 * 1024 * 1024
ATTACKERS = [f"127.0.0.{n}" for n in range(2, 22)]
SECONDS = 2
PEOPLE = "+1555003{:04}"


def genuine_text(number):
    """The parameters of this number's genuine text. No contact writes more than ten, or it would count as a bot."""
    return text(f"genuine {number}", From=PEOPLE.format(number // 10))


def report(*words):
    print(" ", *words, flush=True)


class Attack(Case):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.twilio = Twilio(self)
        self.channel = Channel(self, self.twilio.url)
        # Debian's default soft limit; the gateway must raise it itself.
        self.gateway = self.start("ulimit -Sn 1024")
        self.heard = self.retries = 0
        self.genuine()
        self.memory_before = self.memory("VmRSS")

    def start(self, limit):
        command = ["sh", "-c", f'{limit}; exec "$0" "$@"', *self.channel.command("gateway")]
        environment = {**self.channel.environment(), "OPENCLAW_LOG": "info"}
        gateway = Program(self, "gateway", command, environment)
        gateway.answers(f"{self.channel.url}/health")
        return gateway

    def people(self):
        """The senders of the genuine texts."""
        return {genuine_text(number)["From"] for number in range(self.heard)}

    def memory(self, what):
        """Returns the gateway's current (VmRSS) or peak (VmHWM) memory in bytes."""
        with open(f"/proc/{self.gateway.process.pid}/status") as status:
            (line,) = [line for line in status if line.startswith(f"{what}:")]
        return int(line.split()[1]) * 1024

    def genuine(self):
        """Posts a genuine text and returns the time until its acknowledgment.

        Like Twilio, with the overrides that the gateway's URLs carry (rc=3&rp=5xx,ct,rt), it tries up to four times.
        """
        headers, body = signed(self.channel.url + WEBHOOK, genuine_text(self.heard))
        started = time.monotonic()
        for _ in range(4):
            answer = request("POST", self.channel.url + WEBHOOK, body, headers)
            if answer == (200, EMPTY):
                break
            self.retries += 1
        self.assertEqual(answer, (200, EMPTY))
        self.heard += 1
        return time.monotonic() - started

    def under(self, attack, *arguments, name=None):
        """Posts genuine texts during `attack` and returns the counts of the attack's answers."""
        answers = multiprocessing.get_context("fork").SimpleQueue()
        process = multiprocessing.get_context("fork").Process(
            target=run_attack, args=(attack, self.channel.port, arguments, answers), daemon=True
        )
        process.start()
        took = []
        while process.is_alive():
            took.append(self.genuine())
            time.sleep(0.02)
        process.join()
        self.assertEqual(process.exitcode, 0, "the attack did not run to its end")
        took.append(self.genuine())
        seen = answers.get()
        grown = self.memory("VmHWM") - self.memory_before
        report(
            f"{name or attack.__name__.replace('_', ' ')}: {sum(seen.values())} attempts {dict(seen)};",
            f"{len(took)} genuine texts acknowledged, in {statistics.median(took) * 1000:.0f} ms (median),",
            f"{max(took) * 1000:.0f} ms (slowest), {self.retries} tried again; memory at most +{grown / 2**20:.1f} MiB",
        )
        self.assertGreaterEqual(len(took), 3, "genuine texts had to wait for the attack to end")
        self.assertLess(max(took), PATIENCE)
        self.assertLess(grown, MOST_MEMORY)
        return seen

    def nothing_came_in(self):
        """Checks that the gateway still runs, has stored only the genuine texts and has logged little."""
        self.assertIsNone(self.gateway.process.poll())
        known = [entry["text"] for entry in self.channel.inbound(limit=5000)]
        self.assertEqual(sorted(known), sorted(f"genuine {n}" for n in range(self.heard)))
        said = [line for line in self.gateway.output().splitlines() if '"WARN"' in line or '"ERROR"' in line]
        said = [line for line in said if "publicUrl" not in line]
        kinds = collections.Counter(line.split('"message":"')[1].split('"')[0] for line in said)
        report("the log says:", {kind[:70]: count for kind, count in kinds.items()} or "nothing")
        self.assertLessEqual(len(said), 40, kinds)
        self.assertNotIn("panicked", self.gateway.output())
        for sent in self.twilio.sent():
            self.assertIn(sent["to"], self.people())

    def each_has_one_answer(self):
        """Checks that every genuine text is answered once, to its sender, and that nothing else is sent."""
        eventually(lambda: len(self.twilio.sent()) >= self.heard, what="the answers to the genuine texts")
        texts = [genuine_text(number) for number in range(self.heard)]
        answers = [(sent["to"], sent["body"]) for sent in self.twilio.sent()]
        self.assertEqual(sorted(answers), sorted((text["From"], text["Body"]) for text in texts))


class Connections(Attack):
    """Connections that send nothing, or send slowly."""

    def test_ten_thousand_idle_connections_from_many_addresses(self):
        self.under(idle_connections, 10_000, ATTACKERS)
        self.nothing_came_in()

    def test_ten_thousand_idle_connections_from_the_address_of_the_genuine_ones(self):
        self.under(idle_connections, 10_000, ["127.0.0.1"])
        self.nothing_came_in()

    def test_the_system_gives_few_file_descriptors(self):
        self.gateway.stop()
        self.gateway = self.start("ulimit -n 160")
        self.under(idle_connections, 1000, ATTACKERS)
        self.nothing_came_in()

    def test_headers_come_slowly(self):
        self.under(slow, 2000, b"POST /telephony/webhook HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n")
        self.nothing_came_in()

    def test_bodies_come_slowly(self):
        head = head_of(WEBHOOK, {**FORM, "X-Twilio-Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "Content-Length": 60_000})
        self.under(slow, 2000, head, b"Body=x&")
        self.nothing_came_in()

    def test_answers_are_not_read(self):
        self.under(deaf, 100)
        self.nothing_came_in()


class Requests(Attack):
    """Malformed requests."""

    def refused(self, *how, **more):
        seen = self.under(*how, **more)
        self.assertNotIn("200", seen)
        self.nothing_came_in()

    def test_bodies_are_giant_or_compressed(self):
        self.refused(giant_bodies)

    def test_headers_come_in_floods(self):
        self.refused(header_floods)

    def test_paths_are_tricky(self):
        self.refused(tricky_paths)

    def test_requests_hide_in_requests(self):
        self.refused(smuggled)

    def test_bytes_are_random(self):
        self.refused(random_bytes)

    def test_forged_requests_come_in_floods(self):
        self.refused(forged_flood)

    def test_forged_requests_are_dear_to_check(self):
        self.refused(dear_forgeries)

    def test_genuine_requests_are_posted_again_and_again(self):
        parameters = genuine_text(self.heard)
        self.heard += 1
        seen = self.under(replays, *signed(self.channel.url + WEBHOOK, parameters), name="replays")
        self.assertEqual(set(seen), {"200"})
        self.nothing_came_in()
        self.each_has_one_answer()

    def test_a_replay_cannot_be_bent(self):
        headers, body = signed(self.channel.url + WEBHOOK, genuine_text(0))
        bent = [
            (WEBHOOK + "?a=1", body), (WEBHOOK, body + b"&Body=x"), (WEBHOOK, body.replace(b"genuine", b"genuinE")),
            (STATUS, body), (WEBHOOK, b"&" + body.replace(b"AccountSid=", b"AccountSid=x")), (WEBHOOK, b""),
        ]  # fmt: skip
        for path, form in bent:
            self.assertEqual(request("POST", self.channel.url + path, form, headers)[0], 403, (path, form[-40:]))
        self.nothing_came_in()

    def test_what_is_signed_but_not_for_us_gets_no_answer(self):
        url = self.channel.url + WEBHOOK
        for n in range(50):
            headers, body = signed(url, text("x", AccountSid=f"AC{n:032x}"))
            self.assertEqual(request("POST", url, body, headers)[0], 403)
        for n in range(50):
            headers, body = signed(url, text("x", To=f"+1555010{n:04}", From=f"+1555020{n:04}"))
            self.assertEqual(request("POST", url, body, headers), (200, EMPTY))
        self.genuine()
        self.each_has_one_answer()


class Endless(Case):
    """Endless responses from other servers, which the gateway must not buffer."""

    MOST_MEMORY = 64 * 1024 * 1024
    PEOPLE = 8

    def memory(self, what):
        """Returns the gateway's current (VmRSS) or peak (VmHWM) memory in bytes."""
        with open(f"/proc/{self.gateway.process.pid}/status") as status:
            (line,) = [line for line in status if line.startswith(f"{what}:")]
        return int(line.split()[1]) * 1024

    def people_write(self, channel, people):
        """Starts the gateway, posts one text from each of this many contacts and returns the memory before that."""
        self.gateway = channel.gateway()
        before = self.memory("VmRSS")
        for number in range(people):
            headers, body = signed(channel.url + WEBHOOK, genuine_text(10 * number))
            self.assertEqual(request("POST", channel.url + WEBHOOK, body, headers), (200, EMPTY))
        return before

    def memory_stays_flat(self, before, name):
        grown = self.memory("VmHWM") - before
        report(f"{name}: memory at most +{grown / 2**20:.1f} MiB")
        self.assertLess(grown, self.MOST_MEMORY)
        self.assertIsNone(self.gateway.process.poll(), "the gateway goes on")

    def test_the_api_answers_without_end(self):
        for framing in ("length", "chunks", "close"):
            with self.subTest(framing=framing):
                api = EndlessApi(framing)
                self.addCleanup(api.stop)
                channel = Channel(self, api.url, name=f"endless-{framing}")
                before = self.people_write(channel, self.PEOPLE)
                eventually(lambda: api.cut["POST"] >= self.PEOPLE, 60, "the end of eight endless answers")
                self.memory_stays_flat(before, f"endless answers of the API, by {framing}")
                self.gateway.stop()

    def test_an_agent_prints_without_end(self):
        twilio = Twilio(self)
        endless = {
            "words": ("yes word", 1), "zeros": ("cat /dev/zero", 1), "thoughts": ("yes '<think>'", self.PEOPLE),
            "line": ("yes | tr -d '\\n'", 1),
        }  # fmt: skip
        for name, (program, people) in endless.items():
            with self.subTest(prints=name):
                asked = self.folder / f"asked-{name}"
                command = f"echo asked >>'{asked}'; {program}"
                channel = Channel(self, twilio.url, {"agent": {"kind": "command", "command": command}}, name=name)
                before = self.people_write(channel, people)
                eventually(asked.exists, 60, "the agent to be asked")
                rests = lambda: not {"acknowledged", "waiting", "answering"} & set(channel.in_flight())
                eventually(rests, 120, "the end of an agent that prints without end")
                self.memory_stays_flat(before, f"an agent that prints {name} without end")
                self.gateway.stop()


class EndlessApi:
    """An API that answers every request with endless JSON."""

    def __init__(self, framing):
        self.cut = collections.Counter()
        cut, piece = self.cut, b'{"messages": [' + b'"' + b"x" * 2**20

        class Answers(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0" if framing == "close" else "HTTP/1.1"

            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(200 if self.command == "GET" else 201)
                self.send_header("Content-Type", "application/json")
                if framing == "length":
                    self.send_header("Content-Length", str(2**40))
                elif framing == "chunks":
                    self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                try:
                    # Ends after 4 GiB, so that a client without a limit fails the test instead of the machine.
                    for _ in range(4096):
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if framing == "chunks" else piece)
                except OSError:
                    cut[self.command] += 1
                self.close_connection = True

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def run_attack(attack, port, arguments, answers):
    """Runs in a separate process."""
    signal.alarm(120)
    deadline = time.monotonic() + SECONDS
    seen = collections.Counter()
    asyncio.run(attack(Target(port, deadline, seen), *arguments))
    answers.put(seen)


class Target:
    """The gateway as attackers see it."""

    def __init__(self, port, deadline, seen):
        self.port, self.deadline, self.seen = port, deadline, seen
        self.random = random.Random(20261123)

    def is_over(self):
        return time.monotonic() > self.deadline

    async def connect(self, source=None):
        source = source or self.random.choice(ATTACKERS)
        assert source.startswith("127.")
        opening = asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
        return await asyncio.wait_for(opening, max(0.1, self.deadline - time.monotonic()))

    async def answered(self, reader, writer, within=5):
        """Counts the answer's status, or the way in which the connection ended."""
        try:
            line = await asyncio.wait_for(reader.readline(), within)
            words = line.split()
            self.seen[words[1].decode() if len(words) > 1 else "closed"] += 1
        except (ConnectionError, asyncio.TimeoutError) as error:
            self.seen["closed" if isinstance(error, ConnectionError) else "silence"] += 1
        finally:
            writer.close()

    async def send(self, data, source=None):
        """Sends one request over a new connection and counts the answer."""
        try:
            reader, writer = await self.connect(source)
            writer.write(data)
        except (OSError, asyncio.TimeoutError):
            self.seen["not taken"] += 1
            return
        await self.answered(reader, writer)

    async def flood(self, requests, most, at_a_time=64):
        """Sends up to `most` requests from `requests` within the time limit."""
        left = iter(range(most))

        async def work():
            while not self.is_over() and next(left, None) is not None:
                await self.send(requests())

        await asyncio.gather(*(work() for _ in range(at_a_time)))


def head_of(path, headers, method="POST"):
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def whole(path, headers, body, method="POST"):
    return head_of(path, {**headers, "Content-Length": len(body)}, method) + body


FORGED = {**FORM, "X-Twilio-Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}


async def idle_connections(target, count, sources):
    """Opens `count` connections and sends nothing."""
    count = min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)
    connections = []
    for n in range(count):
        connection = socket.socket()
        connection.setblocking(False)
        connection.bind((sources[n % len(sources)], 0))
        target.seen["opened" if connection.connect_ex(("127.0.0.1", target.port)) in (0, 115) else "not taken"] += 1
        connections.append(connection)
        if n % 50 == 0:
            await asyncio.sleep(0.005)
    while not target.is_over():
        await asyncio.sleep(0.05)
    for connection in connections:
        connection.close()


async def slow(target, count, head, piece):
    """Sends `count` endless requests, one piece every 200 ms."""

    async def one():
        try:
            _, writer = await target.connect()
            writer.write(head)
            while not target.is_over():
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.2)
            target.seen["held"] += 1
            writer.close()
        except (OSError, asyncio.TimeoutError):
            target.seen["closed"] += 1

    await asyncio.gather(*(one() for _ in range(count)))


async def deaf(target, count):
    """Sends many requests over one connection and never reads the answers."""
    requests = whole(WEBHOOK, FORM, b"x") * 2000

    async def one():
        try:
            _, writer = await target.connect()
            while not target.is_over():
                writer.write(requests)
                await asyncio.wait_for(writer.drain(), 1)
            writer.close()
        except (OSError, asyncio.TimeoutError):
            pass
        target.seen["ended"] += 1

    await asyncio.gather(*(one() for _ in range(count)))


async def giant_bodies(target):
    """Sends bodies far over the limit, with and without a length, and small ones that decompress to giants."""
    bomb = zlib.compress(b"a" * 50_000_000, 9, wbits=31)
    endless = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"

    async def stream(headers, piece):
        try:
            reader, writer = await target.connect()
            writer.write(head_of(WEBHOOK, {**FORGED, **headers}))
            answer = asyncio.ensure_future(target.answered(reader, writer))
            for _ in range(400):
                writer.write(piece)
                await writer.drain()
                if answer.done() or target.is_over():
                    break
            await answer
        except (OSError, asyncio.TimeoutError):
            target.seen["closed"] += 1

    while not target.is_over():
        streams = [stream({"Content-Length": 10**10}, b"a" * 65536) for _ in range(20)]
        streams += [stream({"Transfer-Encoding": "chunked"}, endless) for _ in range(20)]
        for coding in ("gzip", "deflate", "br", "gzip, gzip"):
            streams += [target.send(whole(WEBHOOK, {**FORGED, "Content-Encoding": coding}, bomb))]
        await asyncio.gather(*streams)


async def header_floods(target):
    """Sends very many headers, very long ones, and endless ones."""

    def one():
        kind = target.random.randrange(4)
        if kind == 0:
            return head_of(WEBHOOK, {f"X-{n}": "y" for n in range(5000)})
        if kind == 1:
            return head_of(WEBHOOK, {"X-Long": "y" * 1_000_000})
        if kind == 2:
            return head_of(WEBHOOK, {**FORM, "X-Twilio-Signature": "y" * 12_000, "X-Forwarded-For": "1.1.1.1," * 300})
        return head_of("/" + "a" * 100_000, FORM)

    await target.flood(one, 5000)


async def tricky_paths(target):
    """Requests variants of our paths, and neighboring paths."""
    paths = [
        "//telephony/webhook", "/telephony//webhook", "/telephony/./webhook", "/telephony/../telephony/webhook",
        "/telephony/webhook/", "/telephony/webhook/..", "/telephony/%77ebhook", "/telephony%2fwebhook", "/telephony",
        "/TELEPHONY/WEBHOOK", "/telephony/webhook%00", "/telephony/webhook;a=b", "/telephony\\webhook", "*", "?", "/",
        "/telephony/webhook%0d%0aX-A:b", "/../../etc/passwd", "/.env", "/_simulator/log", "/health/", "/metrics",
        "http://evil.example/telephony/webhook", "evil.example:443", "/telephony/webhook#x", "/telephony/status?part=1",
    ]  # fmt: skip
    methods = ["POST", "GET", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PRI", "post"]
    for path in paths:
        await asyncio.gather(*(target.send(whole(path, FORGED, b"Body=x", method)) for method in methods))
    while not target.is_over():
        await asyncio.sleep(0.05)


async def smuggled(target):
    """Sends requests that one parser reads as one and another as two."""
    inner = whole(WEBHOOK, FORGED, b"Body=x")
    lengths = [
        {"Content-Length": 0, "Transfer-Encoding": "chunked"}, {"Content-Length": "5, 6"}, {"Content-Length": "+5"},
        {"Content-Length": "-1"}, {"Content-Length": "0x5"}, {"Content-Length": 2**64}, {"Transfer-Encoding": "xchunked"},
        {"Transfer-Encoding": "chunked, identity"}, {"Transfer-Encoding ": "chunked"}, {"Content-Length": "5\n"},
    ]  # fmt: skip
    while not target.is_over():
        heads = [head_of(WEBHOOK, {**FORGED, **length}) for length in lengths]
        heads += [head_of(WEBHOOK, {**FORGED, "Upgrade": "h2c", "Connection": "Upgrade"}), b"POST /telephony/webhook\r\n\r\n"]
        await asyncio.gather(*(target.send(head + b"0\r\n\r\n" + inner) for head in heads))


async def random_bytes(target):
    """Sends noise, other protocols, and requests with a few changed bytes."""
    good = whole(WEBHOOK, FORGED, b"Body=x&From=%2B15550005678")
    others = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-x\r\n", b"\x05\x01\x00",
        b"\x00" * 4000, b"\r\n" * 4000, b"GET / HTTP/9.9\r\n\r\n", b"EHLO x\r\n",
    ]  # fmt: skip

    def one():
        kind = target.random.randrange(3)
        if kind == 0:
            return target.random.choice(others) + b"\r\n\r\n"
        if kind == 1:
            return target.random.randbytes(target.random.randrange(1, 3000)) + b"\r\n\r\n"
        changed = bytearray(good)
        for _ in range(target.random.randrange(1, 6)):
            changed[target.random.randrange(len(changed))] = target.random.randrange(256)
        return bytes(changed) + b"\r\n\r\n"

    await target.flood(one, 3000)


async def forged_flood(target):
    """Sends as many different forged texts as time allows."""

    def one():
        body = urllib.parse.urlencode(text("x", Body=target.random.randbytes(100).hex())).encode()
        return whole(WEBHOOK, {**FORGED, "X-Twilio-Signature": signature("x", {})}, body)

    await target.flood(one, 20_000)


async def dear_forgeries(target):
    """Sends forms of 64 KiB with as many parameters as fit, one name repeated, in the worst order."""
    forms = [
        b"&".join(b"%04x" % n for n in range(13_000, 0, -1)), b"a&" * 32_000, b"&" * 65_000, b"%41" * 21_000,
        b"&".join(b"a=%05d" % n for n in range(8000, 0, -1)), b"Body=" + b"%F0%9F%98%80" * 5400, b"=" * 65_000,
    ]  # fmt: skip
    json = {**FORGED, "Content-Type": "application/json"}

    def one():
        path = WEBHOOK + target.random.choice(["", "?bodySHA256=0", "?" + "a&" * 3000])
        headers = target.random.choice([FORGED, FORGED, FORGED, json])
        return whole(path, headers, target.random.choice(forms))

    await target.flood(one, 2000)


async def replays(target, headers, body):
    """Repeats the same genuine request."""
    await target.flood(lambda: whole(WEBHOOK, headers, body), 2000, at_a_time=16)


if __name__ == "__main__":
    main()
