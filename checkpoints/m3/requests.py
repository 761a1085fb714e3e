"""What the tracepoints tell of the ring that serves: the requests that it was given, and how each of them ended."""

from __future__ import annotations

import contextlib
import socket
from collections import Counter
from collections.abc import Iterator

from epoll.clients import Transfer, difference, drive, noise
from lib.strace import Syscall, Trace
from lib.tracepoints import Event, Events
from m3 import server as m3

FIXED_FILE = 1  # of a request's flags, as IOSQE_FIXED_FILE: what it names is a place in the table of files
BUFFER, MORE = 1, 2  # of a completion's flags
ECANCELED = -125

# `create` tells where the ring that serves begins.
OF_REQUESTS = ["io_uring_create", "io_uring_submit_req", "io_uring_complete"]


class Requests:
    """Of the ring that was made last. Those before it were there to find out what this kernel can do."""

    def __init__(self, events: Events):
        begin = max((at for at, event in enumerate(events) if event.name == "create"), default=-1)
        self.events = events.events[begin + 1 :]
        self._opcodes = {event["user_data"]: event["opcode"] for event in self.events if event.name == "submit_req"}

    def submitted(self, *opcodes: str) -> list[Event]:
        """The requests with one of these opcodes, such as RECV."""
        return [event for event in self.events if event.name == "submit_req" and event["opcode"] in opcodes]

    def completed(self, *opcodes: str) -> list[Event]:
        """The completions of such requests: of a multishot there are many. One that did not fit into the CQ is an
        event of its own (on older kernels beside the other one)."""
        return [event for event in self.events if event.name in ("complete", "cqe_overflow")
                and self._opcodes.get(event["user_data"]) in opcodes]

    def opcodes(self) -> Counter[str]:
        return Counter(event["opcode"] for event in self.events if event.name == "submit_req")


@contextlib.contextmanager
def watched(c, *words: object, events: list[str] = (), **options) -> Iterator[tuple]:
    """A server that is watched from its start to the end of the block, where its requests are known:
    `with watched(c) as (server, seen)`. It goes on running: stop it with m3.stop()."""
    with c.tracepoints([*OF_REQUESTS, *events], own_threads=True) as seen:
        yield c.start(m3.argv(c, *words), **options), seen


def of_last_ring(trace: Trace) -> list[Syscall]:
    """The calls from the io_uring_setup of the ring that serves on."""
    begin = max(at for at, call in enumerate(trace.calls) if call.name == "io_uring_setup")
    return trace.calls[begin:]


def last_one(events: list[Event]) -> list[Event]:
    """Those of these completions that are the last of their request."""
    return [event for event in events if not event["cflags"] & MORE]


def talk(c, clients: list[socket.socket], size: int = 100) -> None:
    """All of them say something at once, and each gets its own bytes back."""
    transfers = [Transfer(client, noise(size, seed=number)) for number, client in enumerate(clients)]
    drive(transfers)
    c.none(f"wrong answers to {len(clients)} clients",
           [f"client {number}: {difference(transfer.data, bytes(transfer.received))} {transfer.error}"
            for number, transfer in enumerate(transfers) if transfer.data != transfer.received])


def talk_anew(c, server, count: int, size: int = 100) -> None:
    """So many new clients, which leave afterwards."""
    with contextlib.ExitStack() as stack:
        talk(c, [stack.enter_context(c.connect(server)) for _ in range(count)], size)
