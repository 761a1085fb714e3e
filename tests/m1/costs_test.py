#!/usr/bin/env python3
"""m1_sq_cq costs, from outside: what it measures and says. How long anything took decides nothing.

    costs_test.py M1_SQ_CQ [unittest arguments]
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

M1_SQ_CQ = ""
TIME_LIMIT_S = 200

NOPS = [f"NOP, {batch} per enter" for batch in (1, 8, 32, 128)]
WRITES = [f"WRITE, {batch} per enter" for batch in (1, 32, 128)]


def costs(*arguments, **environment):
    return subprocess.run([M1_SQ_CQ, "costs", *arguments], capture_output=True, text=True,
                          timeout=TIME_LIMIT_S, check=False, env={**os.environ, **environment})


class Json(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="m1_costs_test.")
        cls.addClassCleanup(cls.folder.cleanup)
        result = costs("--quick", "--json", TMPDIR=cls.folder.name)
        assert result.returncode == 0, result.stderr
        cls.report = json.loads(result.stdout)
        cls.comparisons = {(row["operation"], row["against"]): row
                           for row in cls.report["comparisons"]}

    def test_what_is_compared(self):
        for nop in NOPS:
            self.assertIn((nop, "system call (getppid)"), self.comparisons)
        for write in WRITES:
            self.assertIn((write, "write(2)"), self.comparisons)
        self.assertIn(("READ_FIXED 4 KiB, page cache", "READ 4 KiB, page cache"), self.comparisons)
        self.assertIn(("NOP, 32 per enter, traced", "NOP, 32 per enter"), self.comparisons)

    def test_direct_reads_or_why_not(self):
        pair = ("READ_FIXED 4 KiB, O_DIRECT", "READ 4 KiB, O_DIRECT")
        self.assertEqual(pair in self.comparisons, self.report["left_out"] == [])

    def test_ten_thousand_writes(self):
        for row in self.report["operations"]:
            if row["name"] == "write(2)" or row["name"].startswith("WRITE"):
                self.assertEqual(row["operations_per_slice"], 10000)

    def test_enough_slices_for_an_interval(self):
        for row in self.report["operations"]:
            low, high = row["interval_95_ns"]
            self.assertGreaterEqual(row["slices"], 6)
            self.assertGreater(low, 0)
            self.assertLessEqual(low, row["median_ns"])
            self.assertLessEqual(row["median_ns"], high)

    def test_verdicts_follow_from_the_intervals(self):
        for row in self.report["comparisons"]:
            low, high = row["interval_95"]
            verdict = "faster" if high < 1 else "slower" if low > 1 else "tie"
            self.assertEqual(row["verdict"], verdict, row)
            self.assertLessEqual(low, row["median_ratio"])
            self.assertLessEqual(row["median_ratio"], high)

    def test_expectation_comes_from_the_price_of_a_system_call(self):
        said = self.report["expected"]
        for batch, nop in zip((1, 8, 32, 128), NOPS):
            expected = (said["nop_ns"] + said["empty_enter_ns"] / batch) / said["system_call_ns"]
            row = self.comparisons[nop, "system call (getppid)"]
            self.assertAlmostEqual(row["expected_ratio"], expected)

    def test_nothing_is_left_behind(self):
        self.assertEqual(os.listdir(self.folder.name), [])


class Text(unittest.TestCase):
    def test_says_what_to_expect_before_what_was_measured(self):
        result = costs("--quick")
        self.assertEqual(result.returncode, 0, result.stderr)
        headings = ["What to expect", "CPU time per operation", "Compared", "What differs"]
        places = [result.stdout.index("\n" + heading) for heading in headings]
        self.assertEqual(places, sorted(places))
        for line in result.stdout.splitlines():
            self.assertLessEqual(len(line), 100, line)

    def test_old_kernel(self):
        masked = ("single_issuer,defer_taskrun,coop_taskrun,submit_all,cqsize,no_sqarray,ext_arg,"
                  "registered_ring,single_mmap,query,sparse_buffers,buffer_update")
        result = costs("--quick", URING_DISABLE=masked)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("descriptor not registered", result.stdout)

    def test_page_cache_only(self):
        result = costs("--quick", TMPDIR="/dev/shm")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("tmpfs", result.stdout)

    def test_words(self):
        for words in (["--seconds", "0"], ["--seconds"], ["--sceonds", "1"], ["more"]):
            with self.subTest(words=words):
                result = costs(*words)
                self.assertEqual(result.returncode, 2)
                self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: costs_test.py M1_SQ_CQ [unittest arguments]")
    M1_SQ_CQ = os.path.abspath(sys.argv.pop(1))
    unittest.main()
