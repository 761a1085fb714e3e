"""The kernel's io_uring tracepoints: what happens to each SQE inside the kernel.

They are read through tracefs, in an instance (a trace buffer) of our own, which needs root.
`perf trace -e 'io_uring:*' PROGRAM` shows a reader the same events.

The buffer holds the events of the whole machine, because an event of a request is not always
raised by its own process: the thread that makes a socket readable raises io_uring_task_add,
kernel worker threads raise others. So we keep an event when its *ring* was used by our own
processes. sched_process_fork tells which processes are ours.

Another program that is busy with a ring of its own can fill the buffer. Where the events wanted are
all raised by our threads themselves (submit_req always, complete with DEFER_TASKRUN), the kernel is
asked to keep those of our threads only.
"""

from __future__ import annotations

import fnmatch
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .model import Failure, Skip
from .process import RunResult

TRACEFS = Path("/sys/kernel/tracing")
_LINE = re.compile(
    r"^\s*(?P<comm>.+)-(?P<tid>\d+)\s+(?:\([ \d-]+\)\s+)?\[(?P<cpu>\d+)\]\s+(?:\S+\s+)?"
    r"(?P<time>\d+\.\d+): (?P<event>\w+): ?(?P<text>.*)$"
)
_FORK = re.compile(r"pid=(\d+) .*child_pid=(\d+)")
_VALUE = re.compile(r"-?\d+|0x[0-9a-fA-F]+|[0-9a-f]{16}|[A-Z][A-Z0-9_]*|\(nil\)")
# Kernels differ in a few words. The names on the right are those that checkpoints use.
_FIELD_NAMES = {"request": "req", "res": "result", "nr_user_files": "files", "nr_user_bufs": "buffers"}
_EVENT_NAMES = {"submit_sqe": "submit_req"}  # until Linux 6.3
_HEX_WITHOUT_0X = {"mask", "addr3"}
# Events that only a thread of the ring's own process raises: they tell whose ring it is.
_OWN_EVENTS = {"create", "submit_req", "register", "cqring_wait"}


@dataclass
class Event:
    name: str  # without io_uring_: submit_req, complete, queue_async_work, poll_arm, ...
    fields: dict[str, int | str]  # e.g. ring, req, user_data, opcode, result, cflags
    tid: int
    comm: str
    time: float
    line: str = ""

    def __getitem__(self, field: str):
        return self.fields[field]


def parse_fields(text: str) -> dict[str, int | str]:
    """`ring 0x1, fd 3 sq size 8, opcode NOP, prio=0` -> names and values, in the kernel's words."""
    fields: dict[str, int | str] = {}
    for part in text.split(", "):
        name: list[str] = []
        for word in part.replace("=", " ").split():
            if name and _VALUE.fullmatch(word) or name and name[-1] in _HEX_WITHOUT_0X:
                key = _FIELD_NAMES.get("_".join(name), "_".join(name))
                fields[key] = _value(word, name[-1] in _HEX_WITHOUT_0X)
                name = []
            else:
                name.append(word)
        if len(name) == 2 and name[1] == "queue":  # `normal queue` or `hashed queue`: the io-wq one
            fields["queue"] = name[0]
    return fields


def _value(word: str, is_hex: bool) -> int | str:
    if re.fullmatch(r"-?\d+", word) and not is_hex:
        return int(word)
    if re.fullmatch(r"(0x)?[0-9a-fA-F]+", word) and (is_hex or word.startswith("0x") or len(word) == 16):
        return int(word, 16)
    return word


def parse(text: str, own_tids: set[int]) -> list[Event]:
    """The events of the rings that the threads `own_tids`, or what they forked, used."""
    tids, rings, events = set(own_tids), set(), []
    for line in text.splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        tid = int(match["tid"])
        if match["event"] == "sched_process_fork":
            fork = _FORK.search(match["text"])
            if fork and int(fork.group(1)) in tids:
                tids.add(int(fork.group(2)))
            continue
        name = match["event"].removeprefix("io_uring_")
        name = _EVENT_NAMES.get(name, name)
        fields = parse_fields(match["text"])
        ring = fields.get("ring")
        if name == "create" and tid not in tids:
            rings.discard(ring)  # the memory of a ring of ours that is gone, used again by others
        elif name in _OWN_EVENTS and tid in tids:
            rings.add(ring)
        if ring in rings or (ring is None and tid in tids):
            events.append(Event(name, fields, tid, match["comm"], float(match["time"]), line))
    return events


def why_unavailable() -> str | None:
    """None when the tracepoints can be read, else the reason. Mounts tracefs, as perf does."""
    if os.geteuid() != 0:
        return "needs root, for the io_uring tracepoints (sudo ./checkpoints/run --build-dir build/release)"
    if not TRACEFS.is_dir():
        return "this kernel has no tracefs (CONFIG_FTRACE is off, or a container hides it)"
    if not (TRACEFS / "instances").is_dir():
        subprocess.run(["mount", "-t", "tracefs", "none", str(TRACEFS)], capture_output=True, check=False)
    if not (TRACEFS / "instances").is_dir():
        return "tracefs cannot be mounted here (a container?)"
    if not (TRACEFS / "events/io_uring").is_dir():
        return "this kernel has no io_uring tracepoints"
    return None


class Session:
    """One trace buffer of our own. `with Session([...]) as session: ...`, then session.read(tids).
    With `raised_by` it holds only what these threads, and those that they fork, raise themselves."""

    def __init__(self, events: list[str], raised_by: set[int] | None = None):
        reason = why_unavailable()
        if reason:
            raise Skip(reason)
        known = sorted(entry.name for entry in (TRACEFS / "events/io_uring").iterdir() if entry.is_dir())
        self._wanted = {name for name in known for pattern in events if fnmatch.fnmatch(name, _bare(pattern))}
        for pattern in events:
            if not fnmatch.filter(known, _bare(pattern)):
                raise Skip(f"this kernel has no tracepoint {pattern}")
        self._own = {name for name in known if _short(name) in _OWN_EVENTS}
        self._path = TRACEFS / "instances" / f"checkpoints_{os.getpid()}_{id(self)}"
        self._raised_by = raised_by
        # Each CPU has a buffer of its own: 8 MiB hold about 80,000 events.
        self._buffer_kib = 1024 * max(1, min(8, 128 // (os.cpu_count() or 1)))

    def __enter__(self) -> Session:
        self._remove_stale()
        self._path.mkdir()
        self._write("buffer_size_kb", str(self._buffer_kib))
        if self._raised_by is not None:
            self._write("options/event-fork", "1")
            self._write("set_event_pid", " ".join(str(tid) for tid in self._raised_by))
        self._write("events/sched/sched_process_fork/enable", "1")
        for name in self._wanted | self._own:
            self._write(f"events/io_uring/{name}/enable", "1")
        return self

    def __exit__(self, *_) -> None:
        self._path.rmdir()

    def read(self, own_tids: set[int]) -> list[Event]:
        self._write("tracing_on", "0")
        lost = 0
        for stats in self._path.glob("per_cpu/cpu*/stats"):
            lost += sum(int(n) for n in re.findall(r"(?:overrun|dropped events): (\d+)", stats.read_text()))
        if lost:
            raise Failure(
                "trace buffer",
                "every event fits",
                f"{lost} events were lost",
                "The program did far more than this checkpoint expects, or another program on this machine is busy.",
            )
        text = (self._path / "trace").read_text(errors="replace")
        wanted = {_short(name) for name in self._wanted}
        return [event for event in parse(text, own_tids) if event.name in wanted]

    def _write(self, name: str, value: str) -> None:
        (self._path / name).write_text(value)

    def _remove_stale(self) -> None:
        """A run that was killed leaves its buffer behind: the next one takes it away."""
        for entry in (TRACEFS / "instances").glob("checkpoints_*"):
            pid = entry.name.split("_")[1]
            if not Path("/proc", pid).exists():
                entry.rmdir()


def _bare(pattern: str) -> str:
    """io_uring:io_uring_complete, io_uring_complete and complete mean the same event."""
    pattern = pattern.removeprefix("io_uring:")
    return pattern if pattern.startswith(("io_uring_", "*")) else f"io_uring_{pattern}"


def _short(name: str) -> str:
    name = name.removeprefix("io_uring_")
    return _EVENT_NAMES.get(name, name)


class Events:
    """A list of events with what checkpoints ask of it. `result` is the RunResult of the program,
    None for a server that was watched for a while."""

    def __init__(self, events: list[Event], result: RunResult | None = None):
        self.events = events
        self.result = result

    def named(self, *names: str) -> list[Event]:
        """e.g. named("submit_req"), named("complete")."""
        return [event for event in self.events if event.name in names]

    def count(self, *names: str) -> int:
        return len(self.named(*names))

    def __iter__(self):
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)
