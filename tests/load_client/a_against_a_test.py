#!/usr/bin/env python3
"""The arithmetic of a_against_a, with intervals that were made up: no timing is part of it.

    a_against_a_test.py LOAD_CLIENT [unittest arguments]
"""

import importlib.machinery
import importlib.util
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import client

SCRIPT = Path(__file__).resolve().parent / "a_against_a"

# Says what a load client would: the next line of a list at each start.
STUB_CLIENT = """#!/bin/sh
cd "$(dirname "$0")" || exit 3
echo "$*" >>arguments
answer=$(sed -n "$(wc -l <arguments)p" answers)
case $answer in
  fails) echo "three wrong bytes" >&2; exit 1 ;;
  *) echo "$answer" ;;
esac
"""

STUB_SERVER = """#!/bin/sh
echo "listening on 127.0.0.1:9"
exec sleep 60
"""


def answer(low, high):
    ratio = {"ratio": 1.01, "low": low, "high": high, "verdict": "tie"}
    return json.dumps({"comparisons": [{"messages_per_second": ratio}]})


AGREES = answer(0.98, 1.03)
IS_HIGH = answer(1.01, 1.03)
IS_LOW = answer(0.95, 0.99)


def load_script():
    loader = importlib.machinery.SourceFileLoader("a_against_a", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("a_against_a", loader))
    loader.exec_module(module)
    return module


class Arithmetic(unittest.TestCase):
    def test_needed(self):
        script = load_script()
        self.assertEqual([script.needed(runs) for runs in (20, 40, 10, 7, 1)], [17, 34, 9, 6, 1])

    def test_contains_one(self):
        script = load_script()
        for low, high, expected in ((0.9, 1.1, True), (1, 1.2, True), (0.8, 1, True), (1.0001, 1.2, False),
                                    (0.8, 0.9999, False), (None, None, False)):
            with self.subTest(low=low, high=high):
                self.assertEqual(script.contains_one({"low": low, "high": high}), expected)


class Runs(unittest.TestCase):
    def a_against_a(self, answers, *words):
        folder = tempfile.TemporaryDirectory(prefix="a_against_a.")
        self.addCleanup(folder.cleanup)
        for name, text in (("client", STUB_CLIENT), ("server", STUB_SERVER), ("answers", "\n".join(answers) + "\n")):
            path = Path(folder.name, name)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)
        done = subprocess.run([sys.executable, "-B", SCRIPT, Path(folder.name, "client"), Path(folder.name, "server"),
                               "--runs", str(len(answers)), *words], capture_output=True, text=True, timeout=60,
                              check=False)
        done.arguments = Path(folder.name, "arguments").read_text(encoding="utf-8").splitlines()
        return done

    def test_enough(self):
        done = self.a_against_a([AGREES] * 17 + [IS_HIGH] * 3)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("in 17 of 20 runs", done.stdout)
        self.assertEqual(len(done.stdout.splitlines()), 21, "a line for each run, and the count")

    def test_too_few(self):
        done = self.a_against_a([AGREES] * 16 + [IS_LOW] * 4)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("in 16 of 20 runs", done.stdout)
        self.assertEqual(done.stdout.count("without 1"), 4)

    def test_what_is_asked_of_the_client(self):
        done = self.a_against_a([AGREES], "--pairs", "7", "--slice", "50ms")
        self.assertEqual(done.returncode, 0, done.stderr)
        [words] = done.arguments
        self.assertRegex(words, r"^echo one=127.0.0.1:9@\d+ other=127.0.0.1:9@\d+ ")
        self.assertIn("--pairs 7", words)
        self.assertIn("--slice 50ms", words)

    def test_a_failed_run_is_no_result(self):
        done = self.a_against_a([AGREES, "fails", AGREES])
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("three wrong bytes", done.stderr)


if __name__ == "__main__":
    client.main()
