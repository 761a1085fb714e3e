"""What a checkpoint sees: the object `c` that its check(c) gets.

A checkpoint is one small file, checkpoints/<milestone>/NN_name.py:

    '''A full batch needs one system call.

    The program submits 8 NOPs at once. strace counts the io_uring_enter calls from outside.
    '''
    needs = ["strace"]          # else it is skipped; names: machine.py, NEEDS
    hint = "Publish the tail once, after the last SQE."
    # tier = "default"          # or quick, full, soak
    # timeout = 60              # seconds
    # judges = "wire"           # it asks only the network, so --server can use it
    # alone = True              # it measures times: tests/mutants/run does nothing else meanwhile

    def check(c):
        trace = c.strace([c.program("m1_sq_cq"), "batch", "--count", "8"], calls=["io_uring_enter"])
        c.equal("exit status", 0, trace.result.status)
        c.equal("io_uring_enter calls", 1, trace.count("io_uring_enter"),
                usually="An enter for each SQE: submit after the loop, not in it.")
        c.none("failed calls", [call.line for call in trace if call.errno])

The first paragraph of the docstring says what it proves, in one sentence; the rest says how. Each
assertion names what was expected, what was seen, and (usually=) what most often causes it. Assert
what must be there and what must not. A check that asserts nothing fails. The first assertion that
does not hold ends the check.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shlex
import signal
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import process, procfs, strace, tracepoints
from .model import Failure, Skip
from .process import Running, RunResult

TIERS = ["quick", "default", "full", "soak"]

# From the moment when a program's sockets close until its parent can see that it has ended.
SEEN_DEAD_S = 0.5


class Context:
    def __init__(self, build_dir: Path, directory: Path, tier: str = "default", server: str | None = None):
        self.tier = tier
        self.checks = 0  # how many assertions ran
        self.notes: list[str] = []
        self._build_dir = build_dir
        self._directory = directory  # a fresh temporary directory, removed when the check has ended
        self._server = server
        self._output = directory / "output"
        self._output.mkdir()
        self._started: set[int] = set()  # pid of every program this check started
        self._running: list[Running] = []
        self._sockets: list[socket.socket] = []
        self._last: RunResult | Running | list | None = None  # a list: the command line of one that has not ended

    # --- Asserting -------------------------------------------------------------------------

    def expect(self, condition: object, what: str = "", *, expected: object = "true", seen: object = "false",
               usually: str | None = None) -> None:
        """Fails when `condition` is false. c.expect(a < b, "order", expected="a before b", seen=f"{a}, {b}")"""
        self.checks += 1
        if not condition:
            raise Failure(what or "condition", expected, seen, usually)

    def equal(self, name: str, expected: object, seen: object, usually: str | None = None) -> None:
        self.expect(expected == seen, name, expected=_show(expected), seen=_show(seen), usually=usually)

    def at_least(self, name: str, least: float, seen: float, usually: str | None = None) -> None:
        self.expect(seen >= least, name, expected=f"at least {least}", seen=seen, usually=usually)

    def at_most(self, name: str, most: float, seen: float, usually: str | None = None) -> None:
        self.expect(seen <= most, name, expected=f"at most {most}", seen=seen, usually=usually)

    def contains(self, name: str, needle: str, text: str, usually: str | None = None) -> None:
        self.expect(needle in text, name, expected=f"a text with {needle!r}", seen=process.tail(text) or "(nothing)",
                    usually=usually)

    def none(self, name: str, found: Iterable[object], usually: str | None = None) -> None:
        """What must not be there. `found` is the list of what was seen of it."""
        found = list(found)
        shown = "\n".join(str(item) for item in found[:5])
        more = f"\n... and {len(found) - 5} more" if len(found) > 5 else ""
        self.expect(not found, name, expected="none", seen=shown + more, usually=usually)

    def skip(self, reason: str) -> None:
        """Ends the check: this machine cannot show what it is about."""
        raise Skip(reason)

    def needs_kernel(self, version: str, why: str) -> None:
        """c.needs_kernel("6.12", "min_wait_usec")"""
        if self.kernel < tuple(int(part) for part in version.split(".")):
            raise Skip(f"needs Linux {version} for {why}, this is {platform.release()}")

    @property
    def kernel(self) -> tuple[int, int]:
        major, minor = re.match(r"(\d+)\.(\d+)", platform.release()).groups()
        return int(major), int(minor)

    def note(self, text: str) -> None:
        """A line for the reader below the result, such as a number that was measured."""
        self.notes.append(text)

    def choose(self, **by_tier: object) -> object:
        """c.choose(default=100, full=10_000): the value for this tier, or for the nearest one below it."""
        for tier in reversed(TIERS[: TIERS.index(self.tier) + 1]):
            if tier in by_tier:
                return by_tier[tier]
        return by_tier[min(by_tier, key=TIERS.index)]

    # --- Programs that end -----------------------------------------------------------------

    def program(self, name: str) -> str:
        """The path of a program of ours, such as m1_sq_cq, in the build directory."""
        for place in (self._build_dir / name / name, self._build_dir / name):
            if place.is_file():
                return str(place)
        for folder, below, files in os.walk(self._build_dir):
            below[:] = [entry for entry in below if entry not in ("CMakeFiles", "_deps")]
            if name in files and os.access(os.path.join(folder, name), os.X_OK):
                return os.path.join(folder, name)
        raise Failure(f"program {name}", f"it is in {self._build_dir}", "it is not there",
                      f"It was not built: cmake --build {self._build_dir}")

    def run(self, argv: list, timeout: float = 20, env: dict | None = None, stdin: str | None = None,
            cwd: Path | None = None) -> RunResult:
        """Runs a program to its end: .stdout .stderr .status (-N after signal N) .seconds. `env` is added to ours."""
        self._last = argv
        self._last = process.run(argv, self._output, timeout, env, stdin, cwd, self._started.add)
        return self._last

    def run_ok(self, argv: list, **options) -> RunResult:
        """run(), and the exit status must be 0."""
        result = self.run(argv, **options)
        self.equal("exit status", 0, result.status, usually=process.tail(result.stderr) or None)
        return result

    def strace(self, argv: list, calls: list[str], inject: list[str] = (), timeout: float = 30,
               env: dict | None = None, cwd: Path | None = None) -> strace.Trace:
        """Runs a program under strace. `calls` are names (or %network ...), `inject` faults such as
        "io_uring_enter:error=EINTR:when=3". The Trace has .calls, .named(name), .count(name), .result."""
        path = self.temp_dir() / "strace"
        full = strace.command(path, calls, list(inject), detached=False) + [str(word) for word in argv]
        result = self.run(full, timeout=timeout, env=env, cwd=cwd)
        if not path.exists():
            raise Skip(f"strace does not work here: {process.tail(result.stderr, 1)}")
        parsed, others = strace.parse(path.read_text(errors="replace"))
        return strace.Trace(parsed, others, result)

    def perf_trace(self, argv: list, events: list[str] = ("io_uring:*",), timeout: float = 30,
                   env: dict | None = None, cwd: Path | None = None) -> tracepoints.Events:
        """Runs a program and returns the io_uring tracepoints of its rings: .named("complete"),
        .count("submit_req"), .result; each event has .name, .fields, event["user_data"], .tid, .comm."""
        with tracepoints.Session(list(events)) as session:
            result = self.run(argv, timeout=timeout, env=env, cwd=cwd)
            return tracepoints.Events(session.read({result.pid}), result)

    # --- Programs that go on running -------------------------------------------------------

    def start(self, argv: list, env: dict | None = None, cwd: Path | None = None, strace_calls: list[str] = (),
              inject: list[str] = (), first_line: str | None = r"listening on (\S+):(\d+)", timeout: float = 10,
              ) -> Running:
        """Starts a server and waits for its first line; .pid .address .port .stdout() .stderr() .status.
        Stop it with c.stop(). With strace_calls it runs under strace: .live_trace.read() gives a Trace
        at any time. first_line=None: do not wait for one."""
        argv = [str(word) for word in argv]
        path = None
        if strace_calls:
            path = self.temp_dir() / "strace"
            argv = strace.command(path, list(strace_calls), list(inject), detached=True) + argv
        server = Running(argv, self._output, env, cwd)
        self._last = server
        self._running.append(server)
        self._started.add(server.pid)
        if path:
            server.live_trace = strace.LiveTrace(path)
        if first_line is not None:
            self._wait_for_first_line(server, first_line, timeout)
        if path:
            server.tracer_pid = _tracer_of(server.pid)
        if server.status is None:
            server.fds_at_start = procfs.count_fds(server.pid)
        return server

    def serve(self, argv: list, timeout: float = 10, root: Path | None = None, **options) -> Running:
        """start() for a checkpoint that judges the wire: the learner's own server is started instead
        when --server was given. Of that one only the port is known. `root` is the folder that a server
        of files is to serve: a command with {root} is one, a command without it echoes what it gets."""
        if self._server is None:
            return self.start(argv, timeout=timeout, **options)
        serves_files = "{root}" in self._server
        if root is not None and not serves_files:
            self.skip("it judges a server of files: the command of --server has no {root}")
        if root is None and serves_files:
            self.skip("it judges an echo server: the command of --server has {root}, so it serves files")
        port = _free_port()
        words = [word.replace("{port}", str(port)).replace("{root}", str(root)) for word in shlex.split(self._server)]
        server = self.start(words, first_line=None)
        server.address, server.port, server.fds_are_counted = "127.0.0.1", port, False
        process.wait_until(lambda: server.status is not None or _accepts(port), timeout)
        self.expect(server.status is None and _accepts(port), "your server", expected=f"it listens on port {port}",
                    seen=f"it ended with status {server.status}" if server.status is not None else "nothing listens",
                    usually="The port is put in where the command has {port}; listen on 127.0.0.1 or 0.0.0.0.")
        return server

    def stop(self, server: Running, number: int = signal.SIGTERM, timeout: float = 10, status: int | None = 0,
             fds_may_differ: str = "") -> None:
        """Sends SIGTERM; the server must end with `status` (None: any) within `timeout` seconds. Before that
        its open descriptors must be back at the count it had when it was ready, unless `fds_may_differ`
        says why not: so close the client's sockets first."""
        if server.status is None and server.fds_are_counted and not fds_may_differ:
            self._expect_fds_back(server)
        if server.status is None:
            server.signal(number)
        ended = server.wait(timeout)
        if not ended:
            server.kill()
        self._running.remove(server)
        if server.tracer_pid:
            process.wait_for_orphan(server.tracer_pid, 5)
        if self._server is not None:
            return  # a learner's server may end as it likes
        self.expect(ended, f"end of {server.name}", expected=f"it ends within {timeout:g} s after {signal.Signals(number).name}",
                    seen="it was still running, and was killed",
                    usually="A request that is never cancelled, or a signal that does not wake the wait.")
        if status is not None:
            self.equal(f"exit status of {server.name}", status, server.status,
                       usually=process.tail(server.stderr()) or None)

    @contextlib.contextmanager
    def tracepoints(self, events: list[str] = ("io_uring:*",), own_threads: bool = False,
                    ) -> Iterator[tracepoints.Events]:
        """`with c.tracepoints() as seen: ...` watches the programs of this check, those that run already
        and those started inside. `seen` is filled when the block ends. `own_threads`: only what their
        threads raise themselves, which a busy machine cannot crowd out; not what its workers do."""
        seen = tracepoints.Events([])
        raised_by = self._own_tids() | {os.getpid()} if own_threads else None
        with tracepoints.Session(list(events), raised_by) as session:
            yield seen
            seen.events = session.read(self._own_tids())

    # --- Looking into a running program ----------------------------------------------------

    def count_fds(self, pid: int) -> int:
        return procfs.count_fds(pid)

    def ring_fds(self, pid: int) -> list[int]:
        return procfs.ring_fds(pid)

    def fdinfo(self, pid: int, fd: int | None = None) -> procfs.RingInfo:
        """/proc/PID/fdinfo of its first ring, or of `fd`: .number("SqTail"), .lines("PollList"), .poll_ops()."""
        if fd is not None:
            return procfs.fdinfo(pid, fd)
        rings = procfs.ring_fds(pid)
        self.expect(rings, "rings", expected="the program has an io_uring descriptor", seen="it has none",
                    usually="It closed the ring's descriptor, or did not get as far as io_uring_setup.")
        seen: list[procfs.RingInfo] = []

        # While the kernel works on a ring it says nothing, or not all, of it: then we ask again.
        def is_shown() -> bool:
            seen.append(procfs.fdinfo(pid, rings[0]))
            return "UserFiles" in seen[-1].numbers

        self.wait_until(is_shown, 1)
        return seen[-1]

    def maps(self, pid: int) -> list[procfs.Mapping]:
        return procfs.maps(pid)

    def ring_maps(self, pid: int) -> list[procfs.Mapping]:
        return procfs.ring_maps(pid)

    def wait_until(self, condition, timeout: float = 5) -> bool:
        """Polls; False when the time is over. Assert on the result, or on what you waited for."""
        return process.wait_until(condition, timeout)

    # --- The client's side -----------------------------------------------------------------

    def connect(self, server: Running, timeout: float = 5) -> socket.socket:
        """A connected socket with a timeout. It is closed when the check ends, if not earlier."""
        try:
            connection = socket.create_connection((server.address, server.port), timeout=timeout)
        except (ConnectionRefusedError, ConnectionResetError):
            # One that has just died may not be known to be dead.
            process.wait_until(lambda: server.status is not None, SEEN_DEAD_S)
            self.expect(server.status is None, server.name, expected="it runs, and accepts a connection",
                        seen=f"it ended with status {server.status}",
                        usually=process.tail(server.stderr()) or None)
            raise
        self._sockets.append(connection)
        return connection

    def temp_dir(self) -> Path:
        """A new, empty directory that is removed when the check ends."""
        number = len(list(self._directory.iterdir()))
        path = self._directory / str(number)
        path.mkdir()
        return path

    # --- For the runner --------------------------------------------------------------------

    def last_program(self) -> tuple[str, str]:
        """The last program that was started, and the end of what it printed."""
        if self._last is None:
            return "", ""
        if isinstance(self._last, list):
            words, out, err = [str(word) for word in self._last], "", ""
        elif isinstance(self._last, Running):
            words, out, err = self._last.argv, self._last.stdout(), self._last.stderr()
        else:
            words, out, err = self._last.argv, self._last.stdout, self._last.stderr
        if words[0] == "strace":
            words = words[words.index("--") + 1 :]
        return shlex.join(words), process.tail(out + err)

    def ended_unasked(self) -> list[tuple[str, str, str]]:
        """(name, how it ended, the end of its stderr) of the servers that nobody stopped. A client can know that before
        their parent does, so it looks for a moment."""
        process.wait_until(lambda: any(server.status is not None for server in self._running), SEEN_DEAD_S)
        return [(server.name, f"it ended with status {server.status}", process.tail(server.stderr(), 4))
                for server in self._running if server.status is not None]

    def close(self) -> list[str]:
        """Ends what the check left behind. Returns what should not have been left."""
        for connection in self._sockets:
            connection.close()
        left = [f"{server.name}, pid {server.pid} (c.stop() was not called)"
                for server in self._running if server.status is None]
        for server in self._running:
            if server.status is None:
                server.kill()
        return left

    def _wait_for_first_line(self, server: Running, pattern: str, timeout: float) -> None:
        process.wait_until(lambda: "\n" in server.stdout() or server.status is not None, timeout)
        line = server.stdout().partition("\n")[0]
        match = re.search(pattern, line)
        ended = f" (it ended with status {server.status})" if server.status is not None else ""
        self.expect(match, "first line", expected=f"a line like `{pattern}` within {timeout:g} s",
                    seen=(repr(line) if line else "nothing") + ended + "\n" + process.tail(server.stderr(), 4),
                    usually="A server prints it once it listens, and flushes it: output to a file is buffered.")
        if match.re.groups >= 2:
            server.address, server.port = match.group(1).strip("[]"), int(match.group(2))
            if server.address in ("0.0.0.0", "::"):
                server.address = "127.0.0.1"

    def _expect_fds_back(self, server: Running) -> None:
        process.wait_until(lambda: server.status is not None
                           or procfs.count_fds(server.pid) == server.fds_at_start, 3)
        if server.status is None:
            self.equal(f"open descriptors of {server.name} after the last client left", server.fds_at_start,
                       procfs.count_fds(server.pid),
                       usually="A connection whose last completion never came, or a close that was not submitted.")

    def _own_tids(self) -> set[int]:
        tids = set(self._started)
        for pid in self._started:
            with contextlib.suppress(FileNotFoundError):
                tids |= {int(tid) for tid in os.listdir(f"/proc/{pid}/task")}
        return tids


def _show(value: object) -> str:
    return value if isinstance(value, str) and "\n" not in value else repr(value)


def _tracer_of(pid: int) -> int:
    try:
        match = re.search(r"TracerPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(match.group(1))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
