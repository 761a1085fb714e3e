"""Runs one checkpoint in a process of its own, with an alarm clock, and looks afterwards at what it left."""

from __future__ import annotations

import gc
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

from . import machine, process, procfs
from .context import Context
from .discover import Checkpoint
from .model import FAIL, PASS, SKIP, Failure, Result, Skip, TimedOut

# A check that does not end gets an exception first, which tells where it stood, and is killed
# when it has not ended that many seconds later.
GRACE_S = 10


@dataclass
class Settings:
    build_dir: Path
    tier: str = "default"
    server: str | None = None


def execute(checkpoint: Checkpoint, settings: Settings) -> Result:
    result = Result(checkpoint.name, FAIL, proves=checkpoint.proves, hint=checkpoint.hint)
    if checkpoint.defect:
        result.failure = _failure("the checkpoint's own file", "a checkpoint", checkpoint.defect)
        return result
    reason = machine.why_skipped(checkpoint.needs)
    if reason:
        result.status, result.reason = SKIP, reason
        return result
    begin = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="checkpoint-"))
    try:
        _in_child(checkpoint, settings, directory, result)
    finally:
        process.kill_descendants(os.getpid())
        shutil.rmtree(directory, ignore_errors=True)
    result.seconds = time.monotonic() - begin
    return result


def _failure(what: str, expected: str, seen: str, usually: str | None = None) -> dict:
    return {"what": what, "expected": expected, "seen": seen, "usually": usually}


def _in_child(checkpoint: Checkpoint, settings: Settings, directory: Path, result: Result) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        try:
            outcome = _run_check(checkpoint, settings, directory)
            with os.fdopen(write_end, "w") as pipe:
                json.dump(outcome, pipe)
        finally:
            os._exit(0)
    os.close(write_end)
    text = _read_all(read_end, checkpoint.timeout + GRACE_S)
    os.close(read_end)
    if text is None:
        left = process.descendants(child)
        process.kill(child)
        for pid in left:
            process.kill(pid)
    os.waitpid(child, 0)
    if text is None:
        result.failure = _failure("end of the check", f"within {checkpoint.timeout:g} s",
                                  "it did not end, and was killed")
    elif not text:
        result.failure = _failure("the check", "a result", "its process ended without one")
    else:
        for name, value in json.loads(text).items():
            setattr(result, name, value)


def _read_all(fd: int, timeout_s: float) -> str | None:
    end, parts = time.monotonic() + timeout_s, []
    while True:
        left = end - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            return None
        part = os.read(fd, 65536)
        if not part:
            return b"".join(parts).decode()
        parts.append(part)


def _run_check(checkpoint: Checkpoint, settings: Settings, directory: Path) -> dict:
    """In the child: runs the check. Returns the fields of Result that it decided."""
    process.become_subreaper()
    context = Context(settings.build_dir, directory, settings.tier, settings.server)
    outcome = {"status": PASS, "reason": "", "failure": None}
    fds_before = procfs.count_fds(os.getpid())

    def on_alarm(*_):
        raise TimedOut

    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, checkpoint.timeout)
    try:
        checkpoint.check(context)
    except Skip as skip:
        outcome.update(status=SKIP, reason=str(skip))
    except Failure as failure:
        described = _failure(failure.what, failure.expected, failure.seen, failure.usually)
        outcome.update(status=FAIL, failure={**described, "at": _place(checkpoint, failure)})
    except TimedOut as error:
        described = _failure("end of the check", f"within {checkpoint.timeout:g} s", "it was still running")
        outcome.update(status=FAIL, failure={**described, "at": _place(checkpoint, error)})
    except (Exception, SystemExit) as error:
        described = _failure("the check itself", "no exception", f"{type(error).__name__}: {error}")
        outcome.update(status=FAIL, failure={**described, "at": _place(checkpoint, error)})
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)

    if outcome["failure"]:
        ran, said = context.last_program()
        outcome["failure"].update(ran=ran, said=said)
        # A server that has died is the reason, and what a client saw of that the consequence.
        for name, how, said in context.ended_unasked():
            if how not in outcome["failure"]["seen"]:
                outcome["failure"]["seen"] += f"\n{name}: {how}\n{said}".rstrip()
    left = context.close() + _left_running()
    if outcome["status"] == PASS:
        gc.collect()
        outcome["failure"] = _after_a_pass(context, left, fds_before)
        outcome["status"] = FAIL if outcome["failure"] else PASS
    return {**outcome, "checks": context.checks, "notes": context.notes}


def _after_a_pass(context: Context, left: list[str], fds_before: int) -> dict | None:
    fds_after = procfs.count_fds(os.getpid())
    if left:
        return _failure("processes after the check", "none", "\n".join(left),
                        "The program started a child and did not wait for it, or the checkpoint did not stop a server.")
    if context.checks == 0:
        return _failure("assertions", "at least one", "the check asserted nothing",
                        "A check that asserts nothing passes with any program.")
    if fds_after != fds_before:
        return _failure("descriptors of the checkpoint itself", str(fds_before), str(fds_after),
                        "The checkpoint opened a file or socket and did not close it.")
    return None


def _left_running() -> list[str]:
    """What still runs below us, after a moment in which it may end by itself. It is killed."""
    own = os.getpid()
    process.wait_until(lambda: (process.reap(), not process.descendants(own))[1], 1)
    left = [f"{process.command_of(pid)}, pid {pid}" for pid in process.descendants(own)]
    process.kill_descendants(own)
    return left


def _place(checkpoint: Checkpoint, error: BaseException) -> str:
    """The line of the checkpoint's file on which it ended."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if frame.filename == str(checkpoint.path)]
    return f"{checkpoint.path}:{lines[-1]}" if lines else str(checkpoint.path)


def as_json(result: Result) -> dict:
    return asdict(result)
