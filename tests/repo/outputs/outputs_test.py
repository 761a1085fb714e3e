#!/usr/bin/env python3
"""docs/tools/outputs.py finds each defect, and --write puts in what the program printed."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import defects

TOOL = str(HERE.parents[2] / "docs" / "tools" / "outputs.py")

Fixtures = defects.test_case([TOOL, "--check"], HERE / "fixtures")


class Write(unittest.TestCase):
    def write(self, marker, script):
        """(exit status, messages, the chapter) after --write, `lesson` being a shell script."""
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "docs").mkdir()
            (root / "docs" / "chapter.md").write_text(f"{marker}\n\nThe end.\n")
            (root / "m1_sq_cq").mkdir()
            (root / "m1_sq_cq" / "CMakeLists.txt").write_text("add_executable(lesson main.cpp)\n")
            program = root / "build" / "release" / "m1_sq_cq" / "lesson"
            program.parent.mkdir(parents=True)
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
            result = subprocess.run(
                [sys.executable, TOOL, "--write", "--root", folder],
                capture_output=True,
                text=True,
                check=False,
            )
            return result.returncode, result.stderr, (root / "docs" / "chapter.md").read_text()

    def test_puts_in_both_streams_and_the_machine(self):
        status, messages, chapter = self.write(
            "<!-- output: lesson nop -->", 'echo "out $1"; echo err >&2'
        )
        self.assertEqual((status, messages), (0, ""))
        self.assertRegex(
            chapter,
            r"^<!-- output: lesson nop -->\n\*A run on Linux \d+\.\d+.*, \d+ CPUs?:\*\n\n"
            r"```console\n\$ lesson nop\nout nop\nerr\n```\n\nThe end.\n$",
        )

    def test_takes_an_expected_failure(self):
        status, messages, chapter = self.write(
            "<!-- output: lesson (exit 2) -->", "echo refused; exit 2"
        )
        self.assertEqual((status, messages), (0, ""))
        self.assertIn("$ lesson\nrefused\n", chapter)

    def test_refuses_an_unexpected_exit_status(self):
        status, messages, _ = self.write("<!-- output: lesson -->", "echo refused; exit 2")
        self.assertEqual(status, 1)
        self.assertIn("ended with 2, expected 0", messages)

    def test_refuses_silence(self):
        status, messages, _ = self.write("<!-- output: lesson -->", "true")
        self.assertEqual(status, 1)
        self.assertIn("printed nothing", messages)

    def test_refuses_a_path_of_this_machine(self):
        status, messages, _ = self.write("<!-- output: lesson -->", "pwd")
        self.assertEqual(status, 1)
        self.assertIn("prints a path of this machine", messages)

    def test_refuses_a_program_that_is_not_built(self):
        status, messages, _ = self.write("<!-- output: unit -->", "true")
        self.assertEqual(status, 1)
        self.assertIn("0 executables named 'unit'", messages)


if __name__ == "__main__":
    unittest.main()
