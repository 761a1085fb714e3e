"""Runs a program under strace and reads what it wrote.

strace sees system calls, not SQEs: what went through the ring is invisible to it, and that
is the point of many checkpoints. It prints names only for the flags it knows, so we ask for
the numbers too (-X verbose) and match those.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from pathlib import Path

from .process import RunResult

_PREFIX = re.compile(r"^(?:(?P<pid>\d+)\s+)?(?P<time>\d+\.\d+)\s+(?P<text>.*)$")
_NAME = re.compile(r"^([a-z_][a-z0-9_]*)\(")
_RESUMED = re.compile(r"^<\.\.\. ([a-z_0-9]+) resumed>\s?")
_UNFINISHED = " <unfinished ...>"
_RESULT = re.compile(r"^\s*=\s*(?P<value>\?|-?(?:0x[0-9a-f]+|\d+))(?:<[^>]*>)?(?:\s+/\*.*?\*/)?(?:\s+(?P<errno>E[A-Z0-9]+))?")
_NUMBER = re.compile(r"-?(?:0x[0-9a-fA-F]+|\d+)")


@dataclass
class Syscall:
    name: str
    args: list[str]  # as strace prints them, split at the outer commas
    result: int | None  # None: it has not returned (or strace says `?`)
    errno: str | None  # e.g. "EBADF"
    pid: int  # of the thread
    time: float  # seconds since 1970
    injected: bool = False  # the result was made up by strace -e inject
    line: str = ""

    def number(self, index: int) -> int:
        """Argument `index` as a number: flags without their names, NULL as 0."""
        return to_number(self.args[index])

    def field(self, index: int, name: str) -> int:
        """A number in a struct: field(1, "flags") of io_uring_setup(8, {flags=0x3000, ...})."""
        match = re.search(rf"[{{ ]{name}=([^,}}]+)", self.args[index])
        if not match:
            raise ValueError(f"no {name} in {self.args[index]}")
        return to_number(match.group(1))


def to_number(text: str) -> int:
    if text.startswith("NULL"):
        return 0
    match = _NUMBER.match(text)
    if not match:
        raise ValueError(f"not a number: {text}")
    digits = match.group()
    octal = re.fullmatch(r"0[0-7]+", digits)
    return int(digits, 8) if octal else int(digits, 0)


def _skip_quoted(text: str, at: int) -> int:
    """`at` is an opening quote: the index behind the closing one."""
    at += 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at + 1


def split_args(text: str) -> tuple[list[str], str]:
    """Splits `a, {b, c}, "d, e") = 0`, which starts behind the call's opening parenthesis, into
    its arguments and what follows the closing one. Strings, brackets and comments stay whole."""
    args, begin, at, depth = [], 0, 0, 0
    while at < len(text):
        char = text[at]
        if char == '"':
            at = _skip_quoted(text, at)
            continue
        if text.startswith("/*", at):
            close = text.find("*/", at)
            at = len(text) if close < 0 else close + 2
            continue
        if char in "([{":
            depth += 1
        elif char == ")" and depth == 0:
            args.append(text[begin:at].strip())
            return [arg for arg in args if arg], text[at + 1 :]
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth == 0:
            args.append(text[begin:at].strip())
            begin = at + 1
        at += 1
    args.append(text[begin:].strip())
    return [arg for arg in args if arg], ""


def _parse_call(text: str, pid: int, time: float) -> Syscall | None:
    name = _NAME.match(text)
    if not name:
        return None
    args, rest = split_args(text[name.end() :])
    call = Syscall(name.group(1), args, None, None, pid, time, line=text)
    result = _RESULT.match(rest)
    if result:
        if result.group("value") != "?":
            call.result = int(result.group("value"), 0)
        call.errno = result.group("errno")
        call.injected = "(INJECTED)" in rest
    return call


def parse(text: str) -> tuple[list[Syscall], list[str]]:
    """The calls, in the order in which they began, and the other lines (signals, exits).
    A last line without its newline is still being written, and is left out."""
    calls: list[Syscall | None] = []
    others: list[str] = []
    pending: dict[int, tuple[int, str, float]] = {}  # thread -> place in calls, text, time
    for line in text[: text.rfind("\n") + 1].splitlines():
        prefix = _PREFIX.match(line)
        if not prefix:
            others.append(line)
            continue
        pid, time, body = int(prefix["pid"] or 0), float(prefix["time"]), prefix["text"]
        resumed = _RESUMED.match(body)
        if resumed and pid in pending:
            place, begun, time = pending.pop(pid)
            body = begun + body[resumed.end() :]
        elif not _NAME.match(body):
            others.append(line)
            continue
        else:
            place = len(calls)
            calls.append(None)
        if body.endswith(_UNFINISHED):
            body = body[: -len(_UNFINISHED)]
            pending[pid] = (place, body, time)
        calls[place] = _parse_call(body, pid, time)
    return [call for call in calls if call], others


@dataclass
class Trace:
    """The calls of one program. `result` is its RunResult, None while it runs."""

    calls: list[Syscall]
    others: list[str] = field(default_factory=list)
    result: RunResult | None = None

    def named(self, *names: str) -> list[Syscall]:
        return [call for call in self.calls if call.name in names]

    def count(self, *names: str) -> int:
        return len(self.named(*names))

    def __iter__(self):
        return iter(self.calls)

    def __len__(self) -> int:
        return len(self.calls)


def command(output: Path, calls: list[str], inject: list[str], detached: bool) -> list[str]:
    """The strace command line to put before a program. `detached` (-D): the program itself is our
    child, and strace its grandchild, so that its pid and exit status are the program's own."""
    # `?`: a call that this processor does not have (open on aarch64) is not an error.
    names = ",".join(name if name[0] in "%/?" else f"?{name}" for name in calls)
    argv = ["strace", "-f", "-qq", "-ttt", "-X", "verbose", "-s", "256", "-o", str(output)]
    # Without the filter every system call stops the program, also those that we do not ask for: a
    # program that makes 100,000 of them then takes seconds. strace has it not together with -D.
    argv += ["-D"] if detached else ["--seccomp-bpf"]
    argv += ["-e", f"trace={names}"]
    for what in inject:
        argv += ["-e", f"inject={what}"]
    return argv + ["--"]


def _time_of(line: str) -> float:
    prefix = _PREFIX.match(line)
    return float(prefix["time"]) if prefix else 0.0


class LiveTrace:
    """strace's output of a running program. Each read() parses what is written so far; a call that
    still blocks has no line of its own yet."""

    def __init__(self, path: Path):
        self._path = path

    def size(self) -> int:
        """Bytes written so far: cheaper than read() for whoever only asks whether anything happens."""
        return self._path.stat().st_size if self._path.exists() else 0

    def read(self, since: float = 0.0) -> Trace:
        """The calls that began at or after `since` (seconds since 1970, as time.time())."""
        text = self._path.read_text(errors="replace") if self._path.exists() else ""
        if since > 0:
            # The lines are in the order of time, and there may be a million of them.
            lines = text.splitlines(keepends=True)
            text = "".join(lines[bisect.bisect_left(lines, since, key=_time_of) :])
        calls, others = parse(text)
        return Trace([call for call in calls if call.time >= since], others)
