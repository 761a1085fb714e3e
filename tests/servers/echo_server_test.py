#!/usr/bin/env python3
"""epoll_reference echo under load and churn, in each mode.

    echo_server_test.py LOAD_CLIENT EPOLL_REFERENCE [unittest arguments]
"""

import signal
import socket

import server_case
from server_case import client

MODES = ["lt", "et"]


class RightBytes(server_case.ServerCase):
    def each_mode(self, protocol_words, *server_words):
        for mode in MODES:
            with self.subTest(mode=mode):
                server = self.start("echo", "--mode", mode, *server_words)
                result = self.load("echo", server, *protocol_words)
                self.assert_ends_well(server)
                self.assertGreater(result.target["bytes_received"], 0)

    def test_small_messages(self):
        self.each_mode(["--requests", 3000, "--connections", 32, "--pipeline", 4])

    def test_larger_than_one_read(self):
        self.each_mode(["--requests", 60, "--size", "700K", "--connections", 6])

    def test_mixed_sizes(self):
        self.each_mode(["--requests", 600, "--size-mix", "1:30,64:30,5K:30,500K:10", "--pipeline", 3])

    def test_more_than_may_be_buffered(self):
        # The client sends on while its answers fill the buffer up: reading stops and starts again.
        self.each_mode(["--requests", 30, "--size", "3M", "--pipeline", 2], "--max-buffered", "16K")

    def test_stream(self):
        self.each_mode(["--stream", "--duration", "500ms"])

    def test_churn(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                server = self.start("echo", "--mode", mode)
                result = self.load("echo", server, "--requests", 1500, "--requests-per-connection", 3,
                                   "--connections", 40)
                opened = result.target["connections_opened"]
                self.assertGreaterEqual(opened, 500)
                self.assert_descriptors_are_back(server)
                counters = server.report().counters
                self.assertEqual(counters["accepted"], opened)
                self.assertEqual(counters["closed"], opened)
                self.assert_ends_well(server)

    def test_slow_readers_beside_others(self):
        self.each_mode(["--slow-readers", 25, "--slow-rate", "1K", "--duration", "1s", "--connections", 8,
                        "--timeout", "60s"])

    def test_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")
        server = self.start("echo", "--bind", "::1")
        self.load("echo", server, "--requests", 200)
        self.assert_ends_well(server)

    def test_the_single_read_bug_hangs_a_client(self):
        server = self.start("echo", "--mode", "broken-et")
        result = client.load("echo", server.target, "--requests", 4, "--size", "700K", "--timeout", "500ms",
                             "--duration", "1s")
        self.assertEqual(result.status, 1, str(result))
        self.assertGreaterEqual(result.errors.get("timeout", 0), 1, str(result))
        # It has not read the ends of these connections either.
        server.signal(signal.SIGTERM)
        self.assert_ended_well(server)


if __name__ == "__main__":
    server_case.main()
