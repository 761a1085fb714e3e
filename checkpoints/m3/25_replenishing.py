"""Buffers go back in batches, and at once when fewer than a quarter of them are with the kernel.

100 clients send three buffers' worth each to a server that is stopped, and hear their bytes when it goes on; the
server's own record (--trace) has each buffer that came and went. Of 64 buffers soon fewer than a quarter are with the
kernel: each that was sent goes back before the next completion is looked at. Of plenty, they go back once in a turn.
"""

from __future__ import annotations

import contextlib

from epoll import servers
from epoll.clients import arriving, noise
from m1.lesson import read_trace
from m3 import server as m3

needs = ["kernel>=5.19"]
hint = "Queue what was sent; publish once in a turn, and in its middle when few buffers are left."

FEW, PLENTY, BUFFER_SIZE = 64, 1024, 4096
CLIENTS, ROUNDS, SIZE = 100, 5, 3 * BUFFER_SIZE


class Turns:
    """What the record says of the turns, which end with the call that waits, and the handlers in them."""

    def __init__(self, records, buffers):
        self.batches: list[int] = []  # how many buffers went back between two handlers
        self.urgent = 0  # batches in the middle of a turn
        self.lowest = buffers
        self._with_kernel, self._went_back, self._handlers = 0, 0, 0
        for kind, _ in records:
            if kind == "BufferIn":
                self._went_back += 1
            elif kind == "BufferOut":
                self._end_batch(in_turn=True)
                self._with_kernel -= 1
                self.lowest = min(self.lowest, self._with_kernel)
            elif kind in ("Dispatch", "EnterCall"):
                self._end_batch(in_turn=kind == "Dispatch")

    def _end_batch(self, in_turn: bool) -> None:
        if self._went_back > 0:
            self.batches.append(self._went_back)
            self.urgent += in_turn
        self._with_kernel += self._went_back
        self._went_back = 0


def talk_at_once(c, server, clients, message):
    with servers.held(server):
        for client in clients:
            client.sendall(message)
    c.none(f"clients of {len(clients)} that did not get their bytes back",
           [number for number, client in enumerate(clients) if arriving(client, len(message)) != message])


def serve(c, buffers):
    path = c.temp_dir() / "trace"
    with m3.serving(c, "--trace", path, "--buffers", buffers, "--buffer-size", BUFFER_SIZE) as server:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(c.connect(server)) for _ in range(CLIENTS)]
            for number in range(ROUNDS):
                talk_at_once(c, server, clients, noise(SIZE, seed=number))
        reported = m3.counters(c, server)
    return reported, Turns(read_trace(c, path), buffers)


def check(c):
    reported, turns = serve(c, FEW)
    c.at_most("buffers with the kernel, at the worst moment", FEW // 4 - 1, turns.lowest)
    c.at_least("urgent_replenishes in the report", 1, reported["urgent_replenishes"],
               usually="Few buffers were left, and those that had been sent waited for the end of the turn.")
    # One by the last handler of a turn looks like one at the turn's end.
    c.expect(1 <= turns.urgent <= reported["urgent_replenishes"], "batches that went back in the middle of a turn",
             expected=f"1 to {reported['urgent_replenishes']}, by the record", seen=turns.urgent)

    reported, turns = serve(c, PLENTY)
    c.equal(f"urgent_replenishes with {PLENTY} buffers", 0, reported["urgent_replenishes"],
            usually="With most buffers in the kernel's hands there is no hurry: once in a turn is enough.")
    c.equal("batches that went back in the middle of a turn", 0, turns.urgent)
    c.at_least("buffers that went back together, at best", 10, max(turns.batches),
               usually="Each buffer was published by itself: one store of the tail is for all of a turn.")
