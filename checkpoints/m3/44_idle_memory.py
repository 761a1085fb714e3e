"""An idle connection costs the server at most 256 bytes of memory: no buffer, and one slot.

/proc says what 2,000 of them cost (--full: 10,000). Each has said something before, so that whatever a connection
allocates for a message must have been given back.
"""

import contextlib

from epoll import load
from epoll.clients import STALL_S, exchange, noise, same_bytes
from epoll.limits import rss_bytes
from m3 import server as m3

alone = True
hint = "A provided buffer is taken when bytes have come, and not before; what waits for no client is in no memory."

MOST_BYTES = 256


def connect_and_talk(c, server, stack, count):
    clients = [stack.enter_context(c.connect(server, timeout=STALL_S)) for _ in range(count)]
    for client in clients:
        client.sendall(b"hello")
    c.none("wrong answers", [answer for answer in (client.recv(5) for client in clients) if answer != b"hello"])


def check(c):
    count = c.choose(default=2000, full=10_000)
    load.descriptors(c, count + 1000)
    with m3.serving(c, "--max-connections", 2 * count, "--idle-timeout", "10min") as server:
        # So that all shared buffers, which lie there for however many connections, have been written to.
        with c.connect(server) as client:
            data = noise(16 << 20)
            same_bytes(c, "an echo of 16 MiB", data, exchange(client, data))
        before = rss_bytes(server.pid)
        with contextlib.ExitStack() as stack:
            connect_and_talk(c, server, stack, count)
            each = (rss_bytes(server.pid) - before) / count
            c.at_most(f"bytes of memory for each of {count} idle connections", MOST_BYTES, round(each),
                      usually="A buffer, a vector or a closure for each connection, which it needs only now and then.")
            c.note(f"{each:.0f} bytes for each of {count} idle connections")
