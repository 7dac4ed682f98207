"""Failures around the program: a second gateway, a taken port, a bad configuration, a failing disk.

Commands run during all of it: each does what it can, or says why not and what to do. Run it with e2e/run.sh
misfortune.py. The disk is a stand-in (machine.c) and, if root can mount one, also a real one.
"""

import json
import os
import re
import sqlite3
import subprocess
import threading
import time

from harness import PHONE, WEBHOOK, Case, Channel, Machine, Program, Twilio, eventually, main, request

# Commands that only read.
LOOKING = [
    ("telephony", "messages", "--limit", "100"),
    ("telephony", "conversation", PHONE),
    ("telephony", "status"),
    ("pairing", "list", "telephony"),
    ("telephony", "optouts"),
    ("telephony", "costs"),
    ("telephony", "export", PHONE),
]
FRIEND = "+15550009999"


class Misfortune(Case):
    def setUp(self):
        self.twilio = Twilio(self)
        self.channel = Channel(self, self.twilio.url)
        self.twilio.deliver_to(self.channel.url + WEBHOOK)

    def refuses_to_start(self, *words):
        """Checks that the gateway exits with 1 and says each of `words` on stderr."""
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

    def told(self, words):
        eventually(lambda: words in self.gateway.output(), what=f"the log to say {words!r}")

    def answered(self, *bodies):
        """Checks that the phone got exactly these and that the gateway has nothing left to send."""
        eventually(lambda: len(self.twilio.bodies()) >= len(bodies), what=f"answers {bodies}")
        self.assertEqual(self.twilio.bodies(), list(bodies))

    def looking_works(self, *texts, can_store=True):
        """Checks that reading commands succeed and show these messages, and that `status` reports the problem."""
        if can_store:
            eventually(lambda: self.channel.run("telephony", "status").returncode == 0, what="a good status")
        else:
            ended = self.channel.run("telephony", "status")
            self.assertEqual(ended.returncode, 1, ended)
            self.assertIn("MESSAGES CANNOT BE STORED", ended.stdout)
        for command in LOOKING:
            if command[1] == "status":
                continue
            shown = self.channel.done(*command)
            if command[1] in ("messages", "conversation", "export"):
                for text in texts:
                    self.assertIn(text, shown, command)
        self.assertTrue(self.channel.read("telephony", "config", "check")["ok"])

    def refused(self, *command, words):
        """Checks that a command exits with 1, says each of `words`, and says what to do."""
        ended = self.channel.run(*command)
        self.assertEqual(ended.returncode, 1, f"{command}: {ended}")
        for word in ("error: ", "hint: ", *words):
            self.assertIn(word, ended.stderr, command)
        for mishap in ("panicked", "because: because", "nobody knows"):
            self.assertNotIn(mishap, ended.stderr, command)

    def sending_is_refused(self, *words):
        """Checks that nothing is stored either, so that it is not sent later by surprise."""
        self.refused("telephony", "send", FRIEND, "from a command", words=words)

    def doctor_finds(self, *words):
        ended = self.channel.run("telephony", "doctor", "--json")
        self.assertEqual(ended.returncode, 1, ended.stderr)
        (found,) = [each for each in json.loads(ended.stdout)["findings"] if each["id"] == "store-unusable"]
        for word in words:
            self.assertIn(word, found["detail"])

    def all_is_well(self, *bodies):
        """Checks that texts and commands work again, and that rejected ones do not reappear."""
        self.acknowledged("well again")
        self.answered(*bodies, "well again")
        self.assertIn("Sent: SM", self.channel.done("telephony", "send", FRIEND, "well again"))
        self.assertEqual(self.twilio.bodies(FRIEND), ["well again"])
        self.looking_works(*bodies, "well again")
        ended = self.channel.run("telephony", "doctor", "--json")
        self.assertNotIn("store-unusable", ended.stdout)


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
        self.all_is_well()

    def test_gateways_that_keep_starting_on_one_folder_do_no_harm(self):
        self.channel.gateway()
        others = [Channel(self, self.twilio.url, name=f"other{n}") for n in range(3)]
        for n in range(3):
            started = []
            for other in others:
                other.state = self.channel.state
                started.append(other.launch())
            self.acknowledged(f"text {n}")
            self.looking_works()
            for other in started:
                self.assertEqual(other.process.wait(20), 1, other.output())
        self.all_is_well("text 0", "text 1", "text 2")

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

    def test_a_bad_configuration_is_reported_with_line_and_column(self):
        self.channel.change({"fromNumber": "5550001234", "serve": {"prot": 1}, "inboundPolicy": "everyone"})
        told = self.refuses_to_start("fromNumber", "serve.prot", "did you mean `port`?", "inboundPolicy", "pairing")
        self.assertEqual(len(re.findall(re.escape(str(self.channel.config)) + r":\d+:\d+: ", told)), 3, told)

    def test_broken_json_is_reported_with_line_and_column(self):
        self.channel.config.write_text("{channels: {telephony: {enabled: true,,}}}")
        self.assertRegex(self.refuses_to_start(), r"gateway\.json:1:\d+")

    def test_a_missing_configuration_is_reported(self):
        self.channel.config.unlink()
        self.refuses_to_start(str(self.channel.config))

    def test_a_channel_that_is_off_does_not_start(self):
        self.channel.change({"enabled": False})
        self.refuses_to_start("enabled")

    def test_secrets_are_not_printed(self):
        self.channel.change(
            {"twilio": {"accountSid": "AC1", "authToken": "hunter2-the-token"}, "publicUrl": "nonsense"}
        )
        self.assertNotIn("hunter2", self.refuses_to_start("accountSid", "publicUrl"))

    def test_commands_used_wrongly_end_with_2(self):
        for words in (["telephony", "send"], ["telephony", "send", "12", "x"], ["nonsense"], ["gateway", "--nonsense"]):
            self.assertEqual(self.channel.run(*words).returncode, 2, words)


class Disk(Misfortune):
    """The disk of the state folder fills up or becomes read-only, and recovers, while the gateway runs or before."""

    def setUp(self):
        super().setUp()
        self.machine = Machine(self, self.channel)
        self.gateway = self.channel.gateway()
        self.acknowledged("before")
        self.answered("before")
        # An answer with an unrecorded outcome would block the next ones until it is looked up.
        eventually(lambda: not self.channel.in_flight(), what="rest")

    def refuses_texts(self):
        """Checks that a text is not acknowledged, so that Twilio retries it or reports the error."""
        refused = self.twilio.text("meanwhile")
        self.assertEqual(refused["status"], 503)
        self.assertIsNone(self.gateway.process.poll(), "the gateway goes on")
        return refused["sid"]

    def strikes_a_running_gateway(self, state, reason, *words):
        self.machine.disk(state)
        refused = self.refuses_texts()
        self.looking_works("before", can_store=False)
        status, health = request("GET", self.channel.url + "/health")
        self.assertEqual((status, json.loads(health)["reason"]), (503, reason))
        shown = self.channel.run("telephony", "status").stdout
        self.assertIn(f"running (pid {self.gateway.process.pid})", shown)
        for _ in range(20):
            self.refuses_texts()
        told = self.gateway.output().count("a webhook was not stored and not acknowledged")
        self.assertLessEqual(told, 2, "a line a minute")
        self.sending_is_refused(*words)
        self.doctor_finds(*words)
        self.machine.disk(Machine.WELL)
        self.acknowledged_at_last(refused)
        eventually(lambda: request("GET", self.channel.url + "/health")[0] == 200, what="good health")
        # Rejected texts also come from Twilio's list, some seconds later.
        self.answered("before", *["meanwhile"] * 21)
        self.all_is_well("before", *["meanwhile"] * 21)

    def strikes_where_no_gateway_runs(self, state, *words):
        self.machine.disk(state)
        self.looking_works("before", can_store=False)
        self.sending_is_refused(*words)
        self.doctor_finds(*words)
        self.refuses_to_start(*words, "hint: ")
        self.looking_works("before", can_store=False)
        self.machine.disk(Machine.WELL)
        self.gateway = self.channel.gateway()
        self.all_is_well("before")

    def test_it_is_full_under_a_running_gateway(self):
        self.strikes_a_running_gateway(Machine.FULL, "disk-full", "full")
        self.told("full")

    def test_it_is_read_only_under_a_running_gateway(self):
        self.strikes_a_running_gateway(Machine.READ_ONLY, "disk-fails", "not writable")

    def test_it_is_full_where_the_gateway_was_stopped(self):
        self.gateway.stop()
        self.strikes_where_no_gateway_runs(Machine.FULL, "full")

    def test_it_is_full_where_the_gateway_was_killed(self):
        self.gateway.kill()
        self.strikes_where_no_gateway_runs(Machine.FULL, "full")

    def test_it_is_read_only_where_the_gateway_was_stopped(self):
        self.gateway.stop()
        self.strikes_where_no_gateway_runs(Machine.READ_ONLY, "not writable")

    def test_it_is_read_only_where_the_gateway_was_killed(self):
        self.gateway.kill()
        self.strikes_where_no_gateway_runs(Machine.READ_ONLY, "not writable")

    def test_it_was_full_before_there_was_anything(self):
        self.gateway.stop()
        for path in self.channel.state.rglob("*"):
            if path.is_file():
                path.unlink()
        self.machine.disk(Machine.FULL)
        self.refuses_to_start("full", "hint: ")
        self.sending_is_refused("full")
        self.assertIn("[]", self.channel.done("telephony", "messages", "--json"))


class Store(Misfortune):
    """The store is deleted or damaged."""

    def setUp(self):
        super().setUp()
        self.gateway = self.channel.gateway()
        self.acknowledged("before")
        self.answered("before")

    def store(self):
        """Returns the files of the message store."""
        return [path for path in self.channel.state.rglob("*") if "sqlite" in path.name]

    def test_it_is_moved_away_and_put_back(self):
        aside = self.folder / "aside"
        aside.mkdir()
        for path in (moved := self.store()):
            path.rename(aside / path.name)
        refused = self.twilio.text("meanwhile")
        self.assertNotEqual(refused["status"], 200)
        for command in LOOKING:
            self.refused(*command, words=["is gone"])
        self.sending_is_refused("is gone")
        self.doctor_finds("is gone")
        self.assertIn("running", self.channel.run("telephony", "status").stdout)
        self.channel.done("telephony", "config", "check")
        self.assertEqual(self.store(), [], "nobody made another")
        for path in moved:
            (aside / path.name).rename(path)
        self.acknowledged_at_last(refused["sid"])
        self.all_is_well("before", "meanwhile")

    def test_without_it_no_text_is_acknowledged(self):
        for path in self.store():
            path.unlink()
        self.assertNotEqual(self.twilio.text("lost?")["status"], 200)
        self.assertIsNone(self.gateway.process.poll(), "the gateway goes on")
        gone = lambda: request("GET", self.channel.url + "/health")
        eventually(lambda: gone()[0] == 503, within=10, what="bad health")
        self.assertEqual(json.loads(gone()[1])["reason"], "store-gone")
        self.gateway.stop()
        self.refuses_to_start("the message store is gone", "opt-outs", "--accept-store")
        self.refused("telephony", "send", FRIEND, "from a command", words=["the message store is gone"])
        self.doctor_finds("the message store is gone")
        accepting = Program(
            self, "accepting", self.channel.command("gateway", "--accept-store"), self.channel.environment()
        )
        accepting.answers(f"{self.channel.url}/health")
        self.acknowledged("with a new store")
        accepting.stop()
        self.channel.gateway()
        self.acknowledged("known from now on")

    def test_another_one_in_its_place_is_noticed_and_refused(self):
        (store,) = [path for path in self.store() if path.name.endswith("sqlite")]
        other = Channel(self, self.twilio.url, name="other")
        other.gateway().stop()
        (theirs,) = other.state.rglob("*.sqlite")
        theirs.rename(store)
        eventually(lambda: request("GET", self.channel.url + "/health")[0] == 503, within=10, what="bad health")
        ended = self.channel.run("telephony", "status")
        self.assertEqual(ended.returncode, 1, ended)
        self.assertNotEqual(self.twilio.text("lost?")["status"], 200)
        self.gateway.stop()
        for path in self.store():
            if path.name.endswith(("-wal", "-shm")):
                path.unlink()
        self.refuses_to_start("is not the message store that was used before", "--accept-store")

    def test_the_journal_is_damaged_and_read_on(self):
        (store,) = [path for path in self.store() if path.name.endswith(".sqlite")]
        database = sqlite3.connect(store, isolation_level=None)
        self.addCleanup(database.close)
        database.execute("BEGIN EXCLUSIVE")
        for body in ("one", "damaged", "two"):
            self.assertEqual(self.twilio.text(body)["status"], 200)
        self.gateway.kill()
        database.execute("ROLLBACK")
        journal = store.with_name(store.name + "-arrivals")
        content = journal.read_bytes()
        journal.write_bytes(content.replace(b"damaged", b"damageD", 1))
        self.gateway = self.channel.gateway()
        eventually(lambda: len(self.twilio.bodies()) >= 4, what="all answers")
        self.assertEqual(sorted(self.twilio.bodies()), sorted(["before", "one", "damaged", "two"]))
        self.assertIn("journal of incoming messages is damaged in 1 place", self.channel.done("telephony", "status"))
        self.assertRegex(self.gateway.output(), r'skipped a damaged part of the journal","position":\d+,"length":\d+')
        findings = json.loads(self.channel.run("telephony", "doctor", "--json").stdout)["findings"]
        self.assertIn("journal-damaged", [found["id"] for found in findings])

    def test_a_damaged_store_is_reported_and_kept(self):
        self.gateway.stop()
        (store,) = [path for path in self.store() if path.name.endswith("sqlite")]
        store.write_bytes(b"this is no database, " * 1000)
        self.refuses_to_start("hint: ")
        for command in LOOKING:
            self.refused(*command, words=["damaged"])
        self.sending_is_refused("damaged")
        self.doctor_finds("damaged")
        self.assertTrue(store.read_bytes().startswith(b"this is no database, "))


class Database(Misfortune):
    """The disk works, but the database rejects all writes, or one text."""

    def setUp(self):
        super().setUp()
        self.gateway = self.channel.gateway()
        self.acknowledged("before")
        self.answered("before")
        (store,) = [path for path in self.channel.state.rglob("*") if path.name.endswith(".sqlite")]
        self.database = sqlite3.connect(store, isolation_level=None, check_same_thread=False)
        self.addCleanup(self.database.close)

    def test_texts_are_accepted_while_the_store_is_locked_and_answered_later(self):
        self.database.execute("BEGIN EXCLUSIVE")
        for body in ("one", "two"):
            self.assertEqual(self.twilio.text(body)["status"], 200)
        self.told("they stay in the journal, retrying")
        self.answered("before")
        self.database.execute("ROLLBACK")
        self.all_is_well("before", "one", "two")

    def test_a_gateway_killed_while_the_store_is_locked_loses_nothing(self):
        self.database.execute("BEGIN EXCLUSIVE")
        self.assertEqual(self.twilio.text("one")["status"], 200)
        self.gateway.kill()
        self.database.execute("ROLLBACK")
        self.gateway = self.channel.gateway()
        self.all_is_well("before", "one")

    def test_a_stop_is_acknowledged_only_once_it_is_applied(self):
        self.database.execute("BEGIN EXCLUSIVE")
        released = threading.Event()

        def release():
            released.set()
            self.database.execute("ROLLBACK")

        timer = threading.Timer(1, release)
        timer.start()
        self.addCleanup(timer.join)
        self.assertEqual(self.twilio.text("STOP")["status"], 200)
        self.assertTrue(released.is_set(), "it was acknowledged while nothing could be stored")
        self.assertIn(PHONE, self.channel.done("telephony", "optouts"))

    def test_a_stop_that_cannot_be_applied_in_time_is_applied_later(self):
        self.database.execute("BEGIN EXCLUSIVE")
        self.assertEqual(self.twilio.text("STOP")["status"], 503)
        self.database.execute("ROLLBACK")
        eventually(lambda: PHONE in self.channel.done("telephony", "optouts"), what="the opt-out")

    def test_what_one_person_says_keeps_its_order(self):
        self.poison("first")
        self.assertEqual(self.twilio.text("first")["status"], 200)
        self.assertEqual(self.twilio.text("second")["status"], 200)
        self.told("they stay in the journal, retrying")
        self.database.execute("DROP TRIGGER poison")
        self.all_is_well("before", "first", "second")

    def poison(self, text):
        self.database.execute(
            f"CREATE TRIGGER poison BEFORE INSERT ON inbound WHEN NEW.text = '{text}' "
            "BEGIN SELECT RAISE(ABORT, 'it is poisonous'); END"
        )

    def test_a_text_that_cannot_be_stored_blocks_no_others_and_is_found_later(self):
        self.poison("poison")
        self.assertEqual(self.twilio.text("poison")["status"], 200)
        self.acknowledged("behind it")
        self.answered("before", "behind it")
        self.told("skipped a message that cannot be stored")
        self.database.execute("DROP TRIGGER poison")
        self.gateway.stop()
        self.gateway = self.channel.gateway()
        self.answered("before", "behind it", "poison")
        self.all_is_well("before", "behind it", "poison")


class Stop(Misfortune):
    """The gateway has to stop while Twilio and agents hang."""

    AGENT = 'case "$(cat)" in *forever*) exec sleep 1000 ;; esac; echo answer'
    PHONES = [f"+155500{number:05}" for number in range(40)]
    # The promised limit, short enough for container managers that kill after 10 s.
    WITHIN = 8

    def setUp(self):
        super().setUp()
        self.channel.change({"maxConcurrentSessions": 100, "agent": {"kind": "command", "command": self.AGENT}})
        self.gateway = self.channel.gateway()

    def everything_hangs(self, fault):
        """Twilio answers none of 40 conversations, and the agent does not answer 5 more."""
        self.twilio.misbehave(fault)
        for phone in self.PHONES:
            self.assertEqual(self.twilio.text("hello", phone)["status"], 200)
        waiting = [f"+155511{number:05}" for number in range(5)]
        for phone in waiting:
            self.assertEqual(self.twilio.text("forever", phone)["status"], 200)
        hang = lambda flight: flight.get("answering", 0) == 5 and flight.get("sending", 0) > 0
        eventually(lambda: hang(self.channel.in_flight()), what="hanging requests and agents")
        return [*self.PHONES, *waiting]

    def stops_in_time_and_loses_nothing(self, fault):
        phones = self.everything_hangs(fault)
        started = time.monotonic()
        self.assertEqual(self.gateway.stop(), 0)
        self.assertLess(time.monotonic() - started, self.WITHIN)
        self.twilio.behave()
        self.channel.change({"agent": {"command": "cat >/dev/null; echo answer"}})
        self.gateway = self.channel.gateway()
        eventually(lambda: len(self.twilio.sent()) >= len(phones), 180, "an answer for each")
        eventually(lambda: not self.channel.in_flight(), 60, "rest")
        for phone in phones:
            self.assertEqual(self.twilio.bodies(phone), ["answer"], phone)

    def test_it_stops_in_time_while_requests_hang_that_twilio_accepted(self):
        self.stops_in_time_and_loses_nothing("hang-after-accepting")

    def test_it_stops_in_time_while_requests_hang_that_twilio_did_not_accept(self):
        self.stops_in_time_and_loses_nothing("hang-before-accepting")

    def test_hanging_requests_hold_up_another_conversation_for_15_s_at_most(self):
        self.everything_hangs("hang-after-accepting")
        # From now on Twilio answers again, except the requests that hang.
        self.twilio.behave()
        self.acknowledged("hello")
        eventually(lambda: self.twilio.bodies() == ["answer"], within=15, what="the answer beside requests that hang")


class FileSize(Misfortune):
    """The system limits file sizes, as `ulimit -f` does."""

    def test_it_costs_no_text_and_does_not_end_the_gateway(self):
        gateway = self.channel.gateway()
        self.acknowledged("before")
        self.answered("before")
        limit = lambda size: subprocess.run(["prlimit", f"--pid={gateway.process.pid}", f"--fsize={size}"], check=True)
        limit("4096:")
        words = "meanwhile " + "x" * 1200
        while self.twilio.text(words, FRIEND)["status"] == 200:
            pass
        refused = self.twilio.text(words)
        self.assertEqual(refused["status"], 503)
        self.assertIsNone(gateway.process.poll(), "the gateway goes on")
        eventually(lambda: "File too large" in gateway.output(), what="the reason in the log")
        limit("unlimited:")
        self.acknowledged_at_last(refused["sid"])
        self.answered("before", words)


class MountedDisk(Misfortune):
    """The same on a real disk of minimal size, if root can mount one."""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0 or self.mount("-t", "tmpfs", "-o", "size=8m,mode=700", "none").returncode != 0:
            self.skipTest("a disk cannot be mounted here: there is only the stand-in")
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.channel.state], check=True)

    def mount(self, *options):
        return subprocess.run(["mount", *options, self.channel.state], capture_output=True)

    def fill(self):
        """Fills the disk and returns a function that frees it."""
        ballast = self.channel.state / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        return ballast.unlink

    def test_a_full_disk_costs_no_text(self):
        gateway = self.channel.gateway()
        self.acknowledged("before")
        self.answered("before")
        free = self.fill()
        # The journal accepts whatever still fits, even when the database has no space left.
        for filler in ("filler " + "x" * 1500, "filler"):
            while self.twilio.text(filler, "+15550007777")["status"] == 200:
                pass
        refused = self.twilio.text("while it is full")
        self.assertEqual(refused["status"], 503)
        self.assertIsNone(gateway.process.poll(), "the gateway goes on")
        eventually(lambda: "full" in gateway.output(), what="the reason in the log")
        self.looking_works("before", can_store=False)
        self.sending_is_refused("full")
        free()
        self.acknowledged_at_last(refused["sid"])
        self.all_is_well("before", "while it is full")

    def test_a_full_disk_at_the_start_is_reported(self):
        self.fill()
        self.refuses_to_start("full", "hint: ")

    def test_a_read_only_disk_is_reported(self):
        self.channel.gateway().stop()
        self.assertEqual(self.mount("-o", "remount,ro").returncode, 0)
        self.refuses_to_start("hint: ")
        self.looking_works(can_store=False)
        self.sending_is_refused("not writable")


if __name__ == "__main__":
    main()
