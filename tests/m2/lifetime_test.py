#!/usr/bin/env python3
"""m2_file_server lifetime says what holds, and all of it holds here.

    lifetime_test.py M2_FILE_SERVER [unittest arguments]
"""

import subprocess
import sys
import unittest

PROGRAM = sys.argv[1]
CLAIMS = 23
LIMIT_S = 60


class Lifetime(unittest.TestCase):
    def run_lifetime(self, *words):
        return subprocess.run([PROGRAM, "lifetime", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=LIMIT_S, check=False)

    def test_every_claim_holds(self):
        done = self.run_lifetime()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertNotIn("[WRONG]", done.stdout)
        self.assertEqual(sum(line.startswith("  [ok] ") for line in done.stdout.splitlines()), CLAIMS, done.stdout)

    def test_it_fits_a_page(self):
        for line in self.run_lifetime().stdout.splitlines():
            self.assertLessEqual(len(line), 100, line)

    def test_what_it_cannot_be_told(self):
        for words in (["--nothing"], ["nothing"]):
            done = self.run_lifetime(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn("nothing", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
