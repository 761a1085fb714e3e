"""Clients that are gone in the middle of everything, and what must be there again when they are."""

from __future__ import annotations

import contextlib

from epoll import servers, wire_echo
from epoll.clients import leave, narrow, noise
from m3 import server as m3

HOW = ("reset", "half", "close")
CROWD = 25  # that a stopped server finds in its backlog
BYTES = noise(200_000)


def before_they_are_seen(c, server, crowds: int) -> None:
    """All that they do has happened when the server accepts them."""
    for number in range(crowds):
        with servers.held(server):
            clients = [c.connect(server) for _ in range(CROWD)]
            for at, client in enumerate(clients):
                client.sendall(BYTES[: (0, 10, 20_000)[at % 3]])
            for at, client in enumerate(clients):
                leave(client, HOW[(number + at) % len(HOW)])


def in_the_middle(c, server, clients: int) -> None:
    """With bytes on their way, with an answer unread or half read."""
    for number in range(clients):
        client = narrow(c.connect(server))
        client.settimeout(2)
        with contextlib.suppress(OSError):  # it may be too much for the sockets, and then takes 2 s
            client.sendall(BYTES[: (100, 20_000, 100_000)[number % 3]])
            if number % 4:
                client.recv((1, 5000, 100_000)[number % 3])
        leave(client, HOW[number % len(HOW)])


def nothing_left(c, server, after: str) -> None:
    """Neither slots nor descriptors nor buffers, and the next client is served."""
    wire_echo.serves(c, server, after)
    seen = servers.wait_for_report(c, server, lambda seen: not seen.connections)
    c.none(f"connections in the report {after}", [f"{one.peer} {one.state}" for one in seen.connections],
           usually="An operation is counted that has ended, or nothing ends one that was armed.")
    c.equal(f"sockets {after}", 1, servers.sockets(server.pid))
    m3.all_buffers_back(c, server)
