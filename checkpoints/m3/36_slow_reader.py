"""What one slow reader holds stays under its limit, and the others are answered as if it were not there.

It sends all it can and reads a little now and then, while eight others talk. The report says how many buffers were held
at most; the slow one has its share, the others one each. In the end it reads everything, to the last byte.
"""

import contextlib
import time

from epoll.clients import arriving, narrow, pushed, same_bytes, widen
from m3 import pressure
from m3 import server as m3

hint = ["--max-buffered bounds what waits for one client: at the limit, stop receiving; at half of it, go on.",
        "A multishot RECV takes all that the socket has in one enter: its limit must be in the request."]

BUFFERS, SIZE, SHARE, HONEST = 64, 4096, 16, 8  # SHARE: --max-buffered, in buffers


class SlowReader:
    def __init__(self, connection):
        self._connection = narrow(connection)
        self._connection.setblocking(False)
        self._sent = 0
        self._received = bytearray()

    def move(self):
        """Sends what is taken, and reads a little."""
        with contextlib.suppress(BlockingIOError):
            self._sent += self._connection.send(memoryview(pressure.BLOCK)[self._sent % len(pressure.BLOCK) :])
        with contextlib.suppress(BlockingIOError):
            self._received += self._connection.recv(2000)

    def read_all(self, c):
        widen(self._connection)
        self._received += arriving(self._connection, self._sent - len(self._received))
        same_bytes(c, "what the slow reader has got in the end", pushed(pressure.BLOCK, self._sent),
                   bytes(self._received), usually="Receiving was stopped at the limit and never begun again.")


def check(c):
    seconds = c.choose(default=1.5, full=10)
    with m3.serving(c, "--buffers", BUFFERS, "--buffer-size", SIZE, "--max-buffered", SHARE * SIZE) as server:
        with contextlib.ExitStack() as stack:
            honest = pressure.Honest(c, server, stack, HONEST)
            slow = SlowReader(stack.enter_context(c.connect(server)))
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                slow.move()
                honest.round()
            seen = m3.counters(c, server)
            if c.kernel >= (6, 17):  # before, only a cancel ends a multishot, which comes when all has been taken
                c.at_most("buffers held at one moment", SHARE + HONEST, seen["buffers_held_max"],
                          usually="At --max-buffered nothing more is received from this client.")
            c.at_least("times that reading was stopped", 1, seen["reading_stops"])
            c.at_most("buffers held when the others have all that is theirs", SHARE, seen["buffers_held"])
            c.note(f"beside a slow reader: {honest.said}; {seen['buffers_held_max']} of {BUFFERS} buffers at most")
            slow.read_all(c)
