"""m2_file_server under test: how it is started, and what it says of its buffers when it gets SIGUSR1."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from epoll import servers

PROGRAM = "m2_file_server"
BUFFERS = 96  # --buffers, unless something else is asked for


def argv(c, *words: object) -> list[str]:
    """The command line, but for the root; the kernel chooses the port."""
    return [c.program(PROGRAM), "--port", "0", *[str(word) for word in words]]


@contextlib.contextmanager
def serving(c, root: Path, *words: object, **options) -> Iterator:
    """The server of `root`, started with the options of c.start() and stopped at the end."""
    server = c.start(argv(c, "--root", root, *words), **options)
    yield server
    servers.stop_files(c, server)


def counters(c, server) -> dict[str, int]:
    return servers.report(c, server).counters


def all_buffers_free(c, server, count: int = BUFFERS) -> None:
    """When nothing is under way any more, every buffer is back."""
    seen = servers.wait_for_report(c, server, lambda seen: seen.counters["buffers_free"] == count, 5)
    c.equal("buffers that are free when nothing is under way", count, seen.counters["buffers_free"],
            usually="A buffer is released by what ends its last request, whatever became of the connection.")
    c.equal("buffers in use", [0, 0, 0], [seen.counters[f"buffers_{state}"]
                                           for state in ("reading", "filled", "sending")])
    c.equal("reads in flight", 0, seen.counters["reads_in_flight"])


def file_table(report: servers.Report) -> list[tuple[int | None, int, int, str]]:
    """The rows of the file table: slot (None: it has none), uses, size, path."""
    _, _, table = report.text.partition("\nfile table\n")
    rows = re.findall(r"^ *(\d+|-) +(\d+) +(\d+) +(\S.*)$", table, re.MULTILINE)
    return [(None if slot == "-" else int(slot), int(uses), int(size), path) for slot, uses, size, path in rows]
