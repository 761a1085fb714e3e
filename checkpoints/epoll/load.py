"""The load client of this repository, as a checkpoint uses it: what it found, as its --json says; and the loads that
several milestones are put under."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
from collections.abc import Iterator
from pathlib import Path

from epoll.http_client import make_file
from epoll.wire_http import serving

PROGRAM = "load_client"
CHURN_SIZES = [0, 100, 1000, 20_000, 65_536, 300_000, 1_000_000]


def descriptors(c, count: int) -> None:
    """Raises our limit on open files, which what we start inherits, or skips."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        c.skip(f"{count} open files are needed, and the hard limit is {hard} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


class Running:
    """The load client at work. `target` is its result for the server, when it has ended."""

    def __init__(self, program):
        self.program = program
        self.target: dict = {}


def _argv(c, path: Path, protocol: str, server, options) -> list:
    host = f"[{server.address}]" if ":" in server.address else server.address
    return [c.program(PROGRAM), protocol, f"server={host}:{server.port}", "--json", path, *options]


def _result(c, path: Path, status: int, stderr: str) -> dict:
    """What it has written, which must be without any error."""
    c.expect(path.exists() and path.stat().st_size > 0, "the load client", expected="it writes its results",
             seen=stderr)
    target = json.loads(path.read_text())["targets"][0]
    c.none("errors that the load client counted",
           [f"{name}: {count}" for name, count in target["errors"].items() if count],
           usually=stderr or "A byte was lost, or a connection closed in the middle.")
    c.equal("exit status of the load client", 0, status, usually=stderr)
    c.at_least("messages", 1, target["messages"])
    return target


def run(c, protocol: str, server, *options: object, timeout: float = 60, before: list = ()) -> dict:
    """The result for one server, without any error. See checkpoints/load_client for the options. `before`: a command
    that runs it, such as perf stat."""
    path = c.temp_dir() / "result.json"
    result = c.run([*before, *_argv(c, path, protocol, server, options)], timeout=timeout)
    return _result(c, path, result.status, result.stderr)


@contextlib.contextmanager
def started(c, protocol: str, server, *options: object, timeout: float = 60, before: list = ()) -> Iterator[Running]:
    """The same beside what is done in the block, at whose end its own is waited for: then `.target` is the result."""
    path = c.temp_dir() / "result.json"
    running = Running(c.start([*before, *_argv(c, path, protocol, server, options)], first_line=None))
    yield running
    program = running.program
    c.expect(program.wait(timeout), "the load client", expected=f"it ends within {timeout:g} s", seen="it runs")
    c.stop(program, status=None, fds_may_differ="it has ended")
    running.target = _result(c, path, program.status, program.stderr())


def share_a_cpu() -> None:
    """What is started from here on has one CPU together: so a server is busy. One that is idle between two messages
    enters for each, as it should."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def few_system_calls(c, unit: str, number: int, protocol: str, server, *options: object, seconds: int) -> None:
    """perf counts all system calls of the server while `number` messages go through it, within so many seconds: at most
    0.2 for each. `unit` is what a message is called."""
    counted = c.temp_dir() / "counted"
    perf = ["perf", "stat", "-x", ",", "-o", counted, "-e", "raw_syscalls:sys_enter", "-p", server.pid, "--"]
    target = run(c, protocol, server, "--requests", number, "--duration", f"{seconds}s", "--warmup", "0",
                 *options, before=perf, timeout=2 * seconds)
    calls = int(re.search(r"^(\d+),", counted.read_text(), re.MULTILINE)[1])
    each = calls / target["messages"]
    c.at_least(f"{unit}s", number, target["messages"])
    c.at_most(f"system calls for each {unit}", 0.2, round(each, 3),
              usually=f"A system call for each {unit}, beside the ring or to enter it.")
    c.note(f"{each:.3f} system calls for each {unit}")


def _note_latency(c, target: dict, messages: str) -> None:
    latency = target["latency_ns"]
    c.at_most("p99 in ms", 100, round(latency["p99"] / 1e6, 2))
    c.note(f"{target['messages']} {messages}, p50 {latency['p50'] / 1e6:.2f} ms, p99 {latency['p99'] / 1e6:.2f} ms")


def steady_echo(c, argv, connections: int) -> None:
    """So many connections, and 5,000 messages a second at a fixed rate: no error, and no long wait."""
    descriptors(c, connections + 1000)
    server = c.serve([*argv, "--max-connections", str(2 * connections)])
    target = run(c, "echo", server, "--connections", connections, "--rate", 5000, "--duration", "8s", "--warmup", "2s",
                 timeout=100)
    c.at_least("connections", connections, target["connections_opened"])
    _note_latency(c, target, "messages")
    c.stop(server)


def steady_files(c, argv, connections: int) -> None:
    """So many connections, and 4,000 files a second at a fixed rate: no error, and no long wait."""
    descriptors(c, connections + 1000)
    root = c.temp_dir()
    make_file(root / "page.html", 1024)
    make_file(root / "picture.png", 30_000)
    with serving(c, [*argv, "--max-connections", str(2 * connections)], root) as server:
        target = run(c, "http", server, "--connections", connections, "--rate", 4000, "--duration", "8s",
                     "--warmup", "2s", "--paths", "/page.html,/picture.png", "--root", root, timeout=100)
        c.at_least("connections", connections, target["connections_opened"])
        _note_latency(c, target, "files")


def churn_of_echoes(c, server, duration: str) -> None:
    """100 connections that exchange ten messages each and go."""
    target = run(c, "echo", server, "--connections", 100, "--size-mix", "64:80,4K:15,64K:5",
                 "--requests-per-connection", 10, "--duration", duration)
    c.at_least("connections", 200, target["connections_opened"], usually="Accepting is slow, or stops.")
    c.note(f"{target['messages']} messages on {target['connections_opened']} connections")


def churn_of_files(c, argv, duration: str) -> None:
    """100 connections that ask for ten files each and go."""
    root = c.temp_dir()
    paths = [f"/{make_file(root / f'{size}.bin', size).name}" for size in CHURN_SIZES]
    with serving(c, argv, root) as server:
        target = run(c, "http", server, "--connections", 100, "--paths", ",".join(paths), "--root", root,
                     "--requests-per-connection", 10, "--duration", duration)
        c.at_least("connections", 200, target["connections_opened"], usually="Accepting is slow, or stops.")
        c.note(f"{target['messages']} files on {target['connections_opened']} connections")
