"""What the m1 checkpoints share: one lesson of m1_sq_cq, seen from outside.

Before its lesson the program asks what this kernel can do, with trial rings of its own. What the lesson
itself does begins with its title on standard output, such as `batching: 16 requests, one ...`.
"""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator

from lib.process import tail
from lib.strace import Trace
from lib.tracepoints import Event, Events

PROGRAM = "m1_sq_cq"
TIMEOUT_S = 60  # for one run of a lesson: generous, the machine may be busy


def argv(c, lesson: str, *words: object) -> list[str]:
    return [c.program(PROGRAM), lesson, *[str(word) for word in words]]


def run_lesson(c, lesson: str, *words: object, **options):
    """The lesson alone; it must end with status 0. Returns its RunResult."""
    return c.run_ok(argv(c, lesson, *words), timeout=TIMEOUT_S, **options)


def strace_lesson(c, lesson: str, *words: object, calls: list[str], status: int = 0, **options) -> Trace:
    """The lesson's own system calls: those after its title, `write` among them."""
    trace = c.strace(argv(c, lesson, *words), calls=[*calls, "write"], timeout=TIMEOUT_S, **options)
    c.equal("exit status", status, trace.result.status, usually=tail(trace.result.stderr) or None)
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


def trace_lesson(c, lesson: str, *words: object, status: int = 0, **options) -> Events:
    """The tracepoints of all the program's rings, trial rings included."""
    events = c.perf_trace(argv(c, lesson, *words), timeout=TIMEOUT_S, **options)
    c.equal("exit status", status, events.result.status, usually=tail(events.result.stderr) or None)
    return events


def last_ring(c, events: Events) -> Events:
    """The one ring of a lesson that has one: the trial rings came before it."""
    made = rings(events)
    c.at_least("rings made", 1, len(made))
    return made[-1]


def opcodes(events: Events) -> list[str]:
    return [event["opcode"] for event in events.named("submit_req")]


def user_data(events: list[Event]) -> list[int]:
    return sorted(event["user_data"] for event in events)


@contextlib.contextmanager
def held(c, lesson: str, line: str, **options) -> Iterator:
    """Runs the lesson up to the moment when a line that contains `line` stands on its standard output, and
    holds it there: `with held(c, "peek", "The dump") as program: c.fdinfo(program.pid) ...`. Then it goes on,
    and must end with status 0.

    strace stops the program (SIGSTOP) after each write; we let it go on until the line is there."""
    program = c.start(argv(c, lesson), strace_calls=["write"], inject=["write:signal=SIGSTOP"], first_line=None,
                      **options)
    stops = 0
    while line not in program.stdout():
        _wait_for_stop(c, program, stops + 1, line)
        stops += 1
        if line not in program.stdout():
            program.signal(signal.SIGCONT)
    yield program
    while program.status is None:
        program.signal(signal.SIGCONT)
        stops += 1
        c.wait_until(lambda: program.status is not None or _stops(program) > stops, TIMEOUT_S)
    c.stop(program)


def _stops(program) -> int:
    return sum("stopped by SIGSTOP" in line for line in program.live_trace.read().others)


def _wait_for_stop(c, program, number: int, line: str) -> None:
    c.wait_until(lambda: program.status is not None or _stops(program) >= number, TIMEOUT_S)
    c.expect(program.status is None, f"a line with `{line}`", expected="the program prints it",
             seen=f"it ended with status {program.status}\n" + tail(program.stdout() + program.stderr()))


def json_of(c, text: str) -> dict:
    try:
        return json.loads(text)
    except ValueError as error:
        c.expect(False, "JSON", expected="a document that can be read", seen=f"{error}\n{tail(text)}")
