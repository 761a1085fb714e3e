"""What the tests of echo servers share: how each program is told what the tests want."""

import contextlib
import dataclasses
import os
import time

import server_case
from server_case import client


@dataclasses.dataclass(frozen=True)
class Program:
    """A way is a list of words."""
    command: tuple  # to echo
    ways: list  # the ways to do it that differ most
    # KERNEL: an ACCEPT keeps the limit on descriptors of when it was submitted. So this is how to have a lower limit
    # heeded by a program that runs, and how many connections it takes by the old one.
    heeds_limit: tuple = ()
    taken_ahead: int = 0


PROGRAMS = {
    "epoll_reference": Program(command=("echo",), ways=[["--mode", "lt"], ["--mode", "et"]]),
    "m3_network_server": Program(
        command=(),
        ways=[[], ["--single-shot", "--send-buffers", "1"], ["--direct-descriptors"],
              ["--buffers", "8", "--buffer-size", "1K", "--max-buffered", "4K"]],
        heeds_limit=("--single-shot",), taken_ahead=1),
}


class EchoCase(server_case.ServerCase):
    @property
    def program(self):
        return PROGRAMS[os.path.basename(client.SERVER)]

    def serve(self, *words, **options):
        return self.start(*self.program.command, *words, **options)

    @contextlib.contextmanager
    def served(self, way, *words):
        """A subtest with a server that runs this way, and must end well behind it."""
        with self.subTest(way=" ".join(way)):
            server = self.serve(*way, *words)
            yield server
            self.assert_ends_well(server)

    @staticmethod
    def send_until_blocked(connection, quiet_s=0.02):
        """Without reading, until the server does not take any more. The number of bytes."""
        sent, last = 0, time.monotonic()
        while time.monotonic() - last < quiet_s:
            try:
                sent += connection.send(bytes(1 << 16))
                last = time.monotonic()
            except BlockingIOError:
                time.sleep(0.001)
        return sent
