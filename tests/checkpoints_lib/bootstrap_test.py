"""checkpoints/lib/bootstrap.sh with a PATH of stand-ins: an apt-get that writes down what it is asked for."""

import os
import pty
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from runner import PROJECT

REAL_TOOLS = ["bash", "cat", "chmod", "dirname", "env", "find", "grep", "mkdir", "uname", "cp"]
VERSIONS = {"g++": "12", "cmake": "cmake version 3.25.1", "ninja": "1.11", "python3": "3.11", "strace": "6.1",
            "perf": "6.1", "valgrind": "3.19", "pkg-config": "1.8", "fusermount3": "3.14"}
COMMAND_OF = {"ninja-build": "ninja", "linux-perf": "perf", "linux-tools-generic": "perf"}

APT_GET = """\
#!/usr/bin/env bash
echo "apt-get $*" >>"$STUBS/apt.log"
[ "$1" = install ] || exit 0
shift
for package in "$@"; do
  case $package in -*) continue ;; esac
  [ ! -e "$STUBS/refuse/$package" ] || exit 100
done
for package in "$@"; do
  case $package in -*) continue ;; esac
  [ ! -e "$STUBS/later/$package" ] || cp "$STUBS/later/$package"/* "$STUBS/bin/"
done
"""


class Bootstrap(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.stubs = Path(directory.name)
        self.bin = self.stubs / "bin"
        for name in ("bin", "later", "refuse", "root"):
            (self.stubs / name).mkdir()
        for name in REAL_TOOLS:
            (self.bin / name).symlink_to(shutil.which(name))
        for name, version in VERSIONS.items():
            self.stub(self.bin / name, f"echo '{version}'")
        self.stub(self.bin / "apt-get", APT_GET.split("\n", 1)[1])
        self.user(0)

    def stub(self, path, body):
        path.write_text(f"#!/usr/bin/env bash\n{body}\n")
        path.chmod(0o755)

    def user(self, number):
        self.stub(self.bin / "id", f"echo {number}")

    def remove(self, *packages):
        """These are missing, until apt-get installs them."""
        for package in packages:
            command = COMMAND_OF.get(package, package)
            (self.stubs / "later" / package).mkdir()
            (self.bin / command).rename(self.stubs / "later" / package / command)

    def perf_package(self):
        ubuntu = "ID=ubuntu" in Path("/etc/os-release").read_text().splitlines()
        return "linux-tools-generic" if ubuntu else "linux-perf"

    def bootstrap(self, *, ci="", answer=None, what="bootstrap_packages checkpoints"):
        script = f'set -euo pipefail; root=$STUBS/root; source "{PROJECT}/checkpoints/lib/bootstrap.sh"; {what}; echo went on'
        env = {"PATH": str(self.bin), "STUBS": str(self.stubs), "CI": ci}
        argv = [shutil.which("bash"), "-c", script]
        if answer is None:
            done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
            self.text = done.stdout
            return done.returncode
        return self.on_a_terminal(argv, env, answer)

    def on_a_terminal(self, argv, env, answer):
        main, terminal = pty.openpty()
        child = subprocess.Popen(argv, env=env, stdin=terminal, stdout=terminal, stderr=terminal)
        os.close(terminal)
        os.write(main, answer.encode() + b"\n")
        parts = []
        try:
            while part := os.read(main, 4096):
                parts.append(part)
        except OSError:
            pass  # how a terminal whose last user has gone tells its end
        os.close(main)
        self.text = b"".join(parts).decode()
        return child.wait(60)

    def apt_calls(self):
        log = self.stubs / "apt.log"
        return log.read_text().splitlines() if log.exists() else []

    def installs(self):
        return [call for call in self.apt_calls() if call.startswith("apt-get install")]

    def test_nothing_is_missing(self):
        self.assertEqual(self.bootstrap(), 0, self.text)
        self.assertEqual((self.text, self.apt_calls()), ("went on\n", []))

    def test_root_without_a_terminal_installs(self):
        self.remove("cmake", "ninja-build")
        self.assertEqual(self.bootstrap(), 0, self.text)
        self.assertEqual(self.installs(), ["apt-get install -qq -y --no-install-recommends cmake ninja-build"])
        before = self.apt_calls()
        self.assertEqual(self.bootstrap(), 0)
        self.assertEqual(self.apt_calls(), before, "the second run asks apt nothing")

    def test_a_user_without_rights_gets_the_line_to_type(self):
        self.user(1000)
        self.remove("cmake", "strace")
        self.assertEqual(self.bootstrap(), 2)
        self.assertIn("sudo sh -c 'apt-get update && apt-get install -y cmake strace'", self.text)
        self.assertEqual(self.apt_calls(), [])

    def test_ci_with_sudo_installs(self):
        self.user(1000)
        self.stub(self.bin / "sudo", '[ "$1" = -n ] && shift; exec "$@"')
        self.stub(self.bin / "true", "exit 0")
        self.remove("cmake")
        self.assertEqual(self.bootstrap(ci="true"), 0, self.text)
        self.assertEqual(len(self.installs()), 1)

    def test_on_a_terminal_it_asks_and_no_means_no(self):
        self.remove("cmake")
        self.assertEqual(self.bootstrap(answer="n"), 2)
        self.assertIn("[Y/n]", self.text)
        self.assertIn("apt-get install -y cmake", self.text)
        self.assertEqual(self.apt_calls(), [])

    def test_on_a_terminal_yes_installs_and_it_asks_once(self):
        self.remove("cmake", "strace")
        self.assertEqual(self.bootstrap(answer="y"), 0, self.text)
        self.assertEqual(self.text.count("[Y/n]"), 1)
        self.assertEqual(len(self.installs()), 2, "the required ones, then each optional one by itself")

    def test_an_optional_package_that_is_not_to_be_had(self):
        perf = self.perf_package()
        self.remove(perf)
        (self.stubs / "refuse" / perf).touch()
        self.assertEqual(self.bootstrap(), 0, self.text)
        self.assertIn("is not to be had here", self.text)
        before = self.apt_calls()
        self.assertEqual(self.bootstrap(), 0)
        self.assertEqual(self.apt_calls(), before, "it is not tried again")

    def test_only_optional_ones_missing_and_no_rights(self):
        self.user(1000)
        self.remove("strace")
        self.assertEqual(self.bootstrap(), 0, self.text)
        self.assertTrue(self.text.endswith("went on\n"))
        self.user(0)
        self.assertEqual(self.bootstrap(), 0)
        self.assertEqual(len(self.installs()), 1, "with rights it is tried")

    def test_who_said_no_to_optional_ones_is_not_asked_again(self):
        self.remove("strace")
        self.assertEqual(self.bootstrap(answer="n"), 0, self.text)
        self.assertEqual(self.bootstrap(answer="y"), 0)
        self.assertEqual((self.text, self.apt_calls()), ("y\r\nwent on\r\n", []))

    def test_a_required_package_that_apt_refuses(self):
        self.remove("cmake")
        (self.stubs / "refuse/cmake").touch()
        self.assertEqual(self.bootstrap(), 2)
        self.assertIn("could not be installed", self.text)
        self.assertIn("apt-get update", self.apt_calls(), "its lists may have been too old")

    def test_a_newer_compiler_beside_an_old_one_is_used(self):
        self.stub(self.bin / "g++", "echo 11")
        self.stub(self.bin / "g++-13", "echo 13")
        self.assertEqual(self.bootstrap(what="bootstrap_packages checkpoints; find_compiler"), 0)
        self.assertEqual((self.text, self.apt_calls()), ("g++-13\nwent on\n", []))

    def test_clang_will_do(self):
        (self.bin / "g++").unlink()
        self.stub(self.bin / "clang++-19", "echo 19.1.7")
        self.assertEqual(self.bootstrap(what="find_compiler"), 0)
        self.assertEqual(self.text, "clang++-19\nwent on\n")

    def test_programs_that_are_too_old_are_missing(self):
        self.user(1000)
        self.stub(self.bin / "g++", "echo 11.4.0")
        self.stub(self.bin / "cmake", "echo cmake version 3.22.1")
        self.assertEqual(self.bootstrap(), 2)
        self.assertIn("Missing here: g++ cmake", self.text)


if __name__ == "__main__":
    unittest.main()
