"""What goes wrong around the program: a second gateway, a taken port, a bad configuration, a disk that gives up.

Run it with e2e/run.sh misfortune.py. The tests with a disk need root, to mount a small one; else they are skipped.
"""

import os
import re
import subprocess

from harness import PHONE, WEBHOOK, Case, Channel, Twilio, eventually, main


class Misfortune(Case):
    def setUp(self):
        self.twilio = Twilio(self)
        self.channel = Channel(self, self.twilio.url)
        self.twilio.deliver_to(self.channel.url + WEBHOOK)

    def refuses_to_start(self, *words):
        """The gateway ends with 1 and says each of `words` on stderr."""
        ended = self.channel.run("gateway")
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertEqual(ended.stdout, "")
        for word in ("error: ", *words):
            self.assertIn(word, ended.stderr)
        self.assertNotIn("panicked", ended.stderr)
        return ended.stderr

    def acknowledged(self, body):
        """Posts a text until it is acknowledged."""
        delivery = self.twilio.text(body)
        if delivery["status"] != 200:
            self.acknowledged_at_last(delivery["sid"])

    def acknowledged_at_last(self, sid):
        again = lambda: self.twilio.control(f"redeliver/{sid}")["status"] == 200
        eventually(again, what=f"the acknowledgement of {sid}")

    def answered(self, *bodies):
        eventually(lambda: self.twilio.bodies() == list(bodies), what=f"answers {bodies}")


class Start(Misfortune):
    def test_a_second_gateway_on_the_same_folder_is_refused(self):
        first = self.channel.gateway()
        second = Channel(self, self.twilio.url, name="second")
        second.state = self.channel.state
        ended = second.run("gateway")
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("hint: ", ended.stderr)
        self.assertIn("gateway", ended.stderr)
        self.assertIsNone(first.process.poll())
        self.acknowledged("still there")
        self.answered("still there")

    def test_after_a_crash_the_folder_is_free_again(self):
        self.channel.gateway().kill()
        self.channel.gateway()
        self.acknowledged("back again")
        self.answered("back again")

    def test_a_taken_port_is_named(self):
        other = Channel(self, self.twilio.url, name="other")
        other.gateway()
        self.channel.change({"serve": {"port": other.port}})
        self.refuses_to_start(str(other.port), "hint: ")

    def test_a_bad_configuration_is_told_with_line_and_column(self):
        self.channel.change({"fromNumber": "5550001234", "serve": {"prot": 1}, "inboundPolicy": "everyone"})
        told = self.refuses_to_start("fromNumber", "serve.prot", "did you mean `port`?", "inboundPolicy", "pairing")
        self.assertEqual(len(re.findall(re.escape(str(self.channel.config)) + r":\d+:\d+: ", told)), 3, told)

    def test_broken_json_is_told_with_line_and_column(self):
        self.channel.config.write_text("{channels: {telephony: {enabled: true,,}}}")
        self.assertRegex(self.refuses_to_start(), r"gateway\.json:1:\d+")

    def test_a_missing_configuration_is_told(self):
        self.channel.config.unlink()
        self.refuses_to_start(str(self.channel.config))

    def test_a_channel_that_is_off_does_not_start(self):
        self.channel.change({"enabled": False})
        self.refuses_to_start("enabled")

    def test_secrets_are_not_told(self):
        self.channel.change(
            {"twilio": {"accountSid": "AC1", "authToken": "hunter2-the-token"}, "publicUrl": "nonsense"}
        )
        self.assertNotIn("hunter2", self.refuses_to_start("accountSid", "publicUrl"))

    def test_commands_used_wrongly_end_with_2(self):
        for words in (["telephony", "send"], ["telephony", "send", "12", "x"], ["nonsense"], ["gateway", "--nonsense"]):
            self.assertEqual(self.channel.run(*words).returncode, 2, words)


class Disk(Misfortune):
    """The state folder is on a disk of its own, as small as a store needs."""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0 or self.mount("-t", "tmpfs", "-o", "size=8m,mode=700", "none").returncode != 0:
            self.skipTest("a disk cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.channel.state], check=True)

    def mount(self, *options):
        return subprocess.run(["mount", *options, self.channel.state], capture_output=True)

    def fill(self):
        """Leaves no room on the disk; what frees it again."""
        ballast = self.channel.state / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        return ballast.unlink

    def store(self):
        """The files of the message store."""
        return [path for path in self.channel.state.rglob("*") if "sqlite" in path.name]

    def test_a_full_disk_costs_no_text(self):
        gateway = self.channel.gateway()
        self.acknowledged("before")
        self.answered("before")
        free = self.fill()
        while self.twilio.text("filler " + "x" * 1500, "+15550009999")["status"] == 200:
            pass
        refused = self.twilio.text("while it is full")
        self.assertEqual(refused["status"], 503)
        self.assertIsNone(gateway.process.poll(), "the gateway goes on")
        self.assertIn("full", gateway.output())
        self.assertEqual(self.channel.run("telephony", "send", PHONE, "from a command").returncode, 1)
        free()
        self.acknowledged_at_last(refused["sid"])
        self.answered("before", "while it is full")

    def test_a_disk_that_was_full_at_the_start_is_told(self):
        self.fill()
        self.refuses_to_start("full", "hint: ")

    def test_a_read_only_disk_is_told(self):
        self.channel.gateway().stop()
        self.assertEqual(self.mount("-o", "remount,ro").returncode, 0)
        self.refuses_to_start("hint: ")
        ended = self.channel.run("telephony", "send", PHONE, "Hello")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("hint: ", ended.stderr)

    def test_without_its_store_no_text_is_acknowledged(self):
        gateway = self.channel.gateway()
        self.acknowledged("before")
        self.answered("before")
        for path in self.store():
            path.unlink()
        self.assertNotEqual(self.twilio.text("lost?")["status"], 200)
        self.assertIsNone(gateway.process.poll(), "the gateway goes on")
        gateway.stop()
        self.channel.gateway()
        self.acknowledged("with a new store")

    def test_a_damaged_store_is_told_and_kept(self):
        self.channel.gateway().stop()
        (store,) = [path for path in self.store() if path.name.endswith("sqlite")]
        store.write_bytes(b"this is no database, " * 1000)
        self.refuses_to_start("hint: ")
        self.assertTrue(store.read_bytes().startswith(b"this is no database, "))


if __name__ == "__main__":
    main()
