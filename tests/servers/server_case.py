"""What the tests of whole server programs share.

    SOME_test.py LOAD_CLIENT SERVER [unittest arguments]

They run on whatever build they are given. Under a sanitizer, a report of the server's fails the test, by its text or
by the exit status; and each test ends with the server's own end, after its descriptors have gone back to their first
number.
"""

import resource
import signal
import socket
import struct
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "load_client"))
import client
from server_process import SANITIZER_REPORT, Server

LIMIT_S = 30  # of any one answer


class ServerCase(unittest.TestCase):
    def start(self, *words, **options):
        server = Server(client.SERVER, *words, **options)
        self.addCleanup(server.discard)
        return server

    def connect(self, server, receive_buffer=0):
        family = socket.AF_INET6 if ":" in server.address[0] else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        self.addCleanup(connection.close)
        connection.settimeout(LIMIT_S)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.connect(server.address)
        return connection

    def load(self, protocol, server, *words):
        """Some load, every answer of which must be right."""
        result = client.load(protocol, f"{server.target}@{server.pid}", *words)
        self.assertEqual(result.status, 0, f"{result}\n{server.stderr()}")
        self.assertEqual(result.errors, {})
        return result

    def in_background(self, function, *arguments):
        """Runs beside the test, which fails if it raises. The thread is joined by the test or behind it."""
        failures = []

        def body():
            try:
                function(*arguments)
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)

        thread = threading.Thread(target=body, daemon=True)
        thread.start()

        def join():
            thread.join(4 * LIMIT_S)
            self.assertFalse(thread.is_alive(), "what ran beside the test has not ended")
            self.assertEqual([repr(failure) for failure in failures], [])

        self.addCleanup(join)
        return thread

    def assert_descriptors_are_back(self, server, kept=0):
        """`kept`: how many files a cache may hold."""
        at_start = server.descriptors_at_start
        went_back = client.wait_until(lambda: server.descriptors() <= at_start + kept)
        self.assertTrue(went_back, f"{server.descriptors()} descriptors, {at_start} at the start\n{server.stderr()}")

    def assert_ends_well(self, server, kept=0):
        self.assertTrue(server.is_alive(), f"it ended with status {server.process.poll()}\n{server.stderr()}")
        self.assert_descriptors_are_back(server, kept)
        server.signal(signal.SIGTERM)
        self.assert_ended_well(server)

    def assert_ended_well(self, server):
        status = server.wait()
        self.assertEqual(status, 0, server.stderr())
        self.assertIsNone(SANITIZER_REPORT.search(server.stderr()), server.stderr())


def receive_exactly(connection, size):
    data = bytearray()
    while len(data) < size:
        piece = connection.recv(min(size - len(data), 1 << 18))
        if not piece:
            raise EOFError(f"the server closed after {len(data)} of {size} bytes")
        data += piece
    return bytes(data)


def receive_all(connection):
    """To the end of the stream."""
    pieces = []
    while True:
        piece = connection.recv(1 << 18)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


def reset(connection):
    """RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def is_closed(connection, limit_s=LIMIT_S):
    """Whether the server ends it (with FIN or RST) within this time. What comes before is thrown away."""
    connection.settimeout(limit_s)
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


def limit_descriptors(count):
    """For preexec_fn."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


main = client.main
