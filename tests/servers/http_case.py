"""What the tests of HTTP servers share: a folder of files, and a server of it."""

import dataclasses
import os
import random
import tempfile

import server_case
from raw_http import Connection
from server_case import client


@dataclasses.dataclass(frozen=True)
class Program:
    """How a program is told what the tests want. A way is a list of words."""
    command: tuple  # to serve files
    ways: list  # the ways to send a file that differ most
    more_ways: list  # all others
    little_memory: tuple  # for clients that do not read


PROGRAMS = {
    "epoll_reference": Program(
        command=("http",),
        ways=[[], ["--no-sendfile"]],
        more_ways=[["--sendfile-from", "1"], ["--file-cache", "0"], ["--file-cache", "2"], ["--max-buffered", "16K"]],
        little_memory=("--max-buffered", "64K", "--no-sendfile")),
    "m2_file_server": Program(
        command=(),
        ways=[[], ["--direct", "--no-fixed-buffers", "--no-registered-files"], ["--splice", "--buffers", "8"]],
        more_ways=[["--no-fixed-buffers"], ["--no-registered-files"], ["--file-cache", "0"], ["--file-cache", "2"],
                   ["--buffers", "1"], ["--buffers", "5", "--buffer-size", "4K", "--read-ahead", "2"]],
        little_memory=("--buffers", "4")),
}

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

    @property
    def program(self):
        return PROGRAMS[os.path.basename(client.SERVER)]

    def write(self, name, contents):
        """The file, as something whole: readers get the old one or the new one."""
        path = os.path.join(self.root, name)
        with open(path + ".new", "wb") as file:
            file.write(contents)
        os.rename(path + ".new", path)
        self.contents[name] = contents

    def serve(self, *words, **options):
        return self.start(*self.program.command, "--root", self.root, *words, **options)

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
        # The file cache keeps what was asked for open; pipes are kept, too, at most as many as buffers.
        words = server.process.args
        pipes = int(words[words.index("--buffers") + 1]) if "--splice" in words else 0
        self.assert_ends_well(server, kept=len(self.contents) + 1 + 2 * pipes)
