"""The network server whose io_uring_enter fails now and then, as strace makes it fail from outside."""

from __future__ import annotations

import contextlib
import socket
import time

from epoll.clients import STALL_S, exchange, noise, read_to_end, same_bytes
from m3 import server as m3

SIZES = (1, 1000, 70_000, 300_000)
LOST = "What the kernel did not take is still in the queue, and what has completed still to be reaped: enter again."


def rounds(c, server, seconds: float) -> None:
    """Clients that come, talk, half-close, and wait for the last byte."""
    end, number = time.monotonic() + seconds, 0
    while number < len(SIZES) or time.monotonic() < end:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(c.connect(server, timeout=STALL_S)) for _ in range(4)]
            for at, client in enumerate(clients):
                data = noise(SIZES[(number + at) % len(SIZES)], seed=at)
                same_bytes(c, "an echo", data, exchange(client, data), usually=LOST)
            for client in clients:
                client.shutdown(socket.SHUT_WR)
                c.equal("bytes behind the last answer", b"", read_to_end(client, "after a half-close", usually=LOST))
        number += 1


def survived(c, error: str, counter: str, seconds: float, *options: str, every: int = 3, masked: str = "") -> int:
    """Each `every`th enter fails with `error`, and nothing else changes: no byte is lost, and the `counter` of the
    report has counted. Returns how many failed."""
    with m3.serving(c, *options, strace_calls=["io_uring_enter"], env={"URING_DISABLE": masked},
                    inject=[f"io_uring_enter:error={error}:when={every}+{every}"]) as server:
        rounds(c, server, seconds)
        with c.connect(server) as silent:  # and the waits of a server with nothing to do
            time.sleep(0.2)
            same_bytes(c, "an echo after silence", b"hello", exchange(silent, b"hello"), usually=LOST)
        counted = m3.counters(c, server)[counter]
    failed = sum(call.injected for call in server.live_trace.read())
    c.at_least(f"enters that failed with {error}", 10, failed)
    c.at_least(f"`{counter}` in the report", 1, counted)
    return failed
