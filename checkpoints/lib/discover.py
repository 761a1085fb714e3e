"""Finds the checkpoint files and reads what they say of themselves."""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from .context import TIERS
from .machine import NEEDS

MILESTONES = ["m1", "m2", "m3", "m4", "epoll"]
_ATTRIBUTES = {"tier", "timeout", "needs", "hint", "judges", "alone"}


@dataclass
class Checkpoint:
    name: str  # "m1/03_overflow"
    path: Path
    proves: str = ""  # the docstring's first paragraph
    tier: str = "default"
    timeout: float = 60
    needs: list[str] = field(default_factory=list)
    hint: list[str] = field(default_factory=list)
    judges: str = "program"  # or "wire"
    alone: bool = False  # a busy neighbour would disturb it, or it would disturb one
    check: object = None
    defect: str = ""  # what is wrong with the file itself: such a checkpoint fails

    @property
    def milestone(self) -> str:
        return self.name.partition("/")[0]


def find(directory: Path, milestones: list[str]) -> list[Checkpoint]:
    """The checkpoints of these milestones, in order. What several share lies beside them, in a file whose name
    does not begin with a digit: `from m1.lesson import ...`. It is read anew each time, for --watch."""
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))
    for name in [name for name in sys.modules if name.partition(".")[0] in MILESTONES]:
        del sys.modules[name]
    found = []
    for milestone in milestones:
        found += [load(path) for path in sorted((directory / milestone).glob("[0-9]*.py"))]
    return found


def load(path: Path) -> Checkpoint:
    checkpoint = Checkpoint(f"{path.parent.name}/{path.stem}", path)
    spec = importlib.util.spec_from_file_location(f"checkpoint_{path.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        _describe(checkpoint, module)
    except Exception as error:
        checkpoint.defect = f"{type(error).__name__}: {error}"
    return checkpoint


def _describe(checkpoint: Checkpoint, module) -> None:
    if not (module.__doc__ or "").strip():
        raise ValueError("no docstring that says what it proves")
    checkpoint.proves = " ".join(module.__doc__.strip().split("\n\n")[0].split())
    if not callable(getattr(module, "check", None)):
        raise ValueError("no function check(c)")
    checkpoint.check = module.check
    for name in _ATTRIBUTES & set(vars(module)):
        setattr(checkpoint, name, getattr(module, name))
    if isinstance(checkpoint.hint, str):
        checkpoint.hint = [checkpoint.hint] if checkpoint.hint else []
    if checkpoint.tier not in TIERS:
        raise ValueError(f"tier is {checkpoint.tier!r}, must be one of {', '.join(TIERS)}")
    if checkpoint.judges not in ("program", "wire"):
        raise ValueError(f'judges is {checkpoint.judges!r}, must be "program" or "wire"')
    for need in checkpoint.needs:
        if need not in NEEDS and not re.fullmatch(r"kernel>=\d+\.\d+|tool:\S+", need):
            raise ValueError(f"unknown need {need!r}: it must be {', '.join(NEEDS)}, kernel>=X.Y or tool:NAME")
    if checkpoint.milestone != "epoll" and "io_uring" not in checkpoint.needs:
        checkpoint.needs = ["io_uring", *checkpoint.needs]
