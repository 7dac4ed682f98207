"""Shells and man page readers accept the program's output: completion scripts, and pages without warnings.

Run it with e2e/run.sh shell.py. A shell or reader that this machine does not have is skipped.
"""

import shutil
import subprocess
import unittest

from harness import OPENCLAW, Case, main

# clap_mangen leaves a page's date empty, for reproducible builds, and has its own spacing.
HARMLESS = ("cannot parse date", "skipping paragraph macro")


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"there is no {program} on this machine")


class Shell(Case):
    def written(self, *arguments, name):
        """Writes the program's output to a file."""
        file = self.folder / name
        file.write_bytes(subprocess.run([OPENCLAW, *arguments], check=True, stdout=subprocess.PIPE).stdout)
        return str(file)

    def says(self, *command):
        ended = subprocess.run(command, text=True, capture_output=True, cwd=self.folder, timeout=60)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), command)
        return ended.stdout

    @needs("bash")
    def test_bash_completes(self):
        script = self.written("completions", "bash", name="openclaw.bash")
        typed = "COMP_WORDS=(openclaw telephony se); COMP_CWORD=2; _openclaw openclaw se telephony"
        found = self.says("bash", "--norc", "-c", f'. "$1"; {typed}; echo "${{COMPREPLY[@]}}"', "bash", script)
        self.assertTrue({"send", "segments"} <= set(found.split()), found)
        self.assertNotIn("status", found)

    @needs("bash")
    def test_bash_completes_the_plugins_name_for_the_program_too(self):
        script = self.written("completions", "bash", name="openclaw.bash")
        typed = "COMP_WORDS=(openclaw-telephony pai); COMP_CWORD=1; _openclaw openclaw-telephony pai openclaw-telephony"
        found = self.says("bash", "--norc", "-c", f'. "$1"; {typed}; echo "${{COMPREPLY[@]}}"', "bash", script)
        self.assertEqual(found, "pairing\n")

    @needs("fish")
    def test_fish_completes(self):
        script = self.written("completions", "fish", name="openclaw.fish")
        found = self.says("fish", "--no-config", "-c", f'source {script}; complete -C "openclaw telephony se"')
        found = {line.split("\t")[0] for line in found.splitlines()}
        self.assertTrue({"send", "segments"} <= found and all(word.startswith("se") for word in found), found)

    @needs("zsh")
    def test_zsh_takes_the_script_where_it_looks_for_it(self):
        self.written("completions", "zsh", name="_openclaw")
        load = f"fpath=({self.folder} $fpath); autoload -Uz compinit; compinit -u -d dump; echo $_comps[openclaw]"
        self.assertEqual(self.says("zsh", "-f", "-c", load), "_openclaw\n")
        self.says("zsh", "-n", str(self.folder / "_openclaw"))

    @needs("mandoc")
    def test_the_manual_has_a_page_for_each_command_and_no_fault(self):
        subprocess.run([OPENCLAW, "man", self.folder / "man"], check=True, stderr=subprocess.DEVNULL)
        pages = sorted((self.folder / "man").iterdir())
        names = {page.name for page in pages}
        self.assertTrue({"openclaw.1", "openclaw-gateway.1", "openclaw-telephony-send.1"} <= names, names)
        told = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], text=True, capture_output=True)
        faults = [line for line in told.stdout.splitlines() if not any(word in line for word in HARMLESS)]
        self.assertEqual(faults, [])
        self.assertIn("Send a text message", self.says("mandoc", str(self.folder / "man/openclaw-telephony-send.1")))


if __name__ == "__main__":
    main()
