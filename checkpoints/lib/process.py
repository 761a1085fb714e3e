"""Starting, watching and stopping the programs under test. Only processes we started are
ever signalled, and always by their own pid."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .model import Failure

PR_SET_CHILD_SUBREAPER = 36


@dataclass
class RunResult:
    """A program that has ended. `status` is the exit status, or -N when signal N ended it."""

    argv: list[str]
    stdout: str
    stderr: str
    status: int
    seconds: float
    pid: int


def become_subreaper() -> None:
    """Grandchildren whose parent ends become our children, so that nothing slips away unseen."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _parents() -> dict[int, tuple[int, str]]:
    """pid -> (parent's pid, state letter) of every process."""
    table = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path("/proc", entry, "stat").read_text()
        except OSError:
            continue  # it ended while we looked
        state, parent = stat[stat.rindex(")") + 2 :].split()[:2]
        table[int(entry)] = (int(parent), state)
    return table


def descendants(pid: int) -> list[int]:
    """The living processes below `pid`, children before grandchildren. Zombies are not among them."""
    table = _parents()
    found, level = [], [pid]
    while level:
        level = [child for child, (parent, _) in table.items() if parent in level]
        found += level
    return [child for child in found if table[child][1] != "Z"]


def command_of(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "(ended)"
    return " ".join(word.decode(errors="replace") for word in words if word) or "(unknown)"


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def kill_descendants(pid: int) -> None:
    """Two rounds: a process may have forked between our look and its end."""
    for _ in range(2):
        for child in descendants(pid):
            kill(child)
        reap()
        time.sleep(0.01)


def wait_for_orphan(pid: int, timeout_s: float) -> None:
    """Waits for the end of a process that became our child because its parent ended."""

    def has_ended() -> bool:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass  # collected already, or never ours
        return not is_alive(pid)

    wait_until(has_ended, timeout_s)


def reap() -> None:
    """Collects every ended child. Only when no Popen object is used any more: it would take away
    the exit status that one waits for."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def wait_until(condition, timeout_s: float, pause_s: float = 0.005) -> bool:
    """Polls `condition` until it is true. False when `timeout_s` seconds went by."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            return bool(condition())
        time.sleep(pause_s)
    return True


def state(pid: int) -> str:
    """The letter that /proc has for it: R runs, S sleeps, T is stopped (t by a tracer); X also when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "X"
    return stat[stat.rindex(")") + 2]


def is_alive(pid: int) -> bool:
    return state(pid) not in "ZX"


def tail(text: str, lines: int = 12) -> str:
    return "\n".join(text.rstrip().splitlines()[-lines:])


def run(argv, directory: Path, timeout: float, env=None, stdin: str | None = None, cwd=None, started=None) -> RunResult:
    """Runs a program to its end. Output goes through files, so that a large one cannot block it.
    `started(pid)` is called as soon as the pid is known."""
    argv = [str(word) for word in argv]
    number = len(list(directory.iterdir()))
    out_path, err_path = directory / f"{number}.stdout", directory / f"{number}.stderr"
    begin = time.monotonic()
    with open(out_path, "wb") as out, open(err_path, "wb") as err:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
    if started:
        started(child.pid)
    try:
        child.communicate(stdin.encode() if stdin is not None else None, timeout=timeout)
    except subprocess.TimeoutExpired:
        below = descendants(child.pid)
        kill(child.pid)
        for pid in below:
            kill(pid)
        child.wait()
        raise Failure(
            f"end of {os.path.basename(argv[0])}",
            f"it ends within {timeout:g} s",
            "it was still running, and was stopped\n"
            + tail(out_path.read_text(errors="replace") + err_path.read_text(errors="replace")),
            "It waits for a completion that never comes: count what was submitted against what is awaited.",
        ) from None
    return RunResult(
        argv,
        out_path.read_text(errors="replace"),
        err_path.read_text(errors="replace"),
        child.returncode,
        time.monotonic() - begin,
        child.pid,
    )


class Running:
    """A program that goes on running, such as a server. Made by Context.start()."""

    def __init__(self, argv, directory: Path, env=None, cwd=None):
        self.argv = [str(word) for word in argv]
        number = len(list(directory.iterdir()))
        self._out, self._err = directory / f"{number}.stdout", directory / f"{number}.stderr"
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            self._popen = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, **(env or {})},
                cwd=cwd,
            )
        self.pid = self._popen.pid
        self.address = ""
        self.port = 0
        self.fds_at_start = 0
        self.fds_are_counted = True
        self.live_trace = None  # set by Context.start(strace=...)
        self.tracer_pid = 0

    @property
    def name(self) -> str:
        return os.path.basename(self.argv[0])

    @property
    def status(self) -> int | None:
        """The exit status, -N after signal N, None while it runs."""
        return self._popen.poll()

    def stdout(self) -> str:
        return self._out.read_text(errors="replace")

    def stderr(self) -> str:
        return self._err.read_text(errors="replace")

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def wait(self, timeout: float) -> bool:
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()

    def wait_for_output(self, text: str, timeout: float = 10) -> bool:
        """True once `text` stands in its standard output."""
        wait_until(lambda: text in self.stdout() or self.status is not None, timeout)
        return text in self.stdout()
