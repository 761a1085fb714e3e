#!/usr/bin/env python3
"""What load_client measures: latencies in closed and in open loop, and the rate.

    latency_test.py LOAD_CLIENT [unittest arguments]

A busy machine makes latencies longer and rates lower, never the other way round: bounds on that side are wide.
"""

import threading
import time

import client
from peer import echo

MS = 1_000_000  # ns
SIZE = 64


def late(seconds):
    def talk(peer):
        for message in peer.messages(SIZE):
            time.sleep(seconds)
            peer.send(message)

    return talk


class Stall:
    """An echo server that stands still once: nobody gets an answer for `seconds`, from `after` seconds on
    after its first message."""

    def __init__(self, after, seconds):
        self._lock = threading.Lock()
        self._after = after
        self._seconds = seconds
        self._due = None

    def talk(self, peer):
        for message in peer.messages(SIZE):
            with self._lock:
                now = time.monotonic()
                if self._due is None:
                    self._due = now + self._after
                if now >= self._due:
                    self._due = float("inf")
                    time.sleep(self._seconds)
                peer.send(message)


class ClosedLoop(client.ClientTest):
    def test_late_answers(self):
        server = self.serve(late(0.05))
        result = client.load("echo", server.target, "--requests", 40)
        self.assert_right(result, messages=40)
        latency = result.target["latency_ns"]
        self.assertGreaterEqual(latency["p50"], 50 * MS)
        self.assertGreaterEqual(latency["mean"], 50 * MS)
        self.assertLess(latency["p50"], 1000 * MS)
        # 4 connections, each 20 messages a second at the most.
        self.assertLessEqual(result.target["messages_per_second"], 81)

    def test_one_late_answer_is_the_maximum(self):
        server = self.serve(Stall(0, 0.3).talk)
        result = client.load("echo", server.target, "--requests", 400)
        self.assert_right(result, messages=400)
        latency = result.target["latency_ns"]
        self.assertGreaterEqual(latency["max"], 300 * MS)
        # A client that waits for answers sees only one of each connection: that is why there is --rate.
        self.assertLess(latency["p95"], 300 * MS)

    def test_pipelined_latency_counts_from_the_send(self):
        # The server takes 20 ms for each message; the fourth in the pipeline has waited for three others.
        server = self.serve(late(0.02))
        result = client.load("echo", server.target, "--requests", 40, "--pipeline", 4, "--connections", 1)
        self.assert_right(result, messages=40)
        self.assertGreaterEqual(result.target["latency_ns"]["p50"], 75 * MS)


class OpenLoop(client.ClientTest):
    RATE = 200

    def test_a_stall_is_seen_by_all_that_were_due_in_it(self):
        # 60 of 400 messages are due in the 300 ms, and wait from 300 ms down to none: 1 in 20 of all waits
        # for at least 200 ms. Counted from the send, only those would be late that were on their way.
        server = self.serve(Stall(0.7, 0.3).talk)
        result = client.load("echo", server.target, "--rate", self.RATE, "--duration", "2s")
        self.assert_right(result)
        latency = result.target["latency_ns"]
        self.assertGreaterEqual(latency["max"], 290 * MS)
        self.assertGreaterEqual(latency["p99"], 250 * MS)
        self.assertGreaterEqual(latency["p95"], 150 * MS)
        self.assertLess(latency["p50"], latency["p95"])

    def test_a_stall_is_in_its_window_alone(self):
        # Of four windows of a second the third has the stall, wherever in it a late start puts that.
        server = self.serve(Stall(2.2, 0.3).talk)
        result = client.load("echo", server.target, "--rate", self.RATE, "--duration", "4s", "--windows", 4)
        self.assert_right(result)
        windows = result.target["windows"]
        self.assertEqual(len(windows), 4)
        self.assertEqual(sum(window["messages"] for window in windows), result.target["messages"])
        for window in windows:
            self.assertEqual(window["latency_ns"]["count"], window["messages"])
            self.assertGreaterEqual(window["messages"], 0.5 * self.RATE)
        worst = [window["latency_ns"]["p95"] for window in windows]
        self.assertEqual(worst.index(max(worst)), 2, str(worst))
        self.assertGreaterEqual(worst[2], 200 * MS)
        self.assertEqual(windows[2]["latency_ns"]["max"], result.target["latency_ns"]["max"])

    def test_windows_are_of_what_is_measured(self):
        server = self.serve(echo)
        result = client.load("echo", server.target, "--duration", "300ms", "--warmup", "300ms", "--windows", 3)
        self.assert_right(result)
        windows = result.target["windows"]
        self.assertEqual(sum(window["messages"] for window in windows), result.target["messages"])
        self.assertTrue(all(window["messages"] > 0 for window in windows), str(windows))

    def test_one_connection_makes_up_for_the_stall(self):
        server = self.serve(Stall(0.5, 0.3).talk)
        result = client.load("echo", server.target, "--rate", self.RATE, "--duration", "2s", "--connections", 1)
        self.assert_right(result)
        self.assertGreaterEqual(result.target["latency_ns"]["p95"], 150 * MS)
        self.assertGreaterEqual(result.target["messages"], 0.85 * 2 * self.RATE)

    def test_rate_is_met(self):
        for rate in (50, 400):
            with self.subTest(rate=rate):
                server = self.serve(echo)
                result = client.load("echo", server.target, "--rate", rate, "--duration", "2s")
                self.assert_right(result)
                self.assertLessEqual(result.target["messages"], 2 * rate + 2)
                self.assertGreaterEqual(result.target["messages"], 0.85 * 2 * rate)
                self.assertEqual(result.document["rate"], rate)

    def test_messages_are_spread_over_the_time(self):
        arrivals = []

        def talk(peer):
            for message in peer.messages(SIZE):
                arrivals.append(time.monotonic())
                peer.send(message)

        server = self.serve(talk)
        self.assert_right(client.load("echo", server.target, "--rate", 100, "--duration", "2s"))
        gaps = sorted(after - before for before, after in zip(arrivals, arrivals[1:]))
        self.assertGreater(len(gaps), 150)
        self.assertGreater(gaps[len(gaps) // 2], 0.004, "10 ms apart, not in bursts")
        self.assertLess(gaps[len(gaps) // 2], 0.016)

    def test_requests_end_the_open_loop(self):
        server = self.serve(echo)
        self.assert_right(client.load("echo", server.target, "--rate", 500, "--requests", 100), messages=100)

    def test_more_than_the_server_can_do(self):
        # One connection that answers 20 a second is asked for 500: the queue and the latencies grow, the run ends.
        server = self.serve(late(0.05))
        result = client.load("echo", server.target, "--rate", 500, "--duration", "1s", "--connections", 1,
                             "--timeout", "30s")
        self.assert_bounded(result, 35)
        self.assertGreater(result.target["latency_ns"]["max"], 400 * MS)
        self.assertLess(result.target["messages_per_second"], 100)

    def test_http(self):
        def talk(peer):
            data = b""
            while True:
                data += peer.receive_some()
                while b"\r\n\r\n" in data:
                    data = data.partition(b"\r\n\r\n")[2]
                    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        server = self.serve(talk)
        result = client.load("http", server.target, "--rate", 200, "--duration", "1s")
        self.assert_right(result)
        self.assertGreaterEqual(result.target["messages"], 0.85 * 200)
        self.assertLessEqual(result.target["messages"], 202)


if __name__ == "__main__":
    client.main()
