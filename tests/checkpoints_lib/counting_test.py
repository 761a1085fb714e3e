"""tests/summary.py and .ci/run: nothing that failed, or did not run at all, may be counted as passed."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from runner import PROJECT

JUNIT = """\
<testsuite>
 <testcase name="A.ok" status="run"><system-out>fine</system-out></testcase>
 <testcase name="A.bad" status="fail"><failure message=""/><system-out>file.cpp:3: Failure
seen 2 &lt; 3</system-out></testcase>
 <testcase name="A.skips" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
  <system-out>[ RUN      ] A.skips
file.cpp:4: Skipped
needs Linux 7.0
[  SKIPPED ] A.skips</system-out></testcase>
 <testcase name="python" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/><system-out>needs root
</system-out></testcase>
 <testcase name="A.off" status="disabled"><system-out>Disabled</system-out></testcase>
 <testcase name="missing" status="notrun"><skipped message="Unable to find executable"/><system-out></system-out></testcase>
</testsuite>
"""


class Summary(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.rows = self.directory / "rows.tsv"
        self.rows.touch()

    def summary(self, command, *rest):
        done = subprocess.run([sys.executable, "-B", PROJECT / "tests/summary.py", command, self.rows, *map(str, rest)],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.stderr, "")
        self.text = done.stdout
        return done.returncode

    def file(self, text):
        path = self.directory / "input"
        path.write_text(text)
        return path

    def total(self):
        status = self.summary("table")
        return self.text.rstrip().rpartition("\n")[2], status

    def test_junit(self):
        self.summary("junit", "release", 7, self.file(JUNIT))
        self.assertIn("skip  A.skips: needs Linux 7.0", self.text)
        self.assertIn("skip  python: needs root", self.text)
        self.assertIn("FAIL  A.bad", self.text)
        self.assertIn("seen 2 < 3", self.text)
        self.assertIn("FAIL  missing", self.text)
        self.assertEqual(self.total(), ("1 passed, 2 failed, 3 skipped", 1))

    def test_no_junit_file(self):
        self.summary("junit", "release", 7, self.directory / "none.xml")
        self.assertEqual(self.total(), ("0 passed, 1 failed, 0 skipped", 1))

    def test_build_failed(self):
        self.summary("broken", "asan", 7, "the build failed")
        self.assertEqual(self.total(), ("0 passed, 1 failed, 0 skipped", 1))

    def test_counts_of_another_step(self):
        self.summary("counts", "mutants", 7, self.file("text\n3 passed, 0 failed, 1 skipped\n"), 0)
        self.summary("skipped", "clang", 0, "not installed")
        self.assertEqual(self.total(), ("3 passed, 0 failed, 2 skipped", 0))

    def test_a_step_without_counts_failed(self):
        self.summary("counts", "mutants", 7, self.file("Traceback\n"), 1)
        self.assertEqual(self.total(), ("0 passed, 1 failed, 0 skipped", 1))

    def test_a_bad_status_is_a_failure_whatever_was_counted(self):
        self.summary("counts", "mutants", 7, self.file("3 passed, 0 failed, 0 skipped\n"), 1)
        self.assertEqual(self.total(), ("3 passed, 1 failed, 0 skipped", 1))

    def test_status_77_is_a_skip(self):
        self.summary("counts", "release", 7, self.file("3 passed, 0 failed, 0 skipped\n"), 0)
        self.summary("counts", "aarch64", 7, self.file("0 passed, 0 failed, 1 skipped\n"), 77)
        self.assertEqual(self.total(), ("3 passed, 0 failed, 1 skipped", 0))

    def test_no_test_at_all_is_a_failure(self):
        self.summary("skipped", "clang", 0, "not installed")
        self.assertEqual(self.total(), ("0 passed, 1 failed, 1 skipped", 1))


class Ci(unittest.TestCase):
    def ci(self, tests, checkpoints):
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            for folder, body in ((".ci", None), ("tests", tests), ("checkpoints", checkpoints)):
                (root / folder).mkdir()
                if body is None:
                    shutil.copy(PROJECT / ".ci/run", root / ".ci/run")
                else:
                    (root / folder / "run").write_text(f"#!/usr/bin/env bash\n{body}\n")
                    os.chmod(root / folder / "run", 0o755)
            done = subprocess.run(["bash", ".ci/run"], cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        return done.stdout.rstrip().rpartition("\n")[2], done.returncode

    def test_the_sum(self):
        self.assertEqual(self.ci("echo 5 passed, 0 failed, 1 skipped", "echo 2 passed, 0 failed, 3 skipped"),
                         ("7 passed, 0 failed, 4 skipped", 0))

    def test_the_checkpoints_run_after_failed_tests(self):
        self.assertEqual(self.ci("echo 5 passed, 1 failed, 1 skipped; exit 1", "echo 2 passed, 0 failed, 0 skipped"),
                         ("7 passed, 1 failed, 1 skipped", 1))

    def test_a_part_that_dies_is_a_failure(self):
        self.assertEqual(self.ci("echo no package; exit 2", "echo 2 passed, 0 failed, 0 skipped"),
                         ("2 passed, 1 failed, 0 skipped", 1))

    def test_a_bad_status_is_a_failure(self):
        self.assertEqual(self.ci("echo 2 passed, 0 failed, 0 skipped", "echo 2 passed, 0 failed, 0 skipped; exit 1"),
                         ("4 passed, 1 failed, 0 skipped", 1))


if __name__ == "__main__":
    unittest.main()
