"""Counts for tests/run: each step adds its row to a file, and the table is printed from it.

  summary.py junit FILE STEP SECONDS JUNIT.XML      the cases of one ctest run
  summary.py counts FILE STEP SECONDS LOG STATUS    the last line of a step that counts by itself
  summary.py broken|skipped FILE STEP SECONDS WHY   a step that did not get as far as tests
  summary.py table FILE                             exits 1 when anything failed
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

SKIPPED = 77  # the exit status of a step that could not run here
_COUNTS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


def reason_of_skip(output):
    """What a skipped test gave as its reason: GoogleTest's line below `Skipped`, or the last line."""
    lines = [line.strip() for line in output.strip().splitlines()]
    for line, below in zip(lines, lines[1:]):
        if line.endswith(": Skipped"):
            return below
    return lines[-1] if lines else "no reason given"


def read_junit(path):
    """(passed, failed, skipped) and prints what was not passed."""
    if not Path(path).exists():
        print(f"ctest wrote no {path}")
        return 0, 1, 0
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        output = case.findtext("system-out") or ""
        status = case.get("status")
        if status == "run":
            passed += 1
        elif status == "notrun" and case.find("skipped") is not None and "SKIP_" in case.find("skipped").get("message", ""):
            skipped += 1
            print(f"skip  {case.get('name')}: {reason_of_skip(output)}")
        elif status == "disabled":
            skipped += 1
            print(f"skip  {case.get('name')}: disabled")
        else:
            failed += 1
            print(f"FAIL  {case.get('name')}\n{output.rstrip()}\n")
    return passed, failed, skipped


def read_counts(log, status):
    lines = Path(log).read_text(errors="replace").rstrip().splitlines()
    match = _COUNTS.match(lines[-1]) if lines else None
    if not match:
        print(f"it did not end with its counts (status {status})")
        return 0, 1, 0
    passed, failed, skipped = (int(number) for number in match.groups())
    if status not in (0, SKIPPED) and failed == 0:
        print(f"it counted no failure, but ended with status {status}")
        failed = 1
    return passed, failed, skipped


def add_row(path, step, seconds, counts):
    with open(path, "a") as rows:
        rows.write("\t".join([step, seconds, *map(str, counts)]) + "\n")
    print(f"{step}: {counts[0]} passed, {counts[1]} failed, {counts[2]} skipped")


def print_table(path):
    rows = [line.split("\t") for line in Path(path).read_text().splitlines()]
    print(f"{'step':10} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    totals = [0, 0, 0]
    for step, seconds, *counts in rows:
        print(f"{step:10} {counts[0]:>7} {counts[1]:>7} {counts[2]:>8} {seconds:>8}")
        totals = [total + int(count) for total, count in zip(totals, counts)]
    if totals[0] + totals[1] == 0:
        print("No test ran at all: that counts as a failure.")
        totals[1] = 1
    print(f"\n{totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")
    return 1 if totals[1] else 0


def main(command, path, *rest):
    if command == "table":
        return print_table(path)
    step, seconds, detail = rest[:3]
    if command == "junit":
        counts = read_junit(detail)
    elif command == "counts":
        counts = read_counts(detail, int(rest[3]))
    else:
        counts = (0, 1, 0) if command == "broken" else (0, 0, 1)
        print(f"{'FAIL' if command == 'broken' else 'skip'}  {step}: {detail}")
    add_row(path, step, seconds, counts)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
