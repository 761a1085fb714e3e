#!/usr/bin/env python3
"""load_client with several targets: the order of the slices, and what it says of servers whose order is known.

    paired_test.py LOAD_CLIENT [unittest arguments]
"""

import itertools
import os
import time

import client
from peer import echo

SIZE = 64


def answers_after(seconds):
    def talk(peer):
        for message in peer.messages(SIZE):
            time.sleep(seconds)
            peer.send(message)

    return talk


class Schedule(client.ClientTest):
    def record(self, names, *words):
        """Which target was asked, in the order of asking; a stretch at the same one is one entry."""
        log = []

        def recorder(name):
            def talk(peer):
                for message in peer.messages(SIZE):
                    log.append((time.monotonic(), name))
                    # Slow enough that what is under way when a slice ends is little.
                    time.sleep(0.002)
                    peer.send(message)

            return talk

        targets = [f"{name}={self.serve(recorder(name)).target}" for name in names]
        result = client.load("echo", *targets, "--connections", 1, "--slice", "200ms", *words)
        self.assert_right(result)
        stretches = []
        for name, entries in itertools.groupby(sorted(log), key=lambda entry: entry[1]):
            times = [when for when, _ in entries]
            stretches.append((name, times[-1] - times[0], len(times)))
        # A slice is 200 ms and dozens of messages; the odd message is one that was seen late.
        return [(name, seconds) for name, seconds, count in stretches if count > 3], result

    def test_a_b_b_a(self):
        stretches, result = self.record("AB", "--pairs", 6)
        order = "".join(name for name, _ in stretches)
        # Six pairs: A B B A A B B A A B B A. Two slices of the same target are one stretch.
        self.assertEqual(order, "ABABABA")
        self.assertEqual(result.document["comparisons"][0]["pairs"], 6)
        middle = sorted(seconds for _, seconds in stretches[1:-1])
        self.assertGreater(middle[len(middle) // 2], 0.3, "two slices")
        for target in result.document["targets"]:
            self.assertAlmostEqual(target["seconds"], 1.2, delta=0.6)

    def test_odd_number_of_pairs(self):
        stretches, result = self.record("AB", "--pairs", 3)
        self.assertEqual("".join(name for name, _ in stretches), "ABAB")
        self.assertEqual(result.document["comparisons"][0]["pairs"], 3)

    def test_three_targets(self):
        stretches, result = self.record("ABC", "--pairs", 4)
        asked = "".join(name for name, _ in stretches)
        self.assertNotIn("BC", asked, "each reference is compared to ours, in slices beside ours")
        comparisons = [(c["ours"], c["reference"], c["pairs"]) for c in result.document["comparisons"]]
        self.assertEqual(comparisons, [("A", "B", 4), ("A", "C", 4)])

    def test_connections_of_each_stay_open(self):
        servers = [self.serve(echo), self.serve(echo)]
        result = client.load("echo", *(server.target for server in servers), "--pairs", 6, "--slice", "50ms",
                             "--connections", 5)
        self.assert_right(result)
        for server in servers:
            self.assert_accepted(server, 5)

    def test_warm_up_in_front_of_the_pairs(self):
        stretches, result = self.record("AB", "--pairs", 4, "--warmup", "100ms")
        order = "".join(name for name, _ in stretches)
        self.assertTrue(order.endswith("ABABA"), order)
        self.assertAlmostEqual(result.target["seconds"], 0.8, delta=0.4)


class Verdicts(client.ClientTest):
    def compare(self, *talks, words=()):
        targets = [f"{name}={self.serve(talk).target}@{os.getpid()}" for name, talk in zip("abc", talks)]
        # Of 16 pairs, the interval leaves the three lowest and the three highest out; of 8, none would be.
        result = client.load("echo", *targets, "--pairs", 16, "--slice", "100ms", "--connections", 2, *words)
        self.assert_right(result)
        return result

    def test_faster(self):
        result = self.compare(answers_after(0.001), answers_after(0.010))
        [comparison] = result.document["comparisons"]
        self.assertEqual((comparison["ours"], comparison["reference"]), ("a", "b"))
        throughput = comparison["messages_per_second"]
        self.assertEqual(throughput["verdict"], "faster")
        self.assertGreater(throughput["low"], 1)
        self.assertLessEqual(throughput["low"], throughput["ratio"])
        self.assertLessEqual(throughput["ratio"], throughput["high"])
        # ratio = ours / reference also where less is better: then a ratio below 1 is faster.
        self.assertEqual(comparison["p50"]["verdict"], "faster")
        self.assertLess(comparison["p50"]["high"], 1)

    def test_slower(self):
        [comparison] = self.compare(answers_after(0.010), answers_after(0.001)).document["comparisons"]
        self.assertEqual(comparison["messages_per_second"]["verdict"], "slower")
        self.assertLess(comparison["messages_per_second"]["high"], 1)
        self.assertEqual(comparison["p50"]["verdict"], "slower")
        self.assertGreater(comparison["p50"]["low"], 1)

    def test_ratio_is_that_of_the_servers(self):
        # 20 ms against 10 ms: half the messages. Both lose alike on a busy machine.
        [comparison] = self.compare(answers_after(0.020), answers_after(0.010)).document["comparisons"]
        self.assertAlmostEqual(comparison["messages_per_second"]["ratio"], 0.5, delta=0.15)
        self.assertAlmostEqual(comparison["p50"]["ratio"], 2, delta=0.5)

    def test_three(self):
        result = self.compare(answers_after(0.010), answers_after(0.001), answers_after(0.100))
        first, second = result.document["comparisons"]
        self.assertEqual(first["messages_per_second"]["verdict"], "slower")
        self.assertEqual(second["messages_per_second"]["verdict"], "faster")

    def test_too_few_pairs(self):
        result = self.compare(answers_after(0.001), answers_after(0.010), words=["--pairs", 5])
        for name in ("messages_per_second", "messages_per_cpu_second", "p50", "p99"):
            ratio = result.document["comparisons"][0][name]
            self.assertIsNone(ratio["low"])
            self.assertIsNone(ratio["high"])
            self.assertEqual(ratio["verdict"], "too few pairs")

    def test_a_wrong_byte_of_one_target_is_that_target_s(self):
        def wrong(peer):
            for number, message in enumerate(peer.messages(SIZE)):
                peer.send(message[1:] + message[:1] if number == 20 else message)

        targets = [f"good={self.serve(echo).target}", f"bad={self.serve(wrong).target}"]
        result = client.load("echo", *targets, "--pairs", 4, "--slice", "100ms")
        self.assertEqual(result.status, 1, str(result))
        good, bad = result.document["targets"]
        self.assertEqual(sum(good["errors"].values()), 0)
        self.assertGreaterEqual(bad["errors"]["wrong_bytes"], 1)
        self.assertIn("bad", result.stderr)

    def test_one_target_is_gone(self):
        server = self.serve(echo)
        gone = self.serve(echo)
        gone.vanish()
        result = client.load("echo", f"good={server.target}", f"gone={gone.target}", "--pairs", 4, "--slice", "50ms")
        self.assertEqual(result.status, 1, str(result))
        self.assertGreaterEqual(result.document["targets"][1]["errors"]["refused"], 1)
        self.assert_bounded(result, 5)


if __name__ == "__main__":
    client.main()
