"""aimock, an independent stand-in for OpenAI, answers texts: well, in pieces, with errors and not at all.

Run it with e2e/run.sh peers/aimock.py.
"""

import json

from harness import HERE, PHONE, WEBHOOK, Case, Channel, Program, Twilio, eventually, free_port, main, request

PEERS = HERE / "peers/node_modules"
WHOLE = "An answer in many pieces, all of which arrive: é, 💬 and the end."
FIXTURES = [
    {"match": {"userMessage": "once more", "turnIndex": 1}, "response": {"content": "This is our second turn."}},
    {"match": {"userMessage": "hello"}, "response": {"content": WHOLE}},
    {"match": {"userMessage": "in halves", "sequenceIndex": 0}, "response": {"content": WHOLE}, "truncateAfterChunks": 3},
    {"match": {"userMessage": "in halves"}, "response": {"content": "Whole."}},
    {"match": {"userMessage": "spent"},
     "response": {"error": {"message": "You are out", "code": "insufficient_quota"}, "status": 429}},
]  # fmt: skip


class Aimock:
    """Starts aimock as a separate process; it writes three characters at a time."""

    def __init__(self, test):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        fixtures = test.folder / "fixtures.json"
        fixtures.write_text(json.dumps({"fixtures": FIXTURES}))
        node, program = PEERS / "node/bin/node", PEERS / "@copilotkit/aimock/dist/cli.js"
        self.program = Program(
            test, "aimock", [node, program, "--port", str(port), "--fixtures", fixtures, "--chunk-size", "3"]
        )
        self.program.answers(f"{self.url}/v1/models")

    def misbehave(self, **rates):
        status, text = request(
            "POST", f"{self.url}/__aimock/chaos", json.dumps(rates).encode(), {"Content-Type": "application/json"}
        )
        assert status == 200, f"{rates} was answered {status}: {text}"

    def behave(self):
        assert request("DELETE", f"{self.url}/__aimock/chaos")[0] == 200


class Answered(Case):
    def setUp(self):
        self.twilio, self.model = Twilio(self), Aimock(self)
        agent = {"kind": "openai", "baseUrl": f"{self.model.url}/v1", "apiKey": "sk-a-secret", "model": "any"}
        self.channel = Channel(self, self.twilio.url, {"agent": agent})
        self.gateway = self.channel.gateway()
        self.twilio.deliver_to(self.channel.url + WEBHOOK)

    def tearDown(self):
        self.assertNotIn("sk-a-secret", self.gateway.output())

    def hears(self, *answers):
        eventually(lambda: len(self.twilio.bodies(PHONE)) >= len(answers), what=f"{answers}")
        self.assertEqual(self.twilio.bodies(PHONE), list(answers))

    def test_a_model_answers_and_gets_the_history(self):
        self.twilio.text("hello")
        self.hears(WHOLE)
        self.twilio.text("once more")
        self.hears(WHOLE, "This is our second turn.")

    def test_half_an_answer_is_not_sent(self):
        self.twilio.text("in halves")
        self.hears("Whole.")
        self.assertIn("a turn failed", self.gateway.output())

    def test_a_server_in_trouble_is_asked_again(self):
        for number, trouble in enumerate(("dropRate", "malformedRate", "disconnectRate", "rateLimitRate"), 1):
            failures = self.gateway.output().count("a turn failed")
            self.model.misbehave(**{trouble: 1})
            self.twilio.text("hello")
            eventually(lambda: self.gateway.output().count("a turn failed") > failures, what=f"a failure by {trouble}")
            self.model.behave()
            self.hears(*[WHOLE] * number)

    def test_an_account_without_credit_ends_the_turn(self):
        self.twilio.text("spent")
        (dead,) = eventually(lambda: self.channel.read("telephony", "messages", "--dead"), what="the end of the turn")
        self.assertIn("no credit left", dead["reason"])


if __name__ == "__main__":
    main()
