#!/usr/bin/env python3
"""An HTTP server and clients that do not behave, or want more than there is.

    http_abuse_test.py LOAD_CLIENT SERVER [unittest arguments]

SERVER is one of http_case.PROGRAMS.
"""

import os
import random
import socket
import time

import http_case
import server_case
from raw_http import Connection, Truncated, request
from server_case import client, is_closed, reset

LARGE = f"{3 << 20}.bin"


class Aborts(http_case.HttpCase):
    def test_aborted_downloads(self):
        for words in self.program.ways:
            with self.subTest(words=words):
                server = self.serve(*words)
                storm = self.in_background(self.abort_many, server)
                self.load_http(server, "--paths", "/1000.bin,/100000.bin", "--duration", "700ms")
                storm.join()
                self.assert_http_ends_well(server)

    @staticmethod
    def abort_many(server):
        order = random.Random(4)
        for number in range(150):
            with Connection(server.address, receive_buffer=8192) as connection:
                connection.send(request("/" + LARGE) * order.choice([1, 3]))
                if number % 3 > 0:
                    connection.socket.recv(order.choice([1, 5000, 100_000]))
                if number % 2 > 0:
                    reset(connection.socket)

    def test_requests_and_reset(self):
        server = self.serve()
        for number in range(200):
            connection = socket.create_connection(server.address, timeout=server_case.LIMIT_S)
            connection.sendall(request("/1.bin")[:1 + number % 40])
            reset(connection)
        self.assert_still_serves(server)
        self.assert_http_ends_well(server)

    def test_downloads_that_nobody_reads(self):
        server = self.serve(*self.program.little_memory)
        before = server.rss_bytes()
        connections = []
        for _ in range(20):
            connection = self.connection(server, receive_buffer=8192)
            connection.send(request("/" + LARGE) * 50)
            connections.append(connection)
        time.sleep(0.5)
        self.assertLess(server.rss_bytes() - before, 48 << 20, "bounded for each client")
        cpu = server.threads_cpu_s()
        time.sleep(0.5)
        self.assertLess(server.threads_cpu_s() - cpu, 0.2, "it waits without spinning")
        self.assert_still_serves(server)
        for connection in connections:
            connection.socket.close()
        self.assert_http_ends_well(server)


class BadRequests(http_case.HttpCase):
    def test_garbage(self):
        server = self.serve("--header-timeout", "1s")
        order = random.Random(5)
        for number in range(100):
            with Connection(server.address) as connection:
                try:
                    connection.send(order.randbytes(order.randrange(1, 5000)))
                    connection.send(b"\r\n\r\n")
                    response = connection.receive()
                    self.assertIn(response.status, (400, 408, 431, 501, 505), number)
                    self.assertTrue(connection.is_at_end(), "nothing can follow garbage")
                except (Truncated, ConnectionError):
                    pass  # a clean close is an answer too
        self.assert_still_serves(server)
        self.assert_http_ends_well(server)

    def test_statuses(self):
        get = "GET /1.bin HTTP/1.1\r\nHost: a\r\n"
        cases = [
            (b"GET /missing HTTP/1.1\r\nHost: a\r\n\r\n", 404, True),
            (b"DELETE /1.bin HTTP/1.1\r\nHost: a\r\n\r\n", 405, True),
            (b"GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", (400, 403, 404), None),
            (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", (400, 403, 404), None),
            (b"GET /1.bin%00 HTTP/1.1\r\nHost: a\r\n\r\n", (400, 404), None),
            (b"GET /1.bin HTTP/1.1\r\n\r\n", 400, False),
            (b"GET  /1.bin HTTP/1.1\r\nHost: a\r\n\r\n", 400, False),
            (get.encode() + b"Host: b\r\n\r\n", 400, False),
            (get.encode() + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, False),
            (get.encode() + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, False),
            (get.encode() + b"Bad Name: x\r\n\r\n", 400, False),
            (get.encode() + b"X: " + b"v" * 100_000 + b"\r\n\r\n", 431, False),
            (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, False),
            (get.encode() + b"Content-Length: 99999999999\r\n\r\n", 413, False),
        ]
        server = self.serve()
        for data, expected, goes_on in cases:
            with self.subTest(data=data[:60]), Connection(server.address) as connection:
                connection.send(data)
                response = connection.receive()
                self.assertIn(response.status, expected if isinstance(expected, tuple) else (expected,))
                if goes_on:
                    self.assert_file(connection.get("/1.bin"), "1.bin")
                elif goes_on is not None:
                    self.assertTrue(connection.is_at_end())
        self.assert_http_ends_well(server)

    def test_a_body_is_not_a_request(self):
        inner = request("/1000.bin")
        server = self.serve()
        for head in (f"GET /1.bin HTTP/1.1\r\nHost: a\r\nContent-Length: {len(inner)}\r\n\r\n",
                     f"POST /1.bin HTTP/1.1\r\nHost: a\r\nContent-Length: {len(inner)}\r\n\r\n"):
            with self.subTest(head=head[:5]), Connection(server.address) as connection:
                connection.send(head.encode() + inner + request("/1.bin"))
                first = connection.receive()
                self.assertNotEqual(first.body, self.contents["1000.bin"])
                try:
                    self.assert_file(connection.receive(), "1.bin")
                except (Truncated, ConnectionError):
                    pass  # refused, and closed before it could be mistaken
        self.assert_http_ends_well(server)

    def test_no_way_out_and_nothing_that_hangs(self):
        os.symlink("/etc", os.path.join(self.root, "out"))
        os.symlink("/etc/hostname", os.path.join(self.root, "hostname"))
        os.mkfifo(os.path.join(self.root, "fifo"))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.join(self.root, "socket"))
        server = self.serve()
        with Connection(server.address) as connection:
            for path in ("/out/hostname", "/hostname", "/fifo", "/socket"):
                self.assertIn(connection.get(path).status, (403, 404), path)
        self.assert_http_ends_well(server)

    def test_slow_head(self):
        server = self.serve("--header-timeout", "400ms", "--idle-timeout", "20s")
        for beginning in (b"G", request("/1.bin")[:-2], b""):
            with self.subTest(beginning=beginning), Connection(server.address) as connection:
                connection.send(beginning)
                begin = time.monotonic()
                try:
                    self.assertEqual(connection.receive().status, 408)
                except (Truncated, ConnectionError):
                    self.assertEqual(beginning, b"", "only who has sent nothing gets no answer")
                self.assertGreater(time.monotonic() - begin, 0.3)
                self.assertLess(time.monotonic() - begin, 10)
                self.assertTrue(connection.is_at_end())
        self.assert_http_ends_well(server)

    def test_a_byte_now_and_then_does_not_help(self):
        server = self.serve("--header-timeout", "500ms")
        with Connection(server.address) as connection:
            begin = time.monotonic()
            try:
                for byte in request("/1.bin") * 10:
                    connection.send(bytes([byte]))
                    time.sleep(0.02)
                    if time.monotonic() - begin > 10:
                        self.fail("a request may take 500 ms")
            except ConnectionError:
                pass
            self.assertTrue(is_closed(connection.socket))
        self.assert_http_ends_well(server)


class Limits(http_case.HttpCase):
    def test_descriptors_for_files(self):
        # Connections and files want the same descriptors: who gets none is told or waits; nobody is lost for ever.
        for number in range(100):
            self.write(f"many{number}", b"%d" % number)
        server = self.serve(preexec_fn=lambda: server_case.limit_descriptors(40))
        self.assertIn(200, self.check_files(server))

    def test_descriptors_taken_away(self):
        for number in range(100):
            self.write(f"many{number}", b"%d" % number)
        server = self.serve()
        server.limit_descriptors(server.descriptors() + 12)
        self.check_files(server)  # twelve connections may take all that is left: then no file is served at first

    def check_files(self, server):
        """Asks for more files at once than there are descriptors: the statuses, 0 for a closed connection."""
        crowd = [Connection(server.address) for _ in range(40)]
        for number, connection in enumerate(crowd):
            connection.send(request(f"/many{number}"))
        statuses = []
        for number, connection in enumerate(crowd):
            try:
                response = connection.receive()
                statuses.append(response.status)
                if response.status == 200:
                    self.assertEqual(response.body, b"%d" % number)
            except (Truncated, ConnectionError):
                statuses.append(0)
            connection.socket.close()
        self.assertLessEqual(set(statuses), {200, 503, 0}, statuses)
        cpu = server.threads_cpu_s()
        time.sleep(0.5)
        self.assertLess(server.threads_cpu_s() - cpu, 0.2, "it waits without spinning")
        self.assertTrue(client.wait_until(lambda: self.is_served(server), limit_s=20, pause_s=0.1))
        # The cache may keep what it has room for.
        self.assert_ends_well(server, kept=40)
        return statuses

    def is_served(self, server):
        with Connection(server.address) as connection:
            try:
                return connection.get("/1000.bin").body == self.contents["1000.bin"]
            except (Truncated, ConnectionError):
                return False

    def test_idle_between_requests(self):
        server = self.serve("--idle-timeout", "400ms")
        with Connection(server.address) as connection:
            self.assert_file(connection.get("/1.bin"), "1.bin")
            self.assertTrue(connection.is_at_end())
        self.assert_http_ends_well(server)


if __name__ == "__main__":
    server_case.main()
