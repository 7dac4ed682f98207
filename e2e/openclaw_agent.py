"""Texts answered by the real OpenClaw, whose model is a stand-in that reports its input.

OPENCLAW_DIR names a folder in which `npm i node@24` and then, with that node in PATH, `npm i openclaw@2026.9.6` were run;
without it the suite is skipped. Run it with e2e/run.sh openclaw_agent.py.
"""

import http.server
import json
import os
import pathlib
import re
import threading
import unittest

from harness import WEBHOOK, Case, Channel, Program, Twilio, eventually, free_port, main, request

GATEWAY_TOKEN = "a-token-for-tests"
HERE, THERE = "+15550001111", "+15550002222"
A_START, A_TURN = 300, 180


class Model(http.server.BaseHTTPRequestHandler):
    """A chat completions server: reports the names it has heard and its tools, or fails on request."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        spoken = json.dumps([message for message in body["messages"] if message["role"] in ("user", "assistant")])
        if "BREAK DOWN" in spoken:
            self.send_error(400)
        else:
            names = dict.fromkeys(re.findall("ALPHA|BRAVO|CHARLIE", spoken))
            tools = [tool["function"]["name"] for tool in body.get("tools", [])]
            self.answer(f"heard {' '.join(names)}" + (", can run programs" if "exec" in tools else ""))

    def answer(self, text):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for delta, reason in (({"role": "assistant", "content": text}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_):
        pass


class OpenClaw:
    """Starts the real OpenClaw with its own home folder."""

    def __init__(self, test, chat_completions, **agents):
        model = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
        test.addCleanup(model.server_close)
        test.addCleanup(model.shutdown)
        threading.Thread(target=model.serve_forever, daemon=True).start()
        self.home = test.folder / "home"
        self.home.mkdir()
        self.port, self.model_port, self.agents = free_port(), model.server_port, agents
        self.url = f"http://127.0.0.1:{self.port}"
        self.configure(chat_completions)
        installed = pathlib.Path(os.environ["OPENCLAW_DIR"], "node_modules")
        command = [installed / "node/bin/node", installed / "openclaw/openclaw.mjs", "gateway", "run"]
        places = {"HOME": "", "OPENCLAW_HOME": "", "OPENCLAW_STATE_DIR": "", "OPENCLAW_CONFIG_PATH": "openclaw.json"}
        environment = {name: str(self.home / place) for name, place in places.items()}
        self.program = Program(test, "openclaw", command, environment, self.home)
        test.addCleanup(self.program.kill)
        self.program.answers(f"{self.url}/readyz", within=A_START)

    def configure(self, chat_completions):
        everything = settings(self.port, self.model_port, chat_completions, self.agents, self.home)
        (self.home / "openclaw.json").write_text(json.dumps(everything))

    def open_endpoint(self):
        """Follows step 2 of the guide and waits until it takes effect."""
        self.configure(chat_completions=True)
        is_open = lambda: request("POST", f"{self.url}/v1/chat/completions")[0] == 401
        eventually(is_open, A_START, "the endpoint")


def settings(port, model, chat_completions, agents, home):
    free = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}
    stand_in = {"id": "m", "name": "m", "reasoning": False, "input": ["text"], "cost": free,
                "contextWindow": 128000, "maxTokens": 4096}  # fmt: skip
    provider = {"baseUrl": f"http://127.0.0.1:{model}/v1", "apiKey": "none", "api": "openai-completions",
                "models": [stand_in]}  # fmt: skip
    defaults = {"model": {"primary": "stand-in/m"}, "skipBootstrap": True, "workspace": str(home / "workspace")}
    return {
        "gateway": {
            "mode": "local",
            "bind": "loopback",
            "port": port,
            "auth": {"mode": "token", "token": GATEWAY_TOKEN},
            "http": {"endpoints": {"chatCompletions": {"enabled": chat_completions}}},
        },
        "models": {"mode": "replace", "providers": {"stand-in": provider}},
        "agents": {"defaults": defaults, **agents},
        "logging": {"file": str(home / "openclaw.log")},
    }


@unittest.skipUnless("OPENCLAW_DIR" in os.environ, "OPENCLAW_DIR is not set: the real OpenClaw is not asked")
class Answered(Case):
    def start(self, openclaw, **agent):
        """A number whose texts `openclaw` answers."""
        self.twilio = Twilio(self)
        agent = {"kind": "openclaw", "baseUrl": openclaw.url, "token": GATEWAY_TOKEN, **agent}
        self.channel = Channel(self, self.twilio.url, {"agent": agent})
        self.gateway = self.channel.gateway()
        self.twilio.deliver_to(self.channel.url + WEBHOOK)

    def restart(self, **agent):
        self.gateway.stop()
        self.channel.change({"agent": agent})
        self.gateway = self.channel.gateway()

    def answer(self, text, phone=HERE):
        """Sends a text and waits for the answer."""
        before = len(self.heard(phone))
        self.twilio.text(text, phone)
        return eventually(lambda: self.heard(phone)[before:], A_TURN, f"the answer to {text}")[0]

    def heard(self, phone):
        """Returns the model's answers to a phone, without the message that there is none yet."""
        return [body for body in self.twilio.bodies(phone) if body.startswith("heard")]

    def refusal(self, text):
        """Sends a text that will not be answered and returns the reason."""
        self.twilio.text(text, HERE)
        return self.given_up(1)

    def given_up(self, count):
        """Returns the reason why the newest of `count` turns failed."""
        (newest, *_) = eventually(lambda: self.dead(count), A_TURN, f"the end of {count} turn(s)")
        return newest["reason"]

    def dead(self, count):
        """Returns the failed turns, newest first, once there are `count`."""
        failed = self.channel.read("telephony", "messages", "--dead")
        dead = [turn for turn in failed if turn["state"] == "dead"]
        return dead if len(dead) >= count else []

    def test_a_number_continues_its_own_conversation_and_no_other(self):
        openclaw = OpenClaw(self, chat_completions=False)
        self.start(openclaw)
        self.assertIn("gateway.http.endpoints.chatCompletions", self.refusal("ALPHA"))
        openclaw.open_endpoint()
        self.channel.done("telephony", "messages", "--retry", "1")
        (answer,) = eventually(lambda: self.heard(HERE), A_TURN, "the answer after all")
        self.assertIn("heard ALPHA", answer)
        self.assertIn("heard ALPHA BRAVO", self.answer("BRAVO"))
        self.assertIn("heard CHARLIE", self.answer("CHARLIE", THERE))

    def test_one_of_several_agents_must_be_chosen_and_keeps_its_limits(self):
        self.start(OpenClaw(self, chat_completions=True, entries={"main": {}, "phone": {"tools": {"deny": ["*"]}}}))
        self.assertIn("agent.agentId", self.refusal("ALPHA"))
        self.restart(agentId="main")
        self.assertEqual(self.answer("ALPHA"), "heard ALPHA, can run programs")
        self.restart(agentId="phone")
        self.assertEqual(self.answer("BRAVO"), "heard BRAVO")
        self.twilio.text("BREAK DOWN", HERE)
        eventually(lambda: "failed while answering" in self.gateway.output(), A_TURN, "an attempt that failed")
        self.assertEqual(len(self.heard(HERE)), 2)
        self.restart(token="wrong")
        self.assertIn("agent.token", self.given_up(2))


if __name__ == "__main__":
    main()
