"""m3_network_server under test: how it is started, and what must hold of any of them when its clients have left."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from epoll import servers
from epoll.talks import Echo

PROGRAM = "m3_network_server"
BUFFERS = 512  # --buffers, unless something else is asked for


def argv(c, *words: object) -> list[str]:
    """The command line; the kernel chooses the port."""
    return [c.program(PROGRAM), "--port", "0", *[str(word) for word in words]]


@contextlib.contextmanager
def serving(c, *words: object, **options) -> Iterator:
    """The server (with --server the learner's), started with the options of c.start(), and stopped at the end. Close
    the clients inside: what must hold without any is asserted then."""
    server = c.serve(argv(c, *words), **options)
    yield server
    stop(c, server)


def stop(c, server) -> None:
    """c.stop(), after a look at what the server says of itself. The learner's says nothing."""
    if server.fds_are_counted and server.status is None:
        all_buffers_back(c, server)
        c.equal("stale completions", 0, counters(c, server)["stale"],
                usually="A slot was given away before the last of its operations had ended.")
    c.stop(server)


class Ring(Echo):
    """What limits.py and life.py are given: the same, and a closer look at the end."""

    def stop(self, c, server) -> None:
        stop(c, server)


def counters(c, server) -> dict[str, int]:
    return servers.report(c, server).counters


def buffers_of(server) -> int:
    """How many it has: --buffers of its command line."""
    return int(server.argv[server.argv.index("--buffers") + 1]) if "--buffers" in server.argv else BUFFERS


def all_buffers_back(c, server) -> None:
    """When no client is left, the kernel has every buffer, and nobody waits for one."""
    count = buffers_of(server)
    seen = servers.wait_for_report(c, server, lambda seen: seen.counters["buffers_with_kernel"] == count, 5).counters
    c.equal("buffers that the kernel has when no client is left", count, seen["buffers_with_kernel"],
            usually="A received buffer goes back when its bytes have been sent, and when its connection has ended.")
    c.equal("buffers held, and connections that wait for one", (0, 0), (seen["buffers_held"], seen["buffer_waiters"]),
            usually="Who found no buffer was never armed again.")
