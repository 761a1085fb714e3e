#!/usr/bin/env python3
"""Holds the C++ to .clang-format.

Versions of clang-format disagree in small ways, so one of them is the measure: the one that
Debian 12 has. Where it is not installed the check is skipped (exit status 77), not passed.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "docs" / "tools"))
import source_tree

VERSION = 14
SKIPPED = 77


def find_clang_format():
    """(program, reason why not)."""
    seen = []
    for name in (f"clang-format-{VERSION}", "clang-format"):
        program = shutil.which(name)
        if program is None:
            continue
        text = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"version (\d+)", text)
        if version and int(version[1]) == VERSION:
            return program, None
        seen.append(text.strip())
    return None, f"needs clang-format {VERSION}, found {seen[0] if seen else 'none'}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[3])
    root = parser.parse_args().root.resolve()

    program, reason = find_clang_format()
    if program is None:
        print(f"skipped: {reason}")
        return SKIPPED
    problems = []
    for path in source_tree.cpp_files(root):
        source = (root / path).read_bytes()
        result = subprocess.run(
            [program, "--style=file", f"--assume-filename={root / path}"],
            input=source, capture_output=True, check=False,
        )  # fmt: skip
        if result.returncode != 0:
            problems.append(f"{path}: clang-format failed: {result.stderr.decode().strip()}")
        elif result.stdout != source:
            problems.append(f"{path}: not formatted: run 'clang-format-{VERSION} -i {path}'")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
