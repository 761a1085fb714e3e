"""What the tests of `epoll_reference http` share: a folder of files, and a server of it."""

import os
import random
import tempfile

import server_case
from raw_http import Connection

SIZES = [0, 1, 1000, 16 << 10, (16 << 10) + 1, 100_000, 3 << 20]


class HttpCase(server_case.ServerCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="http_server_test.")
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        self.contents = {}
        for size in SIZES:
            self.write(f"{size}.bin", random.Random(size).randbytes(size))
        self.write("index.html", b"<!doctype html>")

    def write(self, name, contents):
        """The file, as something whole: readers get the old one or the new one."""
        path = os.path.join(self.root, name)
        with open(path + ".new", "wb") as file:
            file.write(contents)
        os.rename(path + ".new", path)
        self.contents[name] = contents

    def serve(self, *words, **options):
        return self.start("http", "--root", self.root, *words, **options)

    def connection(self, server, **options):
        connection = Connection(server.address, **options)
        self.addCleanup(connection.socket.close)
        return connection

    def assert_file(self, response, name):
        self.assertEqual(response.status, 200)
        self.assertTrue(response.body == self.contents[name], f"{name} differs")

    def assert_still_serves(self, server):
        with Connection(server.address) as connection:
            self.assert_file(connection.get("/1000.bin"), "1000.bin")

    def load_http(self, server, *words):
        return self.load("http", server, "--root", self.root, *words)

    def assert_http_ends_well(self, server):
        # The file cache keeps what was asked for open.
        self.assert_ends_well(server, kept=len(self.contents) + 1)
