#!/usr/bin/env python3
"""m2_file_server from outside: what it does that other HTTP servers here do not. What all of them must do is in
tests/servers/http_server_test.py and http_abuse_test.py, which run with it as well.

    file_server_test.py LOAD_CLIENT M2_FILE_SERVER [unittest arguments]
"""

import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "servers"))
import http_case
import server_case
from raw_http import Connection, Truncated, request
from server_case import client, reset

LARGE = f"{3 << 20}.bin"
HUGE_BYTES = 16 << 20  # more than the sockets of a connection hold
NOBODY = 65534


class FileServerCase(http_case.HttpCase):
    def assert_counter(self, server, name, expected):
        """It comes to this, sooner or later."""
        seen = []

        def is_there():
            seen.append(server.report().counters[name])
            return seen[-1] == expected

        self.assertTrue(client.wait_until(is_there, pause_s=0.02), f"{name} is {seen[-1]} and not {expected}")

    def slow_clients(self, server, count):
        """They have asked for a huge file and read nothing: the server waits for each."""
        self.write("huge.bin", random.Random(9).randbytes(HUGE_BYTES))
        connections = [self.connection(server, receive_buffer=8192) for _ in range(count)]
        for connection in connections:
            connection.send(request("/huge.bin"))
        self.assertTrue(client.wait_until(lambda: server.report().counters["sends_blocked"] >= count))
        return connections

    def run_program(self, *words, **options):
        return subprocess.run([client.SERVER, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=server_case.LIMIT_S, check=False, **options)


class Requests(FileServerCase):
    def test_in_two_pieces_cut_anywhere(self):
        server = self.serve()
        text = request("/1000.bin") + request("/1.bin")
        connection = self.connection(server)
        for cut in range(1, len(text)):
            connection.send(text[:cut])
            server.report()  # what was there before the signal has been received before the report
            connection.send(text[cut:])
            self.assert_file(connection.receive(), "1000.bin")
            self.assert_file(connection.receive(), "1.bin")
        connection.socket.close()
        self.assert_http_ends_well(server)

    def test_heads_of_every_length(self):
        # Around the kilobyte that a connection has at first, and up to the limit.
        server = self.serve()
        connection = self.connection(server)
        for length in [*range(900, 1100, 7), 2000, 4095, 4096, 8000]:
            connection.send(request("/1.bin", X="x" * length) + request("/1000.bin"))
            self.assert_file(connection.receive(), "1.bin")
            self.assert_file(connection.receive(), "1000.bin")
        connection.socket.close()
        self.assert_http_ends_well(server)

    def test_ranges_in_small_buffers(self):
        contents = self.contents["100000.bin"]
        order = random.Random(6)
        for words in (["--direct"], ["--no-fixed-buffers"]):
            server = self.serve("--buffers", 3, "--buffer-size", "4K", *words)
            connection = self.connection(server)
            for _ in range(80):
                first = order.randrange(len(contents))
                last = order.randrange(first, len(contents))
                response = connection.get("/100000.bin", Range=f"bytes={first}-{last}")
                self.assertEqual(response.status, 206)
                self.assertTrue(response.body == contents[first:last + 1], f"{words}: {first}-{last} differs")
            connection.socket.close()
            self.assert_http_ends_well(server)

    def test_without_a_root_it_serves_the_example(self):
        server = self.start()
        connection = self.connection(server)
        for path, content_type in (("/", "text/html"), ("/style.css", "text/css"), ("/ring.svg", "image/svg+xml")):
            response = connection.get(path)
            self.assertEqual(response.status, 200)
            self.assertTrue(response.headers["content-type"].startswith(content_type), response.headers)
        connection.socket.close()
        self.assert_ends_well(server, kept=3)

    def test_ipv6(self):
        server = self.serve("--bind", "::1")
        self.assertTrue(server.target.startswith("[::1]:"))
        self.assert_still_serves(server)
        self.assert_http_ends_well(server)


class SlowReaders(FileServerCase):
    def test_who_does_not_read_keeps_nobody_waiting(self):
        server = self.serve("--buffers", "4")
        slow = self.slow_clients(server, 10)
        with Connection(server.address) as connection:
            for name in ("1000.bin", LARGE, "100000.bin"):
                self.assert_file(connection.get("/" + name), name)
        self.assertGreater(server.report().counters["buffers_taken_back"], 0)
        for connection in slow:
            self.assert_file(connection.receive(), "huge.bin")
            connection.socket.close()
        self.assert_counter(server, "buffers_free", 4)
        self.assert_http_ends_well(server)

    def test_who_has_shut_down_its_side_costs_nothing_and_gets_all(self):
        server = self.serve("--buffers", "4")
        slow = self.slow_clients(server, 6)
        for connection in slow:
            connection.socket.shutdown(socket.SHUT_WR)
        self.assert_still_serves(server)
        cpu = server.threads_cpu_s()
        time.sleep(0.5)
        self.assertLess(server.threads_cpu_s() - cpu, 0.2, "it waits without spinning")
        for connection in slow:
            self.assert_file(connection.receive(), "huge.bin")
            self.assertTrue(connection.is_at_end())
        self.assert_counter(server, "buffers_free", 4)
        self.assert_http_ends_well(server)

    def test_the_idle_timeout_ends_them(self):
        server = self.serve("--buffers", "4", "--idle-timeout", "500ms")
        self.slow_clients(server, 8)
        self.assertTrue(client.wait_until(lambda: server.report().counters["closed_idle"] == 8, pause_s=0.02))
        self.assert_counter(server, "buffers_free", 4)
        self.assert_http_ends_well(server)

    def test_a_drain_does_not_wait_for_them_for_ever(self):
        server = self.serve("--buffers", "4", "--drain-timeout", "300ms")
        slow = self.slow_clients(server, 8)
        server.signal(signal.SIGTERM)
        self.assert_ended_well(server)
        for connection in slow:
            with self.assertRaises((Truncated, ConnectionError)):
                connection.receive()

    def test_a_drain_waits_for_those_who_read(self):
        server = self.serve("--buffers", "2", "--drain-timeout", "30s")
        slow, = self.slow_clients(server, 1)
        server.signal(signal.SIGTERM)
        self.assert_file(slow.receive(), "huge.bin")
        self.assertTrue(slow.is_at_end())
        self.assert_ended_well(server)


class Vanishing(FileServerCase):
    def test_at_every_stage(self):
        server = self.serve("--buffers", "4")
        order = random.Random(8)
        stages = [
            lambda connection: None,
            lambda connection: connection.send(b"GET"),
            lambda connection: connection.send(request("/1000.bin")),
            lambda connection: connection.send(request("/" + LARGE) * 2),
            lambda connection: (connection.send(request("/" + LARGE)), connection.socket.recv(1)),
            lambda connection: (connection.send(request("/" + LARGE)), connection.socket.recv(200_000)),
            lambda connection: (connection.send(request("/missing") + request("/1.bin")), connection.socket.recv(10)),
            lambda connection: connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"),
        ]
        for number in range(25 * len(stages)):
            with Connection(server.address, receive_buffer=8192) as connection:
                stages[number % len(stages)](connection)
                if order.randrange(2):
                    reset(connection.socket)
        self.assert_counter(server, "reads_in_flight", 0)
        self.assert_counter(server, "buffers_free", 4)
        self.assert_still_serves(server)
        self.assert_http_ends_well(server)


class Limits(FileServerCase):
    def test_locked_memory(self):
        # Too little for the buffers: they are not registered, and all is served.
        os.chmod(self.root, 0o755)
        for path in (self.root, client.SERVER):
            allowed = subprocess.run(["test", "-r", path], user=NOBODY, group=NOBODY, extra_groups=[], check=False)
            if allowed.returncode != 0:
                self.skipTest(f"{path} is not for everybody")
        server = self.serve(user=NOBODY, group=NOBODY, extra_groups=[],
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (1 << 20, 1 << 20)))
        self.assertIn("note: the buffers are not registered: Cannot allocate memory", server.stderr())
        self.assertIn("ulimit -l", server.stderr())
        self.load_http(server, "--paths", f"/1000.bin,/{LARGE}", "--requests", 50)
        self.assert_http_ends_well(server)

    def test_without_features_of_newer_kernels(self):
        for names in ("cancel_fd", "sparse_buffers,buffer_update", "ext_arg,registered_ring",
                      "submit_all,coop_taskrun,single_issuer,defer_taskrun"):
            with self.subTest(names=names):
                server = self.serve("--file-cache", "2", env={**os.environ, "URING_DISABLE": names})
                self.load_http(server, "--paths", "/1.bin,/1000.bin,/100000.bin", "--requests", 60,
                               "--requests-per-connection", 7)
                self.assert_http_ends_well(server)

    def test_without_openat2_it_does_not_start(self):
        done = self.run_program("--port", "0", env={**os.environ, "URING_DISABLE": "openat2"})
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("IORING_OP_OPENAT2", done.stderr)

    def test_what_it_cannot_be_told(self):
        for words, named in ((["--buffer-size", "5000"], "5000"), (["--buffers", "0"], "0"), (["--read-ahead", "0"], "0"),
                             (["--root", "/no/such/folder"], "/no/such/folder"), (["--max-buffered", "1M"], "max-buffered"),
                             (["servve"], "servve"), (["bench"], "read or serve"), (["bench", "write"], "write")):
            done = self.run_program(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn(named, done.stderr)

    def test_help(self):
        done = self.run_program("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for option in ("root", "buffers", "buffer-size", "read-ahead", "[no-]direct", "[no-]fixed-buffers",
                       "[no-]registered-files", "file-cache", "header-timeout", "drain-timeout"):
            self.assertIn(f"--{option}", done.stdout)


class Reports(FileServerCase):
    def test_files_and_buffers(self):
        server = self.serve("--buffers", "4", "--file-cache", "2")
        with Connection(server.address) as connection:
            for name in ("1.bin", "1000.bin", "100000.bin"):
                self.assert_file(connection.get("/" + name), name)
        report = server.report()
        self.assertEqual(set(report.files), {"1000.bin", "100000.bin"})
        self.assertEqual({row["slot"] for row in report.files.values()}, {"0", "1"})
        self.assertEqual(report.files["100000.bin"], {**report.files["100000.bin"], "uses": 0, "size": 100_000})
        counters = report.counters
        self.assertEqual(counters["buffers_free"], 4)
        self.assertEqual((counters["files_open"], counters["files_registered"]), (2, 2))
        self.assertEqual((counters["cache_misses"], counters["cache_evictions"]), (3, 1))
        self.assertEqual((counters["status_2xx"], counters["file_bytes"]), (3, 101_001))
        self.assertEqual(counters["reads"], 4)
        self.assertEqual(counters["stale"], 0)
        self.assert_http_ends_well(server)

    def test_without_registered_files_none_has_a_place(self):
        server = self.serve("--no-registered-files")
        self.assert_still_serves(server)
        report = server.report()
        self.assertEqual(report.files["1000.bin"]["slot"], "-")
        self.assertEqual(report.counters["files_registered"], 0)
        self.assert_http_ends_well(server)

    def test_a_slow_reader_shows(self):
        server = self.serve("--buffers", "4")
        slow, = self.slow_clients(server, 1)
        report = server.report()
        self.assertGreater(report.counters["buffers_filled"], 0)
        self.assertEqual(report.files["huge.bin"]["uses"], 1)
        self.assertEqual([row["state"] for row in report.rows], ["writing"])
        self.assert_file(slow.receive(), "huge.bin")
        slow.socket.close()
        self.assert_counter(server, "buffers_free", 4)
        self.assert_http_ends_well(server)


if __name__ == "__main__":
    server_case.main()
