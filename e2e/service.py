"""systemd accepts the program's unit and rates it as confined; the gateway reports its state to a service manager.

Run it with e2e/run.sh service.py. Needs systemd-analyze and systemd-notify's protocol, not a running systemd.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import unittest

from harness import Case, Channel, Program, eventually, main

UNIT = "openclaw-telephony.service"
# On systemd's scale from 0 to 10, a service without any confinement gets 9.6.
EXPOSURE = 3.0


@unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze on this machine")
class Unit(Case):
    def unit(self, *options):
        """Writes the unit to a file with a name that systemd accepts."""
        text = Channel(self, "http://127.0.0.1:1").done("telephony", "service", "install", "--dry-run", *options)
        file = self.folder / UNIT
        file.write_text(text)
        return str(file)

    def analyze(self, *arguments):
        ended = subprocess.run(["systemd-analyze", *arguments], text=True, capture_output=True, timeout=60)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        return ended

    def test_systemd_finds_nothing_wrong_with_the_unit_of_the_machine(self):
        verified = self.analyze("verify", "--man=no", self.unit("--system", "--user", "daemon"))
        self.assertEqual([line for line in verified.stderr.splitlines() if UNIT in line], [])

    def test_systemd_finds_nothing_wrong_with_the_unit_of_a_user(self):
        os.environ.setdefault("XDG_RUNTIME_DIR", str(self.folder))
        verified = self.analyze("--user", "verify", "--man=no", self.unit())
        self.assertEqual([line for line in verified.stderr.splitlines() if UNIT in line], [])

    def test_the_service_of_the_machine_is_confined(self):
        page = self.analyze("security", "--offline=true", "--no-pager", self.unit("--system", "--user", "daemon"))
        exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", page.stdout)[1])
        self.assertLess(exposure, EXPOSURE, page.stdout)


class Manager(Case):
    """A stand-in for systemd's end of NOTIFY_SOCKET."""

    def setUp(self):
        self.path = self.folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind(str(self.path))
        self.socket.settimeout(0.1)
        self.told = []

    def hears(self, word):
        """Waits until the gateway has sent `word`."""

        def is_said():
            try:
                self.told += self.socket.recv(4096).decode().splitlines()
            except TimeoutError:
                pass
            return word in self.told

        eventually(is_said, what=f"{word} among {self.told}")

    def test_the_service_manager_is_notified_of_every_state(self):
        channel = Channel(self, "http://127.0.0.1:1")
        environment = channel.environment() | {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": "400000"}
        gateway = Program(self, "gateway", channel.command("gateway"), environment)
        self.hears("READY=1")
        gateway.answers(f"{channel.url}/health")
        self.hears("WATCHDOG=1")
        gateway.process.send_signal(signal.SIGHUP)
        self.hears("RELOADING=1")
        self.told.clear()
        self.hears("READY=1")
        gateway.process.send_signal(signal.SIGTERM)
        self.hears("STOPPING=1")
        self.assertEqual(gateway.process.wait(20), 0)


if __name__ == "__main__":
    main()
