"""Runs a check of this repository on trees with one known defect each.

fixtures/good is a small tree that the check must pass. Every other folder of fixtures/ is laid
over a copy of it; its expected.txt holds, line by line, a part of each message that the check
must then print. No message may be missing and none may be added, so a check that stops looking
fails here, and so does one that cries wolf.
"""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path


def lay_out(fixtures, name, target):
    """The tree of the fixture `name` under `target`."""
    shutil.copytree(fixtures / "good", target, dirs_exist_ok=True)
    if name != "good":
        shutil.copytree(
            fixtures / name, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("expected.txt")
        )


def run_check(check, root):
    """(exit status, messages) of the check's command line on a tree."""
    result = subprocess.run(
        [sys.executable, *check, "--root", str(root)], capture_output=True, text=True, check=False
    )
    return result.returncode, result.stderr.splitlines()


def test_case(check, fixtures):
    """A TestCase with one test for each fixture. `check` is the command line without --root."""
    names = sorted(path.name for path in Path(fixtures).iterdir() if path.is_dir())

    def make_test(name):
        def test(self):
            with tempfile.TemporaryDirectory() as folder:
                lay_out(Path(fixtures), name, Path(folder))
                status, messages = run_check(check, folder)
            if name == "good":
                self.assertEqual((status, messages), (0, []))
                return
            expected = (Path(fixtures) / name / "expected.txt").read_text().splitlines()
            for part in expected:
                hits = [message for message in messages if part in message]
                self.assertEqual(len(hits), 1, f"{part!r} in {messages}")
            self.assertEqual(len(messages), len(expected), messages)
            self.assertEqual(status, 1)

        return test

    methods = {f"test_{name}": make_test(name) for name in names}
    return type("Fixtures", (unittest.TestCase,), methods)
