"""The servers under test: how they are started, and what they say of themselves when they get SIGUSR1."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field

from lib import process

PROGRAM = "epoll_reference"
KEEPS_FILES = "it keeps the files open that it served last"


def echo(c, *words: object) -> list[str]:
    """The command line of the echo server; the kernel chooses its port."""
    return [c.program(PROGRAM), "echo", "--port", "0", *[str(word) for word in words]]


@contextlib.contextmanager
def echoing(c, *words: object) -> Iterator:
    """The echo server (with --server the learner's), stopped at the end."""
    server = c.serve(echo(c, *words))
    yield server
    c.stop(server)


def files(c, *words: object) -> list[str]:
    """The command line of the file server, but for its root."""
    return [c.program(PROGRAM), "http", "--port", "0", *[str(word) for word in words]]


@contextlib.contextmanager
def held(server) -> Iterator[None]:
    """The server is stopped meanwhile. Whatever happens to one of its descriptors is one event for it then."""
    server.signal(signal.SIGSTOP)
    # A busy machine takes its time: until then the server goes on.
    process.wait_until(lambda: process.state(server.pid) in "TtZX", 10)
    yield
    server.signal(signal.SIGCONT)


def sockets(pid: int) -> int:
    """How many sockets the process has open."""
    count = 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            count += os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
        except OSError:
            pass  # closed while we looked
    return count


def stop_files(c, server, **options) -> None:
    """c.stop() for a server of files: of its descriptors only the sockets must be back at the first count."""
    if server.fds_are_counted and server.status is None:
        c.wait_until(lambda: server.status is not None or sockets(server.pid) == 1)
        if server.status is None:
            c.equal("sockets after the last client left", 1, sockets(server.pid),
                    usually="A connection was forgotten instead of closed.")
    c.stop(server, fds_may_differ=KEEPS_FILES, **options)


@dataclass
class Connection:
    fd: int
    peer: str  # ADDRESS:PORT
    state: str  # reading, writing, stopped, closing
    ops: int | None  # operations in flight; None where the server has none
    received: int
    sent: int
    buffered: int
    age_ms: int
    closes_at_ns: int


@dataclass
class Report:
    text: str
    connections: list[Connection] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)

    def of(self, client) -> Connection | None:
        """The connection whose other end is this socket."""
        address, port = client.getsockname()[:2]
        name = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        return next((one for one in self.connections if one.peer == name), None)


_ROW = re.compile(r"(\d+) +(\S+) +(reading|writing|stopped|closing) +(\d+|-) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)")


def parse_report(text: str) -> Report:
    report = Report(text)
    for line in text.splitlines():
        row = _ROW.fullmatch(line.rstrip())
        counter = re.fullmatch(r"(\w+) +(\d+)", line.rstrip())
        if row:
            fd, peer, state, ops, *numbers = row.groups()
            report.connections.append(Connection(int(fd), peer, state, None if ops == "-" else int(ops),
                                                 *[int(number) for number in numbers]))
        elif counter:
            report.counters[counter[1]] = int(counter[2])
    return report


def report_text(c, server, timeout: float = 10) -> str:
    """Asks for a report: its lines, from the first to the last."""
    before = server.stdout().count("--- end of report\n")
    server.signal(signal.SIGUSR1)
    c.wait_until(lambda: server.stdout().count("--- end of report\n") > before or server.status is not None, timeout)
    _, begin, rest = server.stdout().rpartition("--- report\n")
    c.expect(server.stdout().count("--- end of report\n") > before, "a report after SIGUSR1",
             expected="`--- report` ... `--- end of report` on standard output",
             seen=f"it ended with status {server.status}" if server.status is not None else (rest or "nothing"),
             usually="SIGUSR1 ends a program that does not handle it; standard output to a file must be flushed.")
    return begin + rest[: rest.index("--- end of report\n")] + "--- end of report\n"


def report(c, server) -> Report:
    return parse_report(report_text(c, server))


def wait_for_report(c, server, condition, timeout: float = 10) -> Report:
    """The first report for which condition(report) holds, or the last one within `timeout` seconds."""
    seen = []

    def holds() -> bool:
        seen.append(report(c, server))
        return condition(seen[-1])

    c.wait_until(holds, timeout)
    return seen[-1]
