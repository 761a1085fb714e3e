#!/usr/bin/env python3
"""Clients that want m3_network_server to waste CPU time, memory, or the buffers that others need.

    m3_attack_test.py LOAD_CLIENT M3_NETWORK_SERVER [unittest arguments]
"""

import os
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "servers"))
import echo_case
import server_case
from server_case import client, receive_all, receive_exactly, reset


class AttackCase(echo_case.EchoCase):
    def blocked_client(self, server, quiet_s=0.05):
        """It has sent until nothing more was taken, and reads nothing. And how many bytes it was."""
        connection = self.connect(server, receive_buffer=4096)
        connection.setblocking(False)
        sent = self.send_until_blocked(connection, quiet_s)
        connection.settimeout(server_case.LIMIT_S)
        return connection, sent

    def assert_waits_quietly(self, server):
        before = server.report().counters["turns"]
        cpu = server.threads_cpu_s()
        time.sleep(1)
        self.assertLess(server.report().counters["turns"] - before, 500, "it asks again and again")
        self.assertLess(server.threads_cpu_s() - cpu, 0.3)

    def assert_serves_others(self, server):
        self.load("echo", server, "--requests", 500, "--connections", 8)

    def assert_all_is_back(self, server, buffers):
        self.assertTrue(client.wait_until(lambda: server.report().connections == 0, pause_s=0.02))
        counters = server.report().counters
        self.assertEqual((counters["buffers_with_kernel"], counters["buffers_held"], counters["stale"]),
                         (buffers, 0, 0))


class Attacks(AttackCase):
    def check_half_closed(self, *words, **options):
        server = self.serve("--max-buffered", "64K", *words, **options)
        connection, sent = self.blocked_client(server, quiet_s=0.2)
        connection.shutdown(socket.SHUT_WR)
        self.assert_waits_quietly(server)
        self.assert_serves_others(server)
        self.assertTrue(receive_all(connection) == bytes(sent))
        connection.close()
        self.assert_ends_well(server)

    def test_who_has_shut_down_its_side_and_does_not_read_costs_no_cpu(self):
        self.check_half_closed()

    def test_the_same_without_multishot(self):
        self.check_half_closed("--single-shot")

    def test_the_same_without_descriptors(self):
        self.check_half_closed("--direct-descriptors")

    def test_the_same_with_two_buffers_which_others_need(self):
        self.check_half_closed("--buffers", 2)

    def test_the_same_without_buffer_rings(self):
        self.check_half_closed(env={**os.environ, "URING_DISABLE": "buffer_ring,multishot_recv"})

    def test_who_has_shut_down_its_side_is_closed_for_silence(self):
        server = self.serve("--idle-timeout", "300ms")
        connection, _ = self.blocked_client(server)
        connection.shutdown(socket.SHUT_WR)
        self.assertTrue(client.wait_until(lambda: server.report().counters["closed_idle"] == 1))
        self.assert_all_is_back(server, 512)
        self.assert_ends_well(server)

    def test_many_who_do_not_read_keep_nobody_waiting(self):
        # All buffers together would serve four of them.
        for env in ({}, {"URING_DISABLE": "multishot_recv_limit"}, {"URING_DISABLE": "buffer_ring"}):
            with self.subTest(**env):
                server = self.serve("--buffers", 64, "--buffer-size", "4K", "--max-buffered", "64K",
                                    env={**os.environ, **env})
                before = server.rss_bytes()
                slow = [self.blocked_client(server) for _ in range(30)]
                self.assert_serves_others(server)
                self.assert_waits_quietly(server)
                self.assertLess(server.rss_bytes() - before, 30 * (64 << 10) * 4 + (8 << 20), "what waits is bounded")
                self.assertGreater(server.report().counters["spills"], 0)
                for connection, sent in slow:
                    self.assertTrue(receive_exactly(connection, sent) == bytes(sent), "the bytes differ")
                    connection.close()
                self.assert_all_is_back(server, 64)
                self.assert_ends_well(server)

    def test_a_byte_at_a_time_takes_no_more_buffers_than_others(self):
        # Each byte that is a packet of its own takes a whole buffer.
        server = self.serve("--buffers", 64, "--buffer-size", "4K", "--max-buffered", "64K")
        connection, sent = self.blocked_client(server)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            try:
                sent += connection.send(b"\0")
            except BlockingIOError:
                break
        connection.settimeout(server_case.LIMIT_S)
        counters = server.report().counters
        self.assertLess(counters["buffers_held"], 32)
        self.assert_serves_others(server)
        self.assertTrue(receive_exactly(connection, sent) == bytes(sent))
        connection.close()
        self.assert_all_is_back(server, 64)
        self.assert_ends_well(server)

    def test_who_leaves_with_everything_under_way(self):
        for env in ({}, {"URING_DISABLE": "multishot_recv_limit"}, {"URING_DISABLE": "buffer_ring,multishot_recv"}):
            with self.subTest(**env):
                server = self.serve("--buffers", 16, env={**os.environ, **env})
                for number in range(40):
                    connection, _ = self.blocked_client(server, quiet_s=0.005)
                    if number % 2 == 0:
                        reset(connection)
                    else:
                        connection.close()
                self.assert_all_is_back(server, 16)
                self.assert_serves_others(server)
                self.assert_ends_well(server)

    def test_silent_clients_have_no_buffers(self):
        # Before Linux 5.18 a receive that waits keeps its buffer: then no receive may wait.
        for env in ({}, {"URING_DISABLE": "buffer_ring,multishot_recv"}):
            with self.subTest(**env):
                server = self.serve("--buffers", 4, env={**os.environ, **env})
                silent = [self.connect(server) for _ in range(50)]
                self.assert_serves_others(server)
                self.assertEqual(server.report().counters["buffers_with_kernel"], 4)
                for connection in silent:
                    connection.sendall(b"hello")
                for connection in silent:
                    self.assertEqual(receive_exactly(connection, 5), b"hello")
                    connection.close()
                self.assert_all_is_back(server, 4)
                self.assert_ends_well(server)


if __name__ == "__main__":
    server_case.main()
