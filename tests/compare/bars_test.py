#!/usr/bin/env python3
"""The arithmetic of the bars and what echo_bars asks of the load client, with servers and numbers that
were made up: nothing is started, and no timing is part of it.

    bars_test.py [unittest arguments]
"""

import argparse
import contextlib
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
from bars import load, paired, report, ring_echo, run, servers, syscalls

PROGRAMS = ("docs/epoll_reference/epoll_reference", "m3_network_server/m3_network_server",
            "checkpoints/load_client/load_client", "tests/compare/echo_asio_uring")  # fmt: skip


class FakeServer:
    """As servers.Server; its speed is in messages a second, and in messages for a second of CPU time."""

    def __init__(self, name, command, speed):
        self.name = name
        self.command = [str(word) for word in command]
        self.pid = hash(name)
        self.speed = speed

    def target(self):
        return self.name

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class FakeMachine:
    """Servers whose speeds are known, and a load client that finds them out exactly."""

    def __init__(self, speeds=None, spread=0.0, calls=0.04):
        self.speeds = speeds or {}
        self.spread = spread
        self.calls = calls
        self.servers = {}
        self.commands = []

    def start(self, name, command, _cpu):
        self.servers[name] = FakeServer(name, command, self.speeds.get(name, 100_000))
        return self.servers[name]

    def load(self, command, _timeout_s):
        command = [str(word) for word in command]
        self.commands.append(command)
        targets = command[command.index("echo") + 1 : command.index("--connections")]
        ours, *references = (self.servers[name] for name in targets)

        def comparison(reference):
            ratio = ours.speed / reference.speed
            value = {"ratio": ratio, "low": ratio - self.spread, "high": ratio + self.spread}
            return {"ours": ours.name, "reference": reference.name, "pairs": 100, "p50": value, "p99": value,
                    "messages_per_second": value, "messages_per_cpu_second": value}  # fmt: skip

        return {"targets": [{"name": name, "server": {"cpu_ns_per_message": 1e9 / self.servers[name].speed}}
                            for name in targets],
                "comparisons": [comparison(reference) for reference in references]}  # fmt: skip

    def count_calls(self, _client, _workload, server):
        return "perf", {"total": self.calls if server.name.startswith("m3") else 2.1, "io_uring_enter": self.calls}


class EchoBars(unittest.TestCase):
    def run_on(self, fake):
        """What a run with these servers has found."""
        with tempfile.TemporaryDirectory(prefix="bars_test.") as folder:
            for program in PROGRAMS:
                (Path(folder) / program).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / program).touch()
            patches = [mock.patch.object(servers, "start", fake.start), mock.patch.object(load, "run", fake.load),
                       mock.patch.object(syscalls, "per_message", fake.count_calls),
                       mock.patch.object(run, "say"),
                       mock.patch.object(run.os, "sched_getaffinity", lambda _: {0, 1})]  # fmt: skip
            with contextlib.ExitStack() as stack:
                for patch in patches:
                    stack.enter_context(patch)
                found = run.Run(argparse.Namespace(build=Path(folder), pairs=None, quick=False))
                found.measure("beside epoll", ring_echo.beside_epoll)
                found.measure("beside Asio", ring_echo.beside_asio)
                found.measure("waiting to batch", ring_echo.waiting_to_batch)
                found.measure("forms", ring_echo.forms)
        self.assertEqual(found.failures, [])
        return found.as_json("")

    def bars(self, found, word=""):
        return {bar["workload"]: bar for bar in found["bars"] if word in bar["workload"]}

    def test_equal_servers_are_equal(self):
        found = self.run_on(FakeMachine())
        ratios = [comparison[report.MEASURE]["ratio"] for one in found["runs"] for comparison in one["comparisons"]]
        self.assertEqual(set(ratios), {1.0})
        for title, bar in self.bars(found).items():
            with self.subTest(title):
                self.assertEqual(bar["is_met"], bar["bar"] <= 1)
        self.assertEqual({bar["bar"] for bar in self.bars(found, "a connection for each").values()}, {1.08})
        self.assertEqual({bar["bar"] for bar in self.bars(found, "asio_uring").values()}, {1.0})

    def test_who_is_slower_misses_its_bars_and_no_other(self):
        found = self.run_on(FakeMachine({"epoll_lt": 110_000}))
        for title, bar in self.bars(found).items():
            with self.subTest(title):
                self.assertEqual(bar["is_met"], "epoll_lt" not in title and bar["bar"] <= 1)

    def test_short_connections_have_a_higher_bar_and_the_form_its_own(self):
        found = self.run_on(FakeMachine({"m3_direct": 109_000}))
        met = {title: bar["is_met"] for title, bar in self.bars(found, "a connection for each").items()}
        self.assertEqual(sum(met.values()), 2, met)
        self.assertTrue(all("m3_direct" in title for title, is_met in met.items() if is_met))

    def test_system_calls_are_judged_once_and_with_many_connections(self):
        for calls, is_met in ((0.05, True), (0.051, False)):
            with self.subTest(calls=calls):
                found = self.run_on(FakeMachine(calls=calls))
                [judged] = found["calls_bars"]
                self.assertEqual((judged["calls"], judged["most"], judged["is_met"]), (calls, 0.05, is_met))
                self.assertIn("1000 connections: m3_batch_wait and m3", judged["workload"])
                self.assertEqual({row["server"] for row in found["syscalls_per_message"]},
                                 {"asio_uring", "epoll_et", "epoll_lt", "m3", "m3_single_shot", "m3_direct",
                                  "m3_batch_wait", "m3_buffers_64", "m3_buffers_4096", "m3_buffers_of_4K",
                                  "m3_buffers_of_64K"})

    def test_who_waits_for_its_few_calls_too_long_has_not_met_that_bar(self):
        # The fake machine's latencies are as its speeds: with 1.06 of the other's p50 and p99.
        for speed, is_met in ((105_000, True), (106_000, False)):
            with self.subTest(speed=speed):
                [judged] = self.run_on(FakeMachine({"m3_batch_wait": speed}))["calls_bars"]
                self.assertEqual((sorted(judged["latency"]), judged["is_met"]), (["p50", "p99"], is_met))

    def test_each_reference_has_a_run_of_its_own(self):
        fake = FakeMachine()
        self.run_on(fake)
        for command in fake.commands:
            targets = command[command.index("echo") + 1 : command.index("--connections")]
            self.assertEqual(len(targets), 2, command)
            self.assertEqual(command[:3], ["taskset", "--cpu-list", "1"], "the client has the other CPU")

    def test_what_is_asked_of_the_load_client(self):
        fake = FakeMachine()
        self.run_on(fake)
        asked = [" ".join(command) for command in fake.commands]
        short = "--connections 64 --size 64 --requests-per-connection 1"
        for words, pairs in (("m3 epoll_lt --connections 64 --size 64", 100),
                             ("m3 epoll_et --connections 1000 --size 64", 100),
                             ("m3 asio_uring --connections 64 --size 64 --pipeline 16", 100),
                             ("m3 epoll_lt --connections 64 --size 65536", 25),  # shown, no bar
                             ("m3_batch_wait m3 --connections 1000 --size 64", 100),
                             (f"m3_direct epoll_lt {short}", 100),
                             (f"m3 m3_single_shot {short}", 25)):
            wanted = f"{words} --warmup 1s --pairs {pairs} --slice 100ms"
            self.assertTrue(any(wanted in command for command in asked), wanted)
        self.assertEqual(fake.servers["m3_send_buffers_1"].command[-4:],
                         ["--port", "0", "--idle-timeout", "1h"], "no client is closed while others are measured")
        self.assertIn("--send-buffers", fake.servers["m3_send_buffers_1"].command)


class Verdicts(unittest.TestCase):
    def verdict(self, ratio, low, bar):
        value = {"ratio": ratio, "low": low, "high": None if low is None else 2 * ratio - low}
        best = {"reference": "other", report.MEASURE: value}
        judgement = report.Judgement("row", bar, best, ratio >= bar)
        return report.bars_table([judgement]).splitlines()[-1]

    def test_the_lower_end_is_said_where_it_does_not_reach(self):
        self.assertIn("1.000 [0.980, 1.020] | 0.97 | met |", self.verdict(1.0, 0.98, 0.97))
        self.assertIn("met by the middle, not by the lower end", self.verdict(1.0, 0.96, 0.97))
        self.assertIn("met by the middle, not by the lower end", self.verdict(1.0, None, 0.97))
        self.assertIn("0.97 | not met |", self.verdict(0.969, 0.96, 0.97))


class Paired(unittest.TestCase):
    def test_equal_servers(self):
        found = paired.compare([5.0] * 20, [5.0] * 20)
        self.assertEqual((found.middle, found.low, found.high, found.pairs), (1, 1, 1, 20))

    def test_what_disturbs_both_of_a_pair_cancels(self):
        ours = [float(10 + i) for i in range(20)]
        self.assertEqual(paired.compare(ours, ours).text(), "1.000 [1.000, 1.000]")

    def test_ranks_of_the_interval(self):
        # Of 20 the 6th and the 15th: fewer than 6 of 20 lie below the median with 2.07 %, fewer than 7 with 5.8 %.
        self.assertEqual(paired.interval(list(range(1, 21))), (6, 15))
        self.assertEqual(paired.interval(list(range(1, 7))), (1, 6))
        self.assertEqual(paired.interval([1, 2, 3, 4, 5]), (None, None))


if __name__ == "__main__":
    unittest.main()
