#!/usr/bin/env python3
"""The shapes of load that load_client is asked for, seen by the server: churn, pipelines, mixed sizes, slow readers,
receive buffers.

    shapes_test.py LOAD_CLIENT [unittest arguments]
"""

import socket
import struct
import threading
import time

import client
from peer import echo

SIZE = 64


def echo_and_count(peer):
    for message in peer.messages(SIZE):
        peer.send(message)
        peer.answered += 1


class Churn(client.ClientTest):
    def test_each_connection_gets_so_many(self):
        server = self.serve(echo_and_count)
        result = client.load("echo", server.target, "--requests-per-connection", 3, "--requests", 60)
        self.assert_right(result, messages=60)
        self.assert_accepted(server, result.target["connections_opened"])
        server.wait_for_ends()
        counts = [peer.answered for peer in server.peers]
        self.assertEqual(sum(counts), 60)
        self.assertLessEqual(max(counts), 3)
        self.assertGreaterEqual(counts.count(3), 16, counts)  # the last 4 may share what is left
        self.assertGreaterEqual(server.accepted, 20)
        self.assertLessEqual(server.accepted, 24)

    def test_a_connection_for_each_message(self):
        server = self.serve(echo_and_count)
        result = client.load("echo", server.target, "--requests-per-connection", 1, "--requests", 100)
        self.assert_right(result, messages=100)
        self.assert_accepted(server, result.target["connections_opened"])
        server.wait_for_ends()
        self.assertLessEqual(max(peer.answered for peer in server.peers), 1)

    def test_pipelined(self):
        # The pipeline must not ask for more than the connection's share.
        server = self.serve(echo_and_count)
        result = client.load("echo", server.target, "--requests-per-connection", 5, "--pipeline", 4,
                             "--requests", 100)
        self.assert_right(result, messages=100)
        server.wait_for_ends()
        self.assertLessEqual(max(peer.answered for peer in server.peers), 5)

    def test_never_more_than_so_many_at_once(self):
        lock, open_now, most = threading.Lock(), [0], [0]

        def talk(peer):
            with lock:
                open_now[0] += 1
                most[0] = max(most[0], open_now[0])
            try:
                echo(peer)
            finally:
                with lock:
                    open_now[0] -= 1

        server = self.serve(talk)
        result = client.load("echo", server.target, "--requests-per-connection", 2, "--requests", 100)
        self.assert_right(result, messages=100)
        # The server may see a new connection before it has seen the end of the old one.
        self.assertLessEqual(most[0], 8)


class Pipeline(client.ClientTest):
    def test_depth_is_reached_and_not_exceeded(self):
        seen = []

        def talk(peer):
            # No answer before the whole depth has been asked for.
            messages = [peer.receive(SIZE) for _ in range(8)]
            seen.append(peer.is_quiet(0.2))
            for message in messages:
                peer.send(message)
            echo(peer)

        server = self.serve(talk)
        result = client.load("echo", server.target, "--pipeline", 8, "--connections", 1, "--requests", 160)
        self.assert_right(result, messages=160)
        self.assertEqual(seen, [True])

    def test_without_a_pipeline_one_at_a_time(self):
        quiet = []

        def talk(peer):
            message = peer.receive(SIZE)
            quiet.append(peer.is_quiet(0.2))
            peer.send(message)
            echo(peer)

        server = self.serve(talk)
        self.assert_right(client.load("echo", server.target, "--connections", 3, "--requests", 60), messages=60)
        self.assertEqual(quiet, [True] * 3)

    def test_depth_larger_than_the_requests(self):
        server = self.serve(echo)
        result = client.load("echo", server.target, "--pipeline", 64, "--requests", 10)
        self.assert_right(result, messages=10)


class SizeMix(client.ClientTest):
    def test_proportions(self):
        sizes = []

        def talk(peer):
            # Without a pipeline and at this size, one receive is one message.
            while True:
                data = peer.receive_some()
                sizes.append(len(data))
                peer.send(data)

        server = self.serve(talk)
        result = client.load("echo", server.target, "--size-mix", "10:75,1000:25", "--requests", 400,
                             "--connections", 1)
        self.assert_right(result, messages=400)
        self.assertEqual(set(sizes), {10, 1000})
        self.assertAlmostEqual(sizes.count(1000) / 400, 0.25, delta=0.12)
        # Mixed, not one after the other.
        self.assertGreater(sum(1 for a, b in zip(sizes, sizes[1:]) if a != b), 60)
        self.assertEqual(result.target["bytes_sent"], sum(sizes))

    def test_small_and_large_ones_are_right(self):
        server = self.serve(echo)
        result = client.load("echo", server.target, "--size-mix", "64:90,4K:9,1M:1", "--requests", 300)
        self.assert_right(result, messages=300)
        self.assertEqual(result.target["bytes_sent"], server.received())
        self.assertGreater(result.target["bytes_sent"], 300 * 64)

    def test_a_wrong_byte_among_them(self):
        def talk(peer):
            while True:
                data = peer.receive_some()
                peer.send(data[:-1] + bytes([data[-1] ^ 0x80]) if peer.received > 20_000 else data)

        server = self.serve(talk)
        result = client.load("echo", server.target, "--size-mix", "64:90,4K:10", "--requests", 1000,
                             "--pipeline", 3, "--timeout", "2s", "--duration", "3s")
        self.assert_error(result, "wrong_bytes")


class SlowReaders(client.ClientTest):
    def test_the_server_can_not_get_rid_of_its_bytes(self):
        # Of four connections, two read 1000 bytes a second.
        server = self.serve(self.record_waits, send_buffer=8192, receive_buffer=65536)
        result = client.load("echo", server.target, "--slow-readers", 50, "--slow-rate", 1000, "--duration", "2s",
                             "--timeout", "20s")
        self.assert_right(result)
        self.assertGreater(result.target["messages"], 50, "the others go on")
        server.wait_for_ends()
        stuck = [peer for peer in server.peers if peer.longest_wait > 0.5]
        self.assertEqual(len(stuck), 2, [peer.longest_wait for peer in server.peers])

    @staticmethod
    def record_waits(peer):
        peer.longest_wait = 0
        while True:
            data = peer.receive_some()
            begin = time.monotonic()
            try:
                peer.send(data)
            finally:
                peer.longest_wait = max(peer.longest_wait, time.monotonic() - begin)

    def test_they_read_at_the_rate(self):
        server = self.serve(self.record_waits, send_buffer=8192, receive_buffer=65536)
        result = client.load("echo", server.target, "--slow-readers", 100, "--slow-rate", "500K", "--duration", "2s",
                             "--connections", 2)
        server.wait_for_ends()
        most = (result.target["seconds"] or 2) * 500 * 1024 + (512 << 10)  # the kernels' buffers beside
        for peer in server.peers:
            self.assertLess(peer.sent, most)
            self.assertGreater(peer.sent, 300 << 10)

    def test_all_of_them(self):
        server = self.serve(self.record_waits, send_buffer=8192, receive_buffer=65536)
        result = client.load("echo", server.target, "--slow-readers", 100, "--slow-rate", 1, "--duration", "1s",
                             "--connections", 2)
        self.assertIn(result.status, (0, 1), str(result))
        self.assertEqual(result.errors.get("wrong_bytes", 0), 0)
        self.assert_bounded(result, 2)
        server.wait_for_ends()
        self.assertGreater(min(peer.received for peer in server.peers), 8192, "they send all they can")


class ReceiveBuffer(client.ClientTest):
    WINDOW_AT = 228  # tcpi_snd_wnd in tcp_info

    def largest_window(self, *options):
        """That the client has offered on any connection."""
        windows = []

        def echo_and_ask(peer):
            for message in peer.messages(SIZE):
                info = peer.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, self.WINDOW_AT + 4)
                windows.append(struct.unpack_from("=I", info, self.WINDOW_AT)[0])
                peer.send(message)

        server = self.serve(echo_and_ask)
        self.assert_right(client.load("echo", server.target, "--requests", 200, *options), messages=200)
        return max(windows)

    def test_the_window_is_no_larger(self):
        self.assertLessEqual(self.largest_window("--receive-buffer", "8K"), 16 << 10, "the kernel doubles it")

    def test_else_the_kernel_chooses(self):
        self.assertGreater(self.largest_window(), 32 << 10)


if __name__ == "__main__":
    client.main()
