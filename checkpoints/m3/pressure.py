"""Clients that put the shared buffers under pressure, and those who must be served beside them."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from epoll.clients import STALL_S, narrow, noise, push_all, same_bytes

BLOCK = noise(1 << 20)  # what a deaf client says over and over
MOST_BYTES = 10 << 20  # that one of them may send

STARVED = "Who does not read must not keep the buffers: copy out what waits for him, and give them back."


def deaf_clients(c, server, stack: contextlib.ExitStack, count: int) -> tuple[list, list[int]]:
    """So many that send all that is taken, and read nothing. Returns them, and how much each has sent."""
    deaf = [narrow(stack.enter_context(c.connect(server))) for _ in range(count)]
    return deaf, push_all(deaf, BLOCK, MOST_BYTES)


class Honest:
    """Clients that say something and read the answer, one after the other, and how long each answer took."""

    def __init__(self, c, server, stack: contextlib.ExitStack, count: int):
        self._c = c
        self._clients = [stack.enter_context(c.connect(server, timeout=STALL_S)) for _ in range(count)]
        self._seconds: list[float] = []

    def round(self, size: int = 1000) -> None:
        for number, client in enumerate(self._clients):
            message = noise(size, seed=number)
            begin = time.monotonic()
            with contextlib.suppress(TimeoutError):
                client.sendall(message)
                answer = b""
                while len(answer) < size and (part := client.recv(size - len(answer))):
                    answer += part
            same_bytes(self._c, "the answer to a client that reads", message, answer, usually=STARVED)
            self._seconds.append(time.monotonic() - begin)

    def rounds(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.round()

    @property
    def said(self) -> str:
        """How it went, for a note."""
        ordered = sorted(self._seconds)
        return f"{len(ordered)} answers, p99 {1000 * ordered[int(0.99 * len(ordered))]:.2f} ms"


def cpu_seconds(pid: int) -> float:
    """What it has used so far, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
