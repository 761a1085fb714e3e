#!/usr/bin/env python3
"""epoll_reference bench measures everything it names. What the numbers are is no test's business.

    bench_test.py LOAD_CLIENT EPOLL_REFERENCE [unittest arguments]
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = sys.argv[2]


def run_bench(*words):
    return subprocess.run(
        [PROGRAM, "bench", *words], capture_output=True, text=True, timeout=60, check=False
    )


class Bench(unittest.TestCase):
    def test_the_table_and_the_json_say_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "bench.json")
            ended = run_bench("--duration", "0s", "--json", str(path))
            self.assertEqual((ended.returncode, ended.stderr), (0, ""))
            report = json.loads(path.read_text(encoding="utf-8"))
        self.assertEqual(len(report["operations"]), 14)
        for operation in report["operations"]:
            self.assertGreater(operation["median"], 0)
            low, high = operation["interval_95"]
            self.assertLessEqual(low, high)
            self.assertIn(operation["name"], ended.stdout)
            self.assertEqual(operation["bar"] is None, operation["below_bar"] is None)
        self.assertEqual(len(report["comparisons"]), 3)
        for comparison in report["comparisons"]:
            self.assertGreaterEqual(comparison["pairs"], 12)
            self.assertIn("reactor", comparison["ours"])
            self.assertIn("switch", comparison["reference"])

    def test_a_bad_option_and_a_file_that_cannot_be_written(self):
        self.assertEqual(run_bench("--no-such-option").returncode, 2)
        ended = run_bench("--duration", "0s", "--json", "/no/such/folder/bench.json")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("/no/such/folder/bench.json", ended.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
