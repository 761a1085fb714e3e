#!/usr/bin/env python3
"""m2_file_server bench read measures what it names, and leaves nothing behind. What the numbers are is no test's
business.

    bench_read_test.py M2_FILE_SERVER [unittest arguments]
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = sys.argv[1]
LIMIT_S = 100
SHORT = ("--slice", "20ms", "--pairs", "2", "--size", "16M", "--depths", "1,8")


class BenchRead(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="bench_read_test.")
        self.addCleanup(self.folder.cleanup)

    def run_bench(self, *words):
        done = subprocess.run([PROGRAM, "bench", "read", "--directory", self.folder.name, *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        self.assertEqual(list(Path(self.folder.name).iterdir()), [], "files were left behind")
        return done

    def test_a_short_run_is_whole(self):
        done = self.run_bench(*SHORT, "--json", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIsInstance(json.loads(done.stdout), dict)

    def test_without_json_it_prints_a_table(self):
        done = self.run_bench(*SHORT)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("pread", done.stdout)

    def test_bad_options(self):
        for words in (["--depths", "0"], ["--depths", "1,,2"], ["--pairs", "0"], ["--only", "no-such-way"]):
            done = self.run_bench(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn(words[1], done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
