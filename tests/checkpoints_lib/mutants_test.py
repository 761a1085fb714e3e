"""tests/mutants/run on a tiny project: mutants that are caught, and each way in which one is not."""

import difflib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

from runner import PROJECT

sys.path[:0] = [str(PROJECT / "checkpoints"), str(PROJECT / "tests/mutants")]
from lib import process  # noqa: E402
from workshop import Machine  # noqa: E402

PROGRAM = """\
#include <cstdio>

#include "half.hpp"

int main() {
  // Prints the half of eight.
  std::printf("half of 8 is %d\\n", half(8));
  return 0;
}
"""
HALF = """\
#pragma once

inline int half(int number) {
  return number / 2;
}
"""
# One that fails when it is run for the first time, of whatever program.
SHY = '''\
"Shy."

from pathlib import Path


def check(c):
    runs = Path("{runs}")
    is_first = not runs.exists()
    runs.touch()
    result = c.run_ok([c.program("toy")])
    c.equal("what it prints", "half of 8 is 4", "nothing" if is_first else result.stdout.strip())
'''
# One that fails in another way the second time that it is run.
MOODY = '''\
"Moody."

from pathlib import Path


def check(c):
    runs = Path("{runs}")
    before = runs.read_text() if runs.exists() else ""
    runs.write_text(before + "x")
    result = c.run_ok([c.program("toy")])
    usually = "It has its moods." if before == "x" else "It divides by the wrong number."
    c.equal("what it prints", "half of 8 is 4", result.stdout.strip(), usually=usually)
'''
FILES = {
    "CMakeLists.txt": """\
cmake_minimum_required(VERSION 3.25)
project(toy LANGUAGES CXX)
add_compile_options(-Wall -Werror)
add_subdirectory(docs/epoll_reference)
add_executable(unit_tests unit_tests.cpp)
""",
    "docs/epoll_reference/CMakeLists.txt": "add_executable(toy toy.cpp)\n",
    "docs/epoll_reference/toy.cpp": PROGRAM,
    "docs/epoll_reference/half.hpp": HALF,
    "unit_tests.cpp": """\
#include "docs/epoll_reference/half.hpp"
int main() { return half(100) == 50 ? 0 : 1; }
""",
    ".gitignore": "/build/\n",
    "checkpoints/epoll/01_half.py": """\
'''The toy prints the half of eight.'''


def check(c):
    result = c.run_ok([c.program("toy")])
    c.equal("what it prints", "half of 8 is 4", result.stdout.strip(), usually="It divides by the wrong number.")
""",
}


def patch(header, path, before, after):
    old, new = FILES[path], FILES[path].replace(before, after)
    assert old != new
    diff = difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"a/{path}", f"b/{path}")
    return header + "\n" + "".join(diff)


def header(message="It divides by the wrong number.", checkpoint="epoll/01_half"):
    return f"Checkpoint: {checkpoint}\nMessage: {message}\nBreaks: Somebody is careless.\n"


class Harness(unittest.TestCase):
    """One project for all tests, so that each costs one small build."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.root = Path(cls.directory.name)
        for name, text in FILES.items():
            (cls.root / name).parent.mkdir(parents=True, exist_ok=True)
            (cls.root / name).write_text(text)
        subprocess.run(["git", "init", "-q", cls.root], check=True)

    def setUp(self):
        self.mutants = self.root / "tests/mutants/epoll"
        self.mutants.mkdir(parents=True, exist_ok=True)

    def tearDown(self):
        for path in self.mutants.iterdir():
            path.unlink()

    def argv(self, *options):
        return [sys.executable, "-B", PROJECT / "tests/mutants/run", "--root", self.root, *options]

    def run_harness(self, *options):
        done = subprocess.run(self.argv(*options),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**os.environ, "CCACHE_DISABLE": "1"}, timeout=250, check=False)
        self.text = done.stdout
        return done.returncode

    def one(self, text):
        (self.mutants / "mutant.patch").write_text(text)
        return self.run_harness()

    def assert_fails(self, text, *expected):
        self.assertEqual(self.one(text), 1, self.text)
        for part in expected:
            self.assertIn(part, self.text)
        self.assertTrue(self.text.endswith("0 passed, 1 failed, 0 skipped\n"), self.text)

    TOY, HALF_HPP = "docs/epoll_reference/toy.cpp", "docs/epoll_reference/half.hpp"

    def test_caught(self):
        self.assertEqual(self.one(patch(header(), self.TOY, "half(8)", "half(8) + 1")), 0, self.text)
        self.assertIn("caught", self.text)
        self.assertTrue(self.text.endswith("1 passed, 0 failed, 0 skipped\n"))
        copy = self.root / "build/mutants/1/src" / self.TOY
        self.assertEqual(copy.read_text(), PROGRAM, "the copy is whole again")

    def test_two_mutants_one_after_the_other(self):
        (self.mutants / "a.patch").write_text(patch(header(), self.TOY, "half(8)", "half(10)"))
        (self.mutants / "b.patch").write_text(patch(header("exit status"), self.TOY, "return 0", "return 1"))
        self.assertEqual(self.run_harness(), 0, self.text)
        self.assertEqual(self.text.count("caught"), 2)
        self.assertEqual(self.run_harness("epoll/b"), 0)
        self.assertEqual(self.text.count("caught"), 1)

    def write(self, **patches):
        for name, text in patches.items():
            (self.mutants / f"{name}.patch").write_text(text)

    def test_two_at_once_share_no_file(self):
        # Each has its own reason to fail. With files in common, one would see what the other broke.
        self.write(a=patch(header("half of 8 is 4 half of 8 is 5"), self.TOY, "half(8)", "half(10)"),
                   b=patch(header("half of 8 is 4 half of 8 is 6"), self.TOY, "half(8)", "half(12)"),
                   c=patch(header("exit status"), self.TOY, "return 0", "return 1"),
                   unnoticed=patch(header(), self.TOY, "the half of eight", "half of it"))
        self.assertEqual(self.run_harness("--jobs", "2"), 1, self.text)
        self.assertEqual(len(re.findall(r"(?m)^caught  epoll/[abc] ", self.text)), 3, self.text)
        self.assertRegex(self.text, r"(?m)^FAIL    epoll/unnoticed .*not noticed: epoll/01_half passes")
        self.assertTrue(self.text.endswith("\n3 passed, 1 failed, 0 skipped\n"), self.text)
        for own, other in ("12", "21"):
            folder = self.root / "build/mutants" / own
            self.assertEqual((folder / "src" / self.TOY).read_text(), PROGRAM, "the copy is whole again")
            self.assertNotIn(f"build/mutants/{other}", (folder / "build/build.ninja").read_text())

    def test_who_was_not_caught_beside_others_is_tried_again_alone(self):
        extra, runs = self.root / "checkpoints/epoll/05_moody.py", self.root / "build/runs"
        self.addCleanup(extra.unlink)
        # Its first run is of the unbroken program; in the second it fails for a reason of its own.
        extra.write_text(MOODY.format(runs=runs))
        self.write(a=patch(header(), self.TOY, "half(8)", "half(10)"),
                   moody=patch(header(checkpoint="epoll/05_moody"), self.TOY, "half(8)", "half(10)"))
        self.assertEqual(self.run_harness("--jobs", "2"), 0, self.text)
        self.assertTrue(self.text.endswith("\n2 passed, 0 failed, 0 skipped\n"), self.text)
        runs.unlink()
        self.assertEqual(self.run_harness("--jobs", "1", "moody"), 1, "it was alone the first time")
        self.assertIn("noticed for another reason", self.text)

    def test_a_checkpoint_that_failed_on_the_unbroken_program_beside_others_is_tried_again_alone(self):
        extra, runs = self.root / "checkpoints/epoll/06_shy.py", self.root / "build/shy"
        self.addCleanup(extra.unlink)
        extra.write_text(SHY.format(runs=runs))
        self.write(a=patch(header(), self.TOY, "half(8)", "half(10)"),
                   shy=patch(header("half of 8 is 5", checkpoint="epoll/06_shy"), self.TOY, "half(8)", "half(10)"))
        self.assertEqual(self.run_harness("--jobs", "2"), 0, self.text)
        self.assertTrue(self.text.endswith("\n2 passed, 0 failed, 0 skipped\n"), self.text)
        runs.unlink()
        self.assertEqual(self.run_harness("--jobs", "1", "shy"), 1, "it was alone the first time")
        self.assertIn("epoll/06_shy fails on the unbroken program", self.text)

    def test_ctrl_c_ends_the_children(self):
        extra = self.root / "checkpoints/epoll/04_long.py"
        self.addCleanup(extra.unlink)
        extra.write_text("'''Long.'''\n\n\ndef check(c):\n    c.run(['sleep', '54.321'])\n")
        self.write(long=patch(header(checkpoint="epoll/04_long"), self.TOY, "half(8)", "half(10)"))
        # In a session of its own, so that the signal reaches this process alone.
        with subprocess.Popen(self.argv("epoll/long"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              start_new_session=True) as harness:
            self.assertTrue(process.wait_until(lambda: self.sleeping(harness.pid), 120))
            sleeping = self.sleeping(harness.pid)
            harness.send_signal(signal.SIGINT)
            text, _ = harness.communicate(timeout=20)
        self.assertEqual(harness.returncode, 130)
        self.assertEqual(text, "\nstopped\n")
        self.assertFalse([pid for pid in sleeping if process.is_alive(pid)])

    def sleeping(self, harness):
        return [pid for pid in process.descendants(harness) if process.command_of(pid) == "sleep 54.321"]

    def test_who_takes_long_is_tried_with_full_and_else_has_to_apply(self):
        extra = self.root / "checkpoints/epoll/07_long.py"
        self.addCleanup(extra.unlink)
        half = (self.root / "checkpoints/epoll/01_half.py").read_text()
        extra.write_text(half + "\n\ntier = 'quick'\n")
        self.write(quick=patch(header(checkpoint="epoll/07_long"), self.TOY, "half(8)", "half(10)"))
        self.assertEqual(self.run_harness(), 1, "01_half has no mutant here")
        self.assertTrue(self.text.endswith("\n1 passed, 1 failed, 0 skipped\n"), self.text)
        (self.mutants / "quick.patch").unlink()
        extra.write_text(half + "\n\ntier = 'full'\n")
        broken = patch(header(checkpoint="epoll/07_long"), self.TOY, "half(8)", "half(10)")
        self.write(a=patch(header(), self.TOY, "half(8)", "half(10)"), long=broken)
        self.assertEqual(self.run_harness(), 0, self.text)
        self.assertNotRegex(self.text, r"(?m)^caught  epoll/long ")
        self.assertTrue(self.text.endswith("\n1 passed, 0 failed, 0 skipped\n"), self.text)
        for option in ("--full", "long"):
            self.assertEqual(self.run_harness(option), 0, self.text)
            self.assertRegex(self.text, r"(?m)^caught  epoll/long ")
        self.write(long=broken.replace("std::printf", "print"))
        self.assertEqual(self.run_harness(), 1, self.text)
        self.assertRegex(self.text, r"(?m)^FAIL    epoll/long .*does not apply")

    def test_not_noticed(self):
        self.assert_fails(patch(header(), self.TOY, "the half of eight", "half of it"),
                          "not noticed: epoll/01_half passes on the broken program")

    def test_noticed_for_another_reason(self):
        self.assert_fails(patch(header(), self.TOY, "return 0", "return 1"), "noticed for another reason", "exit status")

    def test_the_patch_does_not_apply(self):
        text = patch(header(), self.TOY, "half(8)", "half(10)").replace("number", "figure").replace("std::printf", "print")
        self.assert_fails(text, "does not apply to the source as it is now")

    def test_it_does_not_compile_without_a_warning(self):
        self.assert_fails(patch(header(), self.TOY, "return 0", "int unused = 0; return 0"), "it does not build", "unused")

    def test_the_unit_tests_notice_it(self):
        self.assert_fails(patch(header(), self.HALF_HPP, "number / 2", "number / 4"), "the unit tests notice it already")

    def test_header_incomplete(self):
        self.assert_fails(patch("Checkpoint: epoll/01_half\n", self.TOY, "half(8)", "half(10)"), "no Message, Breaks")

    def test_no_such_checkpoint(self):
        self.one(patch(header(checkpoint="epoll/99_gone"), self.TOY, "half(8)", "half(10)"))
        self.assertIn("there is no checkpoint epoll/99_gone", self.text)

    def test_a_checkpoint_without_a_mutant(self):
        self.assertEqual(self.run_harness(), 1)
        self.assertIn("this checkpoint has no mutant", self.text)

    def test_the_checkpoint_fails_on_the_unbroken_program(self):
        extra = self.root / "checkpoints/epoll/02_wrong.py"
        self.addCleanup(extra.unlink)
        extra.write_text("'''Wrong.'''\n\n\ndef check(c):\n    c.equal('one', 1, 2)\n")
        self.one(patch(header(checkpoint="epoll/02_wrong"), self.TOY, "half(8)", "half(10)"))
        self.assertIn("epoll/02_wrong fails on the unbroken program", self.text)

    def test_a_checkpoint_that_skips_skips_its_mutant(self):
        extra = self.root / "checkpoints/epoll/03_skips.py"
        self.addCleanup(extra.unlink)
        extra.write_text("'''Skips.'''\n\n\ndef check(c):\n    c.skip('no kernel of that kind')\n")
        (self.mutants / "other.patch").write_text(patch(header(), self.TOY, "half(8)", "half(10)"))
        self.assertEqual(self.one(patch(header(checkpoint="epoll/03_skips"), self.TOY, "half(8)", "half(10)")), 0, self.text)
        self.assertIn("no kernel of that kind", self.text)
        self.assertTrue(self.text.endswith("1 passed, 0 failed, 1 skipped\n"), self.text)


class MachineTest(unittest.TestCase):
    """One that is alone waits for those inside; meanwhile nobody comes in, and nobody while it is alone."""

    def test_alone(self):
        machine, log, done = Machine(), [], threading.Event()

        def alone():
            with machine.alone():
                log.append("alone")
                done.wait(10)
                log.append("alone no more")

        def together():
            with machine.together():
                log.append("together")

        with machine.together(), machine.together():
            waits = threading.Thread(target=alone)
            waits.start()
            self.assertTrue(process.wait_until(machine._door.locked, 10))
            late = threading.Thread(target=together)
            late.start()
            late.join(0.1)
            self.assertEqual(log, [])
        late.join(0.1)
        self.assertEqual(log, ["alone"])
        done.set()
        late.join(10)
        waits.join(10)
        self.assertEqual(log, ["alone", "alone no more", "together"])


if __name__ == "__main__":
    unittest.main()
