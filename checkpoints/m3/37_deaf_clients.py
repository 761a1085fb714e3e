"""More clients that never read than there are buffers, and an honest one is served: 8 buffers, 24 of them.

The report says that what waits for them was copied out of the shared buffers (spills), and /proc that it is no more
memory than their limit allows. When they read at last, each gets all its bytes.
"""

import contextlib

from epoll.clients import arriving, pushed, same_bytes, widen
from epoll.limits import rss_bytes
from m3 import pressure
from m3 import server as m3

hint = "A buffer that waits for a slow client is one that nobody can receive into."

BUFFERS, DEAF, LIMIT = 8, 24, 64 << 10
OF_THE_PROCESS = 1 << 20  # what it may have grown by besides: stack, heap, pages touched for the first time


def check(c):
    with m3.serving(c, "--buffers", BUFFERS, "--max-buffered", LIMIT, "--idle-timeout", "10min") as server:
        with contextlib.ExitStack() as stack:
            honest = pressure.Honest(c, server, stack, 4)
            honest.round()
            before = rss_bytes(server.pid)
            deaf, sent = pressure.deaf_clients(c, server, stack, DEAF)
            honest.rounds(0.3)
            seen = m3.counters(c, server)
            c.at_least("times that a client's bytes were copied out", DEAF - BUFFERS, seen["spills"],
                       usually=pressure.STARVED)
            c.at_least("buffers that the kernel has, while nobody speaks", 1, seen["buffers_with_kernel"],
                       usually=pressure.STARVED)
            c.at_most(f"bytes of memory for {DEAF} clients that do not read", DEAF * LIMIT + OF_THE_PROCESS,
                      rss_bytes(server.pid) - before, usually="What is copied out counts, too: receive no more then.")
            c.note(f"{DEAF} clients that do not read, {BUFFERS} buffers: {seen['spills']} spills, {honest.said}")
            for client, count in list(zip(deaf, sent))[::4]:
                same_bytes(c, "what a deaf client gets when it reads at last", pushed(pressure.BLOCK, count),
                           arriving(widen(client), count),
                           usually="What was copied out comes first, and what was received after it behind it.")
            honest.round()
