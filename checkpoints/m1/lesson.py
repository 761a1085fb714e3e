"""What the m1 checkpoints share: one lesson of m1_sq_cq, seen from outside.

Before its lesson the program asks what this kernel can do, with trial rings of its own. What the lesson
itself does begins with its title on standard output, such as `batching: 16 requests, one ...`.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal

from lib.process import tail
from lib.strace import Trace
from lib.tracepoints import Event, Events

PROGRAM = "m1_sq_cq"
TIMEOUT_S = 60  # for one run of a lesson: generous, the machine may be busy


def argv(c, lesson: str, *words: object) -> list[str]:
    return [c.program(PROGRAM), lesson, *[str(word) for word in words]]


def lessons(c) -> list[str]:
    """All but costs, which makes hundreds of thousands of system calls, and under strace measures strace."""
    names = [line.split()[0] for line in c.run_ok([c.program(PROGRAM), "list"]).stdout.splitlines()]
    c.at_least("lessons", 12, len(names))
    return [name for name in names if name != "costs"]


def run_lesson(c, lesson: str, *words: object, **options):
    """The lesson alone; it must end with status 0. Returns its RunResult."""
    return c.run_ok(argv(c, lesson, *words), timeout=TIMEOUT_S, **options)


def ended_well(c, result) -> None:
    """Last in a check, so that a program that is wrong is first told what can be seen from outside."""
    c.equal("exit status", 0, result.status, usually=tail(result.stderr) or None)


def _did_not_crash(c, result) -> None:
    c.expect(result.status in (0, 1), "exit status", expected="0", seen=result.status,
             usually=tail(result.stderr) or None)


def strace_lesson(c, lesson: str, *words: object, calls: list[str], **options) -> Trace:
    """The lesson's own system calls: those after its title, `write` among them. See ended_well()."""
    trace = c.strace(argv(c, lesson, *words), calls=[*calls, "write"], timeout=TIMEOUT_S, **options)
    _did_not_crash(c, trace.result)
    return Trace(trace.calls[_title(c, trace, lesson) + 1 :], trace.others, trace.result)


def _title(c, trace: Trace, lesson: str) -> int:
    for place, call in enumerate(trace.calls):
        if call.name == "write" and call.number(0) == 1 and call.args[1].startswith(f'"{lesson}: '):
            return place
    c.expect(False, "the lesson's title", expected=f"`{lesson}: ...` is written", seen="it is not")


def rings(events: Events) -> list[Events]:
    """The events of each ring that the program made, in the order of their making."""
    found: list[Events] = []
    by_address: dict[object, Events] = {}
    for event in events:
        address = event.fields.get("ring")
        if event.name == "create":
            by_address[address] = Events([])
            found.append(by_address[address])
        if address in by_address:
            by_address[address].events.append(event)
    return found


def trace_lesson(c, lesson: str, *words: object, **options) -> Events:
    """The tracepoints of all the program's rings, trial rings included. See ended_well()."""
    events = c.perf_trace(argv(c, lesson, *words), timeout=TIMEOUT_S, **options)
    _did_not_crash(c, events.result)
    return events


def lesson_ring(c, events: Events) -> Events:
    """The ring that the lesson works on. The trial rings that tell what the kernel can do see a request or two."""
    made = rings(events)
    c.at_least("rings made", 1, len(made))
    return max(made, key=lambda ring: ring.count("submit_req"))


def opcodes(events: Events) -> list[str]:
    return [event["opcode"] for event in events.named("submit_req")]


def user_data(events: list[Event]) -> list[int]:
    return sorted(event["user_data"] for event in events)


class Held:
    """A lesson that strace stops (SIGSTOP) after each write, so that we can look at it between two of its lines."""

    def __init__(self, c, lesson: str, *words: object, **options):
        self._c = c
        self._program = c.start(argv(c, lesson, *words), strace_calls=["write"], inject=["write:signal=SIGSTOP"],
                                first_line=None, **options)
        self._stops = 0
        self.pid = self._program.pid

    def __enter__(self) -> Held:
        return self

    def __exit__(self, error, *_) -> None:
        if error is None:
            self.until(None)

    def until(self, line: str | None) -> None:
        """Goes on until a line that contains `line` has been written. None: to the end, with status 0."""
        program = self._program
        while program.status is None and (line is None or line not in program.stdout()):
            if self._stops > 0:
                program.signal(signal.SIGCONT)
            self._stops += 1
            self._c.wait_until(self._stopped_again, TIMEOUT_S)
        if line is None:
            self._c.stop(program)
            return
        self._c.expect(program.status is None, f"a line with `{line}`", expected="the program prints it",
                       seen=f"it ended with status {program.status}\n" + tail(program.stdout() + program.stderr()))

    def stdout(self) -> str:
        return self._program.stdout()

    def indices(self) -> dict[str, int]:
        """SqHead, SqTail, CqHead and CqTail of its ring, as the kernel shows them."""
        info = self._c.fdinfo(self.pid)
        return {name: info.number(name) for name in ("SqHead", "SqTail", "CqHead", "CqTail")}

    def _stopped_again(self) -> bool:
        if self._program.status is not None:
            return True
        return sum("stopped by SIGSTOP" in line for line in self._program.live_trace.read().others) >= self._stops


TRACE_LINE = re.compile(r"^ *([+-][\d.]+) us  ring \d+  (\w+) *(.*)$")


def read_trace(c, path) -> list[tuple[str, dict[str, str]]]:
    """A file of --trace as `m1_sq_cq trace` prints it: the kind of each record, and its fields."""
    printed = run_lesson(c, "trace", path).stdout.splitlines()
    parsed = [TRACE_LINE.match(line) for line in printed]
    c.none("lines that are no record", [line for line, match in zip(printed, parsed) if not match])
    times = [float(match.group(1)) for match in parsed]
    c.equal("records in the order of time", sorted(times), times)
    return [(match.group(2), dict(field.split("=", 1) for field in match.group(3).split())) for match in parsed]


def numbers(records: list[tuple[str, dict[str, str]]], kind: str, *fields: str) -> list[tuple[int, ...]]:
    """These fields of each record of one kind."""
    return [tuple(int(record[field], 0) for field in fields) for name, record in records if name == kind]


def strace_copy(c, source, destination, *options: str, calls: list[str], **more) -> Trace:
    """`m1_sq_cq copy`, which has no title: the calls from the opening of its source on, openat among them."""
    trace = c.strace(argv(c, "copy", *options, source, destination), calls=[*calls, "openat"], timeout=TIMEOUT_S,
                     **more)
    ended_well(c, trace.result)
    begin = next((place for place, call in enumerate(trace.calls)
                  if call.name == "openat" and call.args[1] == f'"{source}"'), None)
    c.expect(begin is not None, "the source", expected="it is opened", seen="it is not")
    return Trace(trace.calls[begin:], trace.others, trace.result)


def same_bytes(c, name: str, source, copy, usually: str | None = None) -> None:
    c.expect(source.read_bytes() == copy.read_bytes(), name, expected="the source's bytes", seen="others",
             usually=usually)


def sha256(path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_file(path, size: int):
    """A file of random bytes, so that no block of it is like another."""
    with open(path, "wb") as file:
        for begin in range(0, size, 1 << 20):
            file.write(os.urandom(min(1 << 20, size - begin)))
    return path
