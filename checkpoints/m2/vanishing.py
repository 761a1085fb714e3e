"""Clients that are gone in the middle of their answer."""

from __future__ import annotations

import contextlib

from epoll.clients import leave, narrow, same_bytes
from epoll.http_client import HttpClient, make_file, request
from epoll.servers import held
from m2 import server as m2

READ_FIRST = (0, 1, 100_000, 3_000_000)


def _vanish(c, server, rounds: int) -> None:
    for number in range(rounds):
        at_once = number % 4 == 0
        with held(server) if at_once else contextlib.nullcontext():  # gone before the server sees them
            client = narrow(c.connect(server))
            client.sendall(request("/large") * (1 + number % 3))
            if at_once:
                leave(client, "reset" if number % 8 == 0 else "close")
                continue
        left = READ_FIRST[number % len(READ_FIRST)]
        try:
            while left > 0 and (part := client.recv(min(left, 1 << 18))):
                left -= len(part)
        except TimeoutError:
            c.expect(False, "a client that reads the beginning of a large file", expected="its bytes come",
                     seen=f"{left} of {READ_FIRST[number % len(READ_FIRST)]} are missing, and nothing comes")
        leave(client, ("reset", "half", "close")[number % 3])


def clients(c, rounds: int, *options: str) -> None:
    """Three times so many, after which every buffer must be free and others be served."""
    root = c.temp_dir()
    make_file(root / "large", 8 << 20)
    data = make_file(root / "small", 10_000).read_bytes()
    with m2.serving(c, root, *options) as server:
        for _ in range(3):
            _vanish(c, server, rounds)
            with HttpClient(c, server) as client:
                same_bytes(c, "a file afterwards", data, client.ask("/small").body)
            m2.all_buffers_free(c, server)
