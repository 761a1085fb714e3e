#!/usr/bin/env python3
"""An echo server and clients that reset, do not read, or are too many; and how it ends.

    echo_abuse_test.py LOAD_CLIENT SERVER [unittest arguments]
"""

import os
import signal
import socket
import time

import echo_case
import server_case
from server_case import client, is_closed, receive_all, receive_exactly, reset


class Abuse(echo_case.EchoCase):
    def test_storm_of_resets(self):
        # Beside clients that behave: the storm must not disturb them, nor take descriptors.
        for way in self.program.ways:
            with self.served(way) as server:
                storm = self.in_background(self.storm, server)
                self.load("echo", server, "--duration", "800ms", "--connections", 8)
                storm.join()

    def storm(self, server):
        for number in range(400):
            connection = socket.create_connection(server.address, timeout=server_case.LIMIT_S)
            if number % 4 > 0:
                connection.send(os.urandom(1 << number % 16))
            if number % 4 > 1:
                connection.recv(1)
            reset(connection)

    def test_reset_while_the_server_writes(self):
        server = self.serve()
        for _ in range(30):
            connection = self.connect(server, receive_buffer=4096)
            connection.setblocking(False)
            self.send_until_blocked(connection)
            reset(connection)
        self.load("echo", server, "--requests", 100)
        self.assert_ends_well(server)

    def test_urgent_data_hides_nothing(self):
        # A read stops in front of the urgent byte, so a short one does not mean that the socket is empty.
        for way in self.program.ways:
            with self.served(way) as server:
                with self.connect(server) as connection:
                    connection.sendall(b"before")
                    connection.send(b"!", socket.MSG_OOB)
                    connection.sendall(b"behind")
                    self.assertEqual(receive_exactly(connection, 12), b"beforebehind")

    def test_half_open(self):
        # All that was sent comes back after our FIN, then the server's.
        for way in self.program.ways:
            with self.served(way) as server:
                for size in (0, 1, 100, 2_000_000):
                    connection = self.connect(server)
                    contents = os.urandom(size)

                    def send(connection=connection, contents=contents):
                        connection.sendall(contents)
                        connection.shutdown(socket.SHUT_WR)

                    sender = self.in_background(send)
                    self.assertTrue(receive_all(connection) == contents, f"the bytes differ: {size}")
                    sender.join()

    def test_client_that_does_not_read(self):
        server = self.serve("--max-buffered", "64K")
        connection = self.connect(server, receive_buffer=8192)
        before = server.rss_bytes()
        connection.setblocking(False)
        sent = self.send_until_blocked(connection, quiet_s=0.5)
        self.assertLess(server.rss_bytes() - before, 16 << 20, "what waits for one client is bounded")
        [row] = server.report().rows
        self.assertEqual(row["state"], "stopped")
        self.assertLessEqual(int(row["buffered"]), 64 << 10)
        self.assertLessEqual(int(row["received"]), sent)
        cpu = server.threads_cpu_s()
        time.sleep(0.5)
        self.assertLess(server.threads_cpu_s() - cpu, 0.2, "it waits without spinning")
        # The others are served; and once it reads, it gets all that it has sent.
        self.load("echo", server, "--requests", 100)
        connection.settimeout(server_case.LIMIT_S)
        self.assertTrue(receive_exactly(connection, sent) == bytes(sent))
        connection.close()
        self.assert_ends_well(server)

    def test_silent_clients_are_closed(self):
        server = self.serve("--idle-timeout", "300ms")
        silent = [self.connect(server) for _ in range(20)]
        begin = time.monotonic()
        for connection in silent:
            self.assertTrue(is_closed(connection))
        self.assertGreater(time.monotonic() - begin, 0.1)
        for connection in silent:
            connection.close()
        self.assert_ends_well(server)


class Limits(echo_case.EchoCase):
    def crowd(self, server, count):
        """Connections that have all sent one byte. The kernel completes them even if nobody accepts."""
        connections = [self.connect(server) for _ in range(count)]
        for connection in connections:
            connection.sendall(b"?")
        return connections

    @staticmethod
    def answered(connections):
        count = 0
        for connection in connections:
            connection.settimeout(0.01)
            try:
                count += connection.recv(1, socket.MSG_PEEK) == b"?"
            except TimeoutError:
                pass
        return count

    def check_crowd(self, server, most):
        """No more than `most` get in, nobody is turned away, and the rest gets in when the first ones leave."""
        crowd = self.crowd(server, 60)
        self.assertTrue(client.wait_until(lambda: self.answered(crowd) > 0))
        client.wait_until(lambda: self.answered(crowd) >= most, limit_s=2)
        got_in = self.answered(crowd)
        self.assertLessEqual(got_in, most)
        self.assertGreaterEqual(got_in, most // 2)
        cpu = server.threads_cpu_s()
        time.sleep(1)
        self.assertLess(server.threads_cpu_s() - cpu, 0.3, "the full house waits without spinning")
        for connection in crowd:
            connection.settimeout(server_case.LIMIT_S)
            self.assertEqual(connection.recv(1), b"?")
            connection.close()

    def test_connections(self):
        server = self.serve("--max-connections", 8)
        self.check_crowd(server, 8)
        self.assert_ends_well(server)

    def test_descriptors(self):
        # By the soft limit of a running process, which is EMFILE at the accept.
        server = self.serve(*self.program.heeds_limit)
        limit = server.descriptors() + 12
        server.limit_descriptors(limit)
        self.check_crowd(server, 12)
        self.assert_ends_well(server)

    def test_descriptors_that_come_back_without_a_close(self):
        # One client stays, so nothing closes; then the limit is raised.
        server = self.serve(*self.program.heeds_limit)
        ahead = self.program.taken_ahead
        with self.connect(server) as first:
            first.sendall(b"?")
            self.assertEqual(receive_exactly(first, 1), b"?")
            before = server.descriptors() + 20
            server.limit_descriptors(server.descriptors())
            crowd = self.crowd(server, ahead + 3)
            self.assertFalse(client.wait_until(lambda: self.answered(crowd) > ahead, limit_s=0.3))
            server.limit_descriptors(before)
            self.assertTrue(client.wait_until(lambda: self.answered(crowd) == ahead + 3))
            for connection in crowd:
                connection.close()
        self.assert_ends_well(server)

    def test_descriptors_from_the_start(self):
        server = self.serve(preexec_fn=lambda: server_case.limit_descriptors(40))
        self.check_crowd(server, 36)
        self.assert_ends_well(server)


class Endings(echo_case.EchoCase):
    def test_drain_under_load(self):
        for way in self.program.ways:
            with self.subTest(way=" ".join(way)):
                server = self.serve(*way)
                results = []
                loader = self.in_background(lambda server=server, results=results: results.append(client.load(
                    "echo", server.target, "--duration", "60s", "--connections", 16, "--pipeline", 4,
                    "--requests-per-connection", 50, "--timeout", "20s")))
                self.assertTrue(client.wait_until(lambda server=server: server.report().counters["accepted"] > 40,
                                                  limit_s=50, pause_s=0.05))
                server.signal(signal.SIGTERM)
                self.assert_ended_well(server)
                loader.join()
                self.assertEqual(results[0].errors.get("wrong_bytes", 0), 0, str(results[0]))
                self.assertEqual(results[0].errors.get("timeout", 0), 0, str(results[0]))

    def test_drain_gives_what_is_owed(self):
        server = self.serve("--drain-timeout", "60s")
        connection = self.connect(server, receive_buffer=8192)
        connection.setblocking(False)
        self.send_until_blocked(connection, quiet_s=0.3)
        received = int(server.report().rows[0]["received"])
        server.signal(signal.SIGINT)
        time.sleep(0.3)
        self.assertTrue(server.is_alive(), "bytes wait still")
        connection.settimeout(server_case.LIMIT_S)
        self.assertTrue(receive_exactly(connection, received) == bytes(received))
        connection.close()
        self.assert_ended_well(server)

    def test_drain_timeout(self):
        server = self.serve("--drain-timeout", "500ms")
        connection = self.connect(server, receive_buffer=8192)
        connection.setblocking(False)
        self.send_until_blocked(connection, quiet_s=0.3)
        server.signal(signal.SIGTERM)
        self.assert_ended_well(server)

    def test_second_signal_ends_at_once(self):
        server = self.serve("--drain-timeout", "600s")
        connection = self.connect(server, receive_buffer=8192)
        connection.setblocking(False)
        self.send_until_blocked(connection, quiet_s=0.3)
        server.signal(signal.SIGTERM)
        time.sleep(0.3)
        self.assertTrue(server.is_alive())
        server.signal(signal.SIGTERM)
        self.assert_ended_well(server)

    def test_idle_clients_do_not_hold_it_up(self):
        server = self.serve("--drain-timeout", "600s")
        idle = [self.connect(server) for _ in range(10)]
        idle[0].sendall(b"hello")
        self.assertEqual(receive_exactly(idle[0], 5), b"hello")
        server.signal(signal.SIGTERM)
        self.assert_ended_well(server)
        self.assertTrue(all(is_closed(connection) for connection in idle))


if __name__ == "__main__":
    server_case.main()
