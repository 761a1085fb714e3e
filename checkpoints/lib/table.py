"""Plain tables; colour only on a terminal, and not when NO_COLOR is set."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap

from .model import FAIL, PASS, SKIP, Result

_COLOURS = {PASS: "32", FAIL: "31;1", SKIP: "33", "dim": "2"}
_WORDS = {PASS: "pass", FAIL: "FAIL", SKIP: "skip"}


def colours_wanted(stream=sys.stdout) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ


def paint(text: str, kind: str) -> str:
    return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if colours_wanted() else text


def row(result: Result, width: int) -> str:
    word = paint(f"{_WORDS[result.status]:4}", result.status)
    about = result.reason if result.status == SKIP else result.proves
    if result.status == FAIL and result.failure:
        about = result.failure["what"]
    columns = shutil.get_terminal_size((110, 24)).columns if sys.stdout.isatty() else 10_000
    room = max(20, columns - width - 18)
    if len(about) > room:
        about = about[: room - 3] + "..."
    return f"{word}  {result.name:{width}}  {result.seconds:6.2f} s  {about}"


def show_running(name: str) -> None:
    """On a terminal: the name of the one that runs, until its row replaces it."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K....  {name}", end="", flush=True)


def clear_running() -> None:
    if sys.stdout.isatty():
        print("\r\x1b[K", end="")


def labelled(label: str, text: str) -> str:
    """`label   text`, with the following lines of the text below the first."""
    return textwrap.indent(text.rstrip() or "(nothing)", " " * 16).replace(" " * 16, f"      {label:8}  ", 1)
