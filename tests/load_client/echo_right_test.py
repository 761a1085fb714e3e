#!/usr/bin/env python3
"""load_client echo against servers that answer right: whole, in pieces, to many connections; and what it sends.

    echo_right_test.py LOAD_CLIENT [unittest arguments]
"""

import random
import threading

import client
from peer import echo


def in_pieces(peer):
    order = random.Random(peer.number)
    while True:
        data = peer.receive_some()
        while data:
            size = order.randint(1, 7)
            peer.send(data[:size])
            data = data[size:]


class Right(client.ClientTest):
    def test_every_message_is_counted(self):
        server = self.serve(echo)
        result = client.load("echo", server.target, "--requests", 500, "--size", 64)
        self.assert_right(result, messages=500)
        server.wait_for_ends()
        self.assertEqual(result.target["bytes_sent"], 500 * 64)
        self.assertEqual(result.target["bytes_received"], 500 * 64)
        self.assertEqual(server.received(), 500 * 64)
        self.assertEqual(result.target["connections_opened"], 4)
        self.assert_accepted(server, 4)

    def test_latencies_are_in_order(self):
        result = client.load("echo", self.serve(echo).target, "--requests", 300)
        latency = result.target["latency_ns"]
        ranks = [latency[name] for name in ("p50", "p95", "p99", "p99.9", "max")]
        self.assertEqual(ranks, sorted(ranks), str(result))
        self.assertGreater(latency["p50"], 1000)
        self.assertGreater(latency["mean"], 1000)
        self.assertLessEqual(latency["mean"], latency["max"])

    def test_in_pieces(self):
        server = self.serve(in_pieces)
        self.assert_right(client.load("echo", server.target, "--requests", 80, "--size", 200), messages=80)

    def test_in_pieces_and_pipelined(self):
        server = self.serve(in_pieces)
        result = client.load("echo", server.target, "--requests", 200, "--size", 100, "--pipeline", 8)
        self.assert_right(result, messages=200)

    def test_sizes(self):
        for size in ("1", "4K", "64K", "1000003"):
            with self.subTest(size=size):
                server = self.serve(echo)
                self.assert_right(client.load("echo", server.target, "--requests", 20, "--size", size), messages=20)

    def test_large_messages_pipelined_through_small_buffers(self):
        server = self.serve(echo, send_buffer=8192, receive_buffer=8192)
        result = client.load("echo", server.target, "--requests", 12, "--size", "200K", "--pipeline", 3)
        self.assert_right(result, messages=12)

    def test_many_connections(self):
        server = self.serve(echo)
        result = client.load("echo", server.target, "--requests", 600, "--connections", 200)
        self.assert_right(result, messages=600)
        self.assertEqual(result.target["connections_opened"], 200)

    def test_fewer_requests_than_connections(self):
        server = self.serve(echo)
        self.assert_right(client.load("echo", server.target, "--requests", 3, "--connections", 8), messages=3)

    def test_ends_after_the_duration(self):
        server = self.serve(echo)
        result = client.load("echo", server.target, "--duration", "400ms")
        self.assert_right(result)
        self.assert_bounded(result, 0.4)
        self.assertGreater(result.target["messages"], 10)
        self.assertGreaterEqual(result.target["seconds"], 0.39)
        self.assertLess(result.target["seconds"], 5)
        expected = result.target["messages"] / result.target["seconds"]
        self.assertAlmostEqual(result.target["messages_per_second"], expected, delta=expected * 0.01)

    def test_warmup_is_not_counted(self):
        # 5 ms for each answer: what one connection can do in a time is known.
        server = self.serve(answers_after_5_ms)
        result = client.load("echo", server.target, "--connections", 1, "--warmup", "500ms", "--duration", "300ms")
        self.assert_right(result)
        self.assertLessEqual(result.target["messages"], result.target["seconds"] / 0.005 + 2)
        server.wait_for_ends()
        self.assertGreater(server.received(), result.target["messages"] * 64)

    def test_ipv6(self):
        try:
            server = self.serve(echo, address="::1")
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")
        result = client.load("echo", server.target, "--requests", 100)
        self.assert_right(result, messages=100)
        self.assertEqual(result.target["address"], server.target)


def answers_after_5_ms(peer):
    pause = threading.Event()
    for message in peer.messages(64):
        pause.wait(0.005)
        peer.send(message)


class Contents(client.ClientTest):
    """What differs in the contents is what a wrong answer can be found by."""

    def streams(self, *words):
        """The bytes that each connection sent."""
        sent = {}

        def record(peer):
            while True:
                data = peer.receive_some()
                sent[peer.number] = sent.get(peer.number, b"") + data
                peer.send(data)

        server = self.serve(record)
        self.assert_right(client.load("echo", server.target, "--requests", 40, *words))
        server.wait_for_ends()
        return sent

    def test_messages_differ(self):
        stream = self.streams("--connections", 1)[0]
        messages = {stream[begin:begin + 64] for begin in range(0, len(stream), 64)}
        self.assertEqual(len(messages), 40)

    def test_no_stretch_looks_like_another(self):
        # A lost or doubled piece of any length must shift the rest onto bytes that differ.
        stream = self.streams("--connections", 1)[0]
        pieces = {stream[begin:begin + 8] for begin in range(len(stream) - 8)}
        self.assertGreater(len(pieces), 0.95 * (len(stream) - 8))

    def test_connections_differ(self):
        streams = self.streams("--connections", 4)
        beginnings = {stream[:64] for stream in streams.values()}
        self.assertEqual(len(beginnings), 4)

    def test_seed_decides(self):
        first = self.streams("--connections", 1, "--seed", 7)[0]
        again = self.streams("--connections", 1, "--seed", 7)[0]
        other = self.streams("--connections", 1, "--seed", 8)[0]
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)


if __name__ == "__main__":
    client.main()
