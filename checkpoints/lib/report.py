"""What is said about results: to the reader, and to a file as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from . import machine, table
from .execute import as_json
from .model import FAIL, Result, counts_line


def failure_text(result: Result, with_hint: bool) -> str:
    failure = result.failure
    lines = [table.paint(f"FAIL  {result.name}", FAIL)]
    lines.append(table.labelled("proves", result.proves or "(its file could not be read)"))
    for label in ("what", "expected", "seen", "usually", "at", "ran"):
        if failure.get(label):
            lines.append(table.labelled(label, failure[label]))
    if failure.get("said"):
        lines.append(table.labelled("it said", failure["said"]))
    if with_hint and result.hint:
        lines += [table.labelled("hint", hint) for hint in result.hint]
    return "\n".join(lines)


def print_failures(results: list[Result], with_hint: bool) -> None:
    failed = [result for result in results if result.status == FAIL]
    for result in failed:
        print("\n" + failure_text(result, with_hint))
    if failed:
        hint = "" if with_hint or not failed[0].hint else " --hint"
        print(f"\nStart with the first: ./checkpoints/run --only {failed[0].name}{hint}")


def write_json(path: Path, results: list[Result], tier: str) -> None:
    document = {
        "machine": machine.facts(),
        "tier": tier,
        "counts": counts_line(results),
        "checkpoints": [as_json(result) for result in results],
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
