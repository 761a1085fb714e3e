#!/usr/bin/env python3
"""An echo server under load and churn, in each of its ways.

    echo_server_test.py LOAD_CLIENT SERVER [unittest arguments]
"""

import socket

import echo_case
import server_case
from server_case import client


class RightBytes(echo_case.EchoCase):
    def load_each_way(self, protocol_words, *server_words):
        for way in self.program.ways:
            with self.served(way, *server_words) as server:
                result = self.load("echo", server, *protocol_words)
                self.assertGreater(result.target["bytes_received"], 0)

    def test_small_messages(self):
        self.load_each_way(["--requests", 3000, "--connections", 32, "--pipeline", 4])

    def test_larger_than_one_read(self):
        self.load_each_way(["--requests", 60, "--size", "700K", "--connections", 6])

    def test_mixed_sizes(self):
        self.load_each_way(["--requests", 600, "--size-mix", "1:30,64:30,5K:30,500K:10", "--pipeline", 3])

    def test_more_than_may_be_buffered(self):
        # The client sends on while its answers fill the buffer up: reading stops and starts again.
        self.load_each_way(["--requests", 30, "--size", "3M", "--pipeline", 2], "--max-buffered", "16K")

    def test_stream(self):
        self.load_each_way(["--stream", "--duration", "500ms"])

    def test_churn(self):
        for way in self.program.ways:
            with self.served(way) as server:
                result = self.load("echo", server, "--requests", 1500, "--requests-per-connection", 3,
                                   "--connections", 40)
                opened = result.target["connections_opened"]
                self.assertGreaterEqual(opened, 500)
                self.assert_descriptors_are_back(server)
                self.assertTrue(client.wait_until(lambda server=server: server.report().connections == 0, pause_s=0.02))
                counters = server.report().counters
                self.assertEqual(counters["accepted"], opened)
                self.assertEqual(counters["closed"], opened)

    def test_slow_readers_beside_others(self):
        self.load_each_way(["--slow-readers", 25, "--slow-rate", "1K", "--duration", "1s", "--connections", 8,
                            "--timeout", "60s"])

    def test_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")
        server = self.serve("--bind", "::1")
        self.load("echo", server, "--requests", 200)
        self.assert_ends_well(server)


if __name__ == "__main__":
    server_case.main()
