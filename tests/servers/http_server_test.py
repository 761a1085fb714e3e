#!/usr/bin/env python3
"""An HTTP server under load: whole files, ranges, pipelines, churn, and files that change meanwhile.

    http_server_test.py LOAD_CLIENT SERVER [unittest arguments]

SERVER is one of http_case.PROGRAMS.
"""

import os
import random
import signal
import time

import http_case
import server_case
from raw_http import Connection, Truncated, request
from server_case import client

ALL_PATHS = ",".join(f"/{size}.bin" for size in http_case.SIZES)
SMALL_PATHS = "/0.bin,/1.bin,/1000.bin,/"


class Load(http_case.HttpCase):
    def test_every_file_by_each_way_to_send(self):
        for words in self.program.ways + self.program.more_ways:
            with self.subTest(words=words):
                server = self.serve(*words)
                self.load_http(server, "--paths", ALL_PATHS, "--requests", 200, "--connections", 8)
                self.assert_http_ends_well(server)

    def test_pipelined(self):
        for words in self.program.ways:
            with self.subTest(words=words):
                server = self.serve(*words)
                self.load_http(server, "--paths", ALL_PATHS, "--requests", 200, "--pipeline", 8)
                self.load_http(server, "--paths", SMALL_PATHS, "--requests", 3000, "--pipeline", 16)
                self.assert_http_ends_well(server)

    def test_head(self):
        server = self.serve()
        self.load_http(server, "--paths", ALL_PATHS, "--head", "--requests", 500)
        self.assert_http_ends_well(server)

    def test_churn(self):
        server = self.serve()
        result = self.load_http(server, "--paths", SMALL_PATHS, "--requests", 1200, "--requests-per-connection", 3,
                                "--connections", 30)
        self.assertGreaterEqual(result.target["connections_opened"], 400)
        counters = server.report().counters
        self.assertEqual(counters["accepted"], result.target["connections_opened"])
        self.assert_http_ends_well(server)

    def test_without_a_cache_no_file_stays_open(self):
        server = self.serve("--file-cache", "0")
        self.load_http(server, "--paths", ALL_PATHS, "--requests", 100)
        self.assert_ends_well(server)

    def test_drain(self):
        server = self.serve()
        results = []
        loader = self.in_background(lambda: results.append(client.load(
            "http", server.target, "--root", self.root, "--paths", SMALL_PATHS + ",/100000.bin",
            "--duration", "60s", "--connections", 16, "--requests-per-connection", 20, "--timeout", "20s")))
        self.assertTrue(client.wait_until(lambda: server.report().counters["accepted"] > 40, 50, pause_s=0.05))
        server.signal(signal.SIGTERM)
        self.assert_ended_well(server)
        loader.join()
        for kind in ("wrong_bytes", "bad_response", "timeout"):
            self.assertEqual(results[0].errors.get(kind, 0), 0, f"{kind}: {results[0]}")


class Exchanges(http_case.HttpCase):
    def test_keep_alive(self):
        server = self.serve()
        with Connection(server.address) as connection:
            for _ in range(3):
                for name in self.contents:
                    self.assert_file(connection.get("/" + name), name)
        self.assert_http_ends_well(server)

    def test_many_requests_in_one_send(self):
        server = self.serve()
        order = random.Random(1)
        names = [order.choice(list(self.contents)) for _ in range(300)]
        connection = self.connection(server)
        sender = self.in_background(connection.send, b"".join(request("/" + name) for name in names))
        for name in names:
            self.assert_file(connection.receive(), name)
        sender.join()
        connection.socket.close()
        self.assert_http_ends_well(server)

    def test_a_byte_at_a_time(self):
        server = self.serve()
        with Connection(server.address) as connection:
            for byte in request("/1000.bin") + request("/1.bin"):
                connection.send(bytes([byte]))
            self.assert_file(connection.receive(), "1000.bin")
            self.assert_file(connection.receive(), "1.bin")
        self.assert_http_ends_well(server)

    def test_ranges(self):
        name = f"{3 << 20}.bin"
        contents = self.contents[name]
        order = random.Random(2)
        for words in self.program.ways:
            server = self.serve(*words)
            with Connection(server.address) as connection:
                for _ in range(60):
                    first = order.randrange(len(contents))
                    last = order.choice([first, first + 10, order.randrange(first, len(contents)), len(contents) + 5])
                    response = connection.get("/" + name, Range=f"bytes={first}-{last}")
                    self.assertEqual(response.status, 206)
                    last = min(last, len(contents) - 1)
                    self.assertEqual(response.headers["content-range"], f"bytes {first}-{last}/{len(contents)}")
                    self.assertTrue(response.body == contents[first:last + 1], "the bytes differ")
                self.assertTrue(connection.get("/" + name, Range="bytes=-100").body == contents[-100:])
                self.assertTrue(connection.get("/" + name, Range="bytes=3000000-").body == contents[3000000:])
                self.assertEqual(connection.get("/" + name, Range="bytes=9999999-").status, 416)
                self.assert_file(connection.get("/" + name, Range="bytes=0-1,5-6"), name)
            self.assert_http_ends_well(server)

    def test_not_modified(self):
        server = self.serve()
        with Connection(server.address) as connection:
            modified = connection.get("/1000.bin").headers["last-modified"]
            self.assertEqual(connection.get("/1000.bin", If_Modified_Since=modified).status, 304)
            self.assert_file(connection.get("/1000.bin"), "1000.bin")
        self.assert_http_ends_well(server)

    def test_half_closed_after_the_requests(self):
        server = self.serve()
        connection = self.connection(server)
        connection.send(request("/1000.bin") + request(f"/{3 << 20}.bin"))
        connection.socket.shutdown(1)
        self.assert_file(connection.receive(), "1000.bin")
        self.assert_file(connection.receive(), f"{3 << 20}.bin")
        self.assertTrue(connection.is_at_end())
        self.assert_http_ends_well(server)


class ChangingFiles(http_case.HttpCase):
    SIZE = 200_000

    def test_replaced_under_load(self):
        # Each response is one version of the file, whole.
        server = self.serve()
        letters = [bytes([letter]) for letter in b"abcdefgh"]
        self.write("changing", letters[0] * self.SIZE)
        deadline = time.monotonic() + 1.5

        def replace():
            number = 0
            while time.monotonic() < deadline:
                number += 1
                # Other lengths too: a head of one version must not go with the body of another.
                self.write("changing", letters[number % 8] * (self.SIZE + number % 8))
                time.sleep(0.003)

        replacer = self.in_background(replace)
        seen = set()
        with Connection(server.address) as connection:
            while time.monotonic() < deadline:
                response = connection.get("/changing")
                self.assertEqual(response.status, 200)
                letter = response.body[:1]
                self.assertEqual(response.body.count(letter), len(response.body), "two versions in one response")
                self.assertEqual(len(response.body) - self.SIZE, letters.index(letter))
                seen.add(letter)
        replacer.join()
        self.assertGreater(len(seen), 2, "a replaced file is seen")
        self.assert_http_ends_well(server)

    def test_removed_and_back(self):
        server = self.serve("--file-cache", "0")
        with Connection(server.address) as connection:
            self.assertEqual(connection.get("/1000.bin").status, 200)
            os.unlink(os.path.join(self.root, "1000.bin"))
            self.assertEqual(connection.get("/1000.bin").status, 404)
            self.write("1000.bin", b"back")
            self.assert_file(connection.get("/1000.bin"), "1000.bin")
        self.assert_http_ends_well(server)

    def test_shrinks_while_it_is_sent(self):
        # What was promised can't be kept: the connection ends, and nothing was made up.
        for words in self.program.ways:
            with self.subTest(words=words):
                contents = random.Random(3).randbytes(20 << 20)
                self.write("shrinking", contents)
                server = self.serve(*words)
                connection = self.connection(server, receive_buffer=8192)
                connection.send(request("/shrinking"))
                time.sleep(0.2)
                os.truncate(os.path.join(self.root, "shrinking"), 10 << 20)
                with self.assertRaises((Truncated, ConnectionError)) as raised:
                    connection.receive()
                if isinstance(raised.exception, Truncated):
                    body = raised.exception.body
                    self.assertTrue(body == contents[:len(body)], "the bytes differ")
                connection.socket.close()
                self.assert_still_serves(server)
                self.assert_http_ends_well(server)

    def test_written_to_while_it_is_sent(self):
        # All that was promised, or less and the end of the connection: never bytes of two versions.
        self.write("growing", b"g" * (8 << 20))
        server = self.serve()
        connection = self.connection(server, receive_buffer=8192)
        connection.send(request("/growing") + request("/1.bin"))
        time.sleep(0.1)
        with open(os.path.join(self.root, "growing"), "ab") as file:
            file.write(b"more")
        try:
            self.assertTrue(connection.receive().body == b"g" * (8 << 20))
            self.assert_file(connection.receive(), "1.bin")
        except Truncated as end:
            self.assertEqual(end.body.count(b"g"), len(end.body))
        except ConnectionError:
            pass
        connection.socket.close()
        self.assert_http_ends_well(server)


if __name__ == "__main__":
    server_case.main()
