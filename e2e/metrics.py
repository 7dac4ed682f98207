"""Prometheus' own parser reads the gateway's metrics, and the numbers add up.

Run it with e2e/run.sh metrics.py.
"""

import re

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from harness import HERE, WEBHOOK, Case, Channel, Twilio, eventually, main, request

REFERENCE = HERE.parent / "docs/reference/metrics.md"


class Metrics(Case):
    def setUp(self):
        self.twilio = Twilio(self)
        self.channel = Channel(self, self.twilio.url)
        self.channel.change({"metrics": {"port": 0}})
        self.channel.gateway()
        self.twilio.deliver_to(self.channel.url + WEBHOOK)
        running = lambda: self.channel.read("telephony", "status")["gateway"]
        self.address = eventually(running, what="the gateway's own word")["metrics"]

    def families(self):
        """Parses a page; the parser is strict about names, types, order and the end."""
        status, page = request("GET", f"http://{self.address}/metrics")
        self.assertEqual(status, 200, page)
        return {family.name: family for family in text_string_to_metric_families(page)}

    def value(self, family, name, **labels):
        samples = self.families()[family].samples
        found = [sample.value for sample in samples if sample.name == name and sample.labels == labels]
        self.assertEqual(len(found), 1, f"{name} {labels} in {samples}")
        return found[0]

    def test_the_numbers_follow_a_conversation(self):
        received = "openclaw_telephony_messages_received"
        for body in ("one", "two"):
            self.assertEqual(self.twilio.text(body)["status"], 200)
        eventually(lambda: self.twilio.bodies() == ["one", "two"], what="two answers")
        eventually(lambda: self.value(received, received + "_total", outcome="waiting") == 2, what="both texts counted")
        webhooks = "openclaw_telephony_webhooks"
        status, _ = request("POST", self.channel.url + WEBHOOK, b"Body=forged")
        self.assertEqual(status, 403)
        is_counted = lambda: self.value(webhooks, webhooks + "_total", outcome="unsigned") == 1
        eventually(is_counted, what="the forgery counted")
        turns = "openclaw_telephony_turn_seconds"
        answered = lambda: self.value(turns, turns + "_count", outcome="answered") == 2
        eventually(answered, what="both turns counted")
        memory = "process_resident_memory_bytes"
        self.assertGreater(self.value(memory, memory), 1024 * 1024)

    def test_the_reference_names_what_is_there(self):
        named = set(re.findall(r"^\| `([a-z_]+)`", REFERENCE.read_text(), re.MULTILINE))
        families = self.families().values()
        suffix = {"counter": "_total", "info": "_info"}
        there = {family.name + suffix.get(family.type, "") for family in families}
        self.assertEqual(there, named)

    def test_the_public_port_has_none_of_it(self):
        self.assertEqual(request("GET", self.channel.url + "/metrics")[0], 404)
        self.assertEqual(request("GET", f"http://{self.address}/health")[0], 404)


if __name__ == "__main__":
    main()
