"""What a checkpoint can come to: pass, fail or skip, and how a check says so."""

from __future__ import annotations

from dataclasses import dataclass, field

PASS, FAIL, SKIP = "pass", "fail", "skip"


class Failure(Exception):
    """A check saw something else than it must. Carries what the reader needs to find out why."""

    def __init__(self, what: str, expected: object, seen: object, usually: str | None = None):
        super().__init__(f"{what}: expected {expected}, seen {seen}")
        self.what = what
        self.expected = str(expected)
        self.seen = str(seen)
        self.usually = usually


class Skip(Exception):
    """This machine cannot show what the checkpoint is about. Never counts as a pass."""


class TimedOut(BaseException):
    """Raised by the alarm clock in the middle of a check. A BaseException, so that an
    `except Exception` in a checkpoint cannot swallow it."""


@dataclass
class Result:
    name: str
    status: str
    seconds: float = 0.0
    proves: str = ""
    checks: int = 0  # how many assertions ran
    reason: str = ""  # why it was skipped
    failure: dict | None = None  # what, expected, seen, usually, at, ran, said
    notes: list[str] = field(default_factory=list)
    hint: list[str] = field(default_factory=list)


def counts_line(results: list[Result]) -> str:
    number = {status: sum(r.status == status for r in results) for status in (PASS, FAIL, SKIP)}
    return f"{number[PASS]} passed, {number[FAIL]} failed, {number[SKIP]} skipped"
