#!/usr/bin/env python3
"""m2_file_server bench serve measures everything it names, and leaves nothing behind. What the numbers are is no
test's business.

    bench_serve_test.py M2_FILE_SERVER [unittest arguments]
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

PROGRAM = sys.argv[1]
SHORT = ("--slice", "20ms", "--pairs", "2")


class BenchServe(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.temporary = Path(self.folder.name, "temporary")
        self.temporary.mkdir()
        self.environment = dict(os.environ, TMPDIR=str(self.temporary))

    def start(self, *words):
        return subprocess.Popen(
            [PROGRAM, "bench", "serve", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment,
        )  # fmt: skip

    def run_bench(self, *words):
        process = self.start(*words)
        out, err = process.communicate(timeout=60)
        self.assertEqual(list(self.temporary.iterdir()), [], "files were left behind")
        return process.returncode, out, err

    def children(self, process):
        text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in text.split()]

    def test_the_table_and_the_json_say_the_same(self):
        path = Path(self.folder.name, "bench.json")
        words = ("--clients", "1,10", "--sizes", "0,1K", *SHORT)
        status, out, err = self.run_bench(*words, "--json", str(path))
        self.assertEqual((status, err), (0, ""))
        report = json.loads(path.read_text(encoding="utf-8"))
        self.assertEqual((report["slice_ns"], report["pairs"], report["threads"]), (20_000_000, 2, 16))
        seen = set()
        for comparison in report["comparisons"]:
            ring, other = comparison["servers"]
            self.assertEqual(ring["name"], "ring")
            seen.add((comparison["file_bytes"], comparison["clients"], comparison["connections"], other["name"]))
            for server in (ring, other):
                self.assertGreater(server["requests"], 0)
                self.assertEqual(server["clients_answered"], comparison["clients"])
                self.assertLessEqual(server["p50_ns"], server["p99_ns"])
            for ratio in comparison["ratios"].values():
                self.assertEqual((ratio["pairs"], ratio["interval_95"]), (2, None))
                self.assertIn(f"{ratio['median']:.3f}", out)
        ways = (("per request", "one thread"), ("per request", "16 threads"), ("kept alive", "16 threads"))
        self.assertEqual(seen, {(size, n, *way) for size in (0, 1024) for n in (1, 10) for way in ways})

    def test_more_clients_than_threads_wait_and_the_report_says_so(self):
        status, out, err = self.run_bench("--clients", "9", "--sizes", "1K", "--threads", "3", *SHORT)
        self.assertEqual((status, err), (0, ""))
        self.assertIn("3 threads: only 3 of the 9 clients got an answer", out)
        self.assertEqual(out.count("only"), 1)

    def test_json_alone_on_stdout(self):
        status, out, err = self.run_bench("--clients", "1", "--sizes", "64K", *SHORT, "--json", "-")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(len(json.loads(out)["comparisons"]), 3)

    def test_a_signal_ends_it_and_its_servers(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start("--slice", "20s")
            process.stdout.readline()  # the servers are there
            servers = self.children(process)
            self.assertEqual(len(servers), 3)
            time.sleep(0.1)
            process.send_signal(number)
            _, err = process.communicate(timeout=10)
            self.assertEqual(process.returncode, -number)
            self.assertIn("interrupted", err)
            self.assertEqual([pid for pid in servers if Path(f"/proc/{pid}").exists()], [])
            self.assertEqual(list(self.temporary.iterdir()), [])

    def test_a_server_that_dies_is_named(self):
        process = self.start("--clients", "1", "--slice", "20s")
        process.stdout.readline()
        os.kill(self.children(process)[0], signal.SIGKILL)
        _, err = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 1)
        self.assertIn("ring: the server was killed by signal 9", err)

    def test_bad_options(self):
        for words in (["--clients", "0"], ["--clients", "1,,2"], ["--sizes", "65M"], ["--pairs", "0"],
                      ["--json", "/no/such/folder/bench.json"]):  # fmt: skip
            status, out, err = self.run_bench(*words)
            self.assertEqual((status, out), (2, ""), words)
            self.assertIn(words[1], err)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
