#!/usr/bin/env python3
"""Puts what a program really printed into the chapters.

In a chapter:
    <!-- output: m1_sq_cq nop -->

  outputs.py --write   runs the command from the release build and puts what it printed below the
                       marker, under a line that names the kernel and the machine of the run
  outputs.py --check   a ```console block has a marker, the marker's program exists in this
                       repository, and the block shows that very command with output below it

Output differs from run to run and from machine to machine, so --check does not run anything and
does not compare. A command that is expected to fail says so: `<!-- output: m1_sq_cq x (exit 2) -->`.
"""

import argparse
import os
import platform
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import markdown_text
import source_tree

EXPECTED_EXIT = re.compile(r"^(?P<command>.*?) \(exit (?P<status>\d+)\)$")
PROGRAM_TARGET = re.compile(r"\b(?:add_executable|milestones_(?!library|settings)\w+)\(\s*(\w+)")
CAPTION = re.compile(r"^A run on Linux \d+\.\d+")
TIMEOUT_S = 300  # a bound for a hang; what compiles first may take a minute


@dataclass
class Command:
    text: str  # as the reader types it
    status: int  # the exit status it must end with

    @property
    def program(self):
        return shlex.split(self.text)[0]


def command_of(marker):
    match = EXPECTED_EXIT.match(marker.argument)
    if match:
        return Command(match["command"], int(match["status"]))
    return Command(marker.argument, 0)


def known_programs(root):
    """Executable targets of every CMakeLists.txt."""
    programs = set()
    for path in source_tree.files(root):
        if path.name == "CMakeLists.txt":
            text = (root / path).read_text(encoding="utf-8")
            programs.update(re.findall(PROGRAM_TARGET, text))
    return programs


def is_known(root, command, programs):
    return command.program in programs or (
        "/" in command.program and (root / command.program).is_file()
    )


def machine():
    """The machine in words that do not name it: kernel, processor, how many CPUs we may use."""
    kernel = platform.release().split("-")[0]
    cpus = len(os.sched_getaffinity(0))
    return f"Linux {kernel}, {platform.machine()}, {cpus} CPU{'' if cpus == 1 else 's'}"


def find_program(root, build, program):
    if "/" in program:
        return root / program
    found = [path for path in sorted(build.rglob(program)) if os.access(path, os.X_OK) and path.is_file()]
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} executables named '{program}' under {build.name}: build it first")
    return found[0]


def run(root, build, command):
    """What the command printed, stdout and stderr as they came. Raises RuntimeError."""
    words = shlex.split(command.text)
    words[0] = str(find_program(root, build, words[0]))
    environment = dict(os.environ, LC_ALL="C", NO_COLOR="1", TERM="dumb")
    result = subprocess.run(
        words, cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S, check=False,
    )
    if result.returncode != command.status:
        raise RuntimeError(f"ended with {result.returncode}, expected {command.status}:\n{result.stdout}")
    if str(root) in result.stdout:
        raise RuntimeError("prints a path of this machine")
    if not result.stdout.strip():
        raise RuntimeError("printed nothing")
    return [line.rstrip() for line in result.stdout.rstrip("\n").splitlines()]


def block_of(root, build, command):
    body = [f"$ {command.text}", *run(root, build, command)]
    return markdown_text.render_block(f"A run on {machine()}:", "console", body)


def write_chapter(root, build, path, lines, problems):
    for marker in reversed(markdown_text.markers(lines)):
        if marker.kind != "output":
            continue
        command = command_of(marker)
        try:
            lines = markdown_text.replace_block(lines, marker, block_of(root, build, command))
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            problems.append(f"{path}:{marker.line + 1}: '{command.text}': {error}")
    return lines


def check_chapter(root, path, lines, programs, problems):
    markers = [marker for marker in markdown_text.markers(lines) if marker.kind == "output"]
    for marker in markers:
        where = f"{path}:{marker.line + 1}"
        command = command_of(marker)
        again = "run docs/tools/outputs.py --write"
        if not is_known(root, command, programs):
            problems.append(
                f"{where}: unknown program '{command.program}': no CMakeLists.txt builds it and "
                "no file of the repository has that path"
            )
        elif marker.fence is None or marker.fence.language != "console":
            problems.append(f"{where}: the output of '{command.text}' is missing: {again}")
        elif marker.fence.lines[:1] != [f"$ {command.text}"]:
            problems.append(
                f"{where}: the block shows another command than its marker '{command.text}': {again}"
            )
        elif not any(line.strip() for line in marker.fence.lines[1:]):
            problems.append(f"{where}: the output of '{command.text}' is empty: {again}")
        elif marker.caption is None or not CAPTION.match(marker.caption):
            problems.append(f"{where}: the output of '{command.text}' names no kernel: {again}")
    owned = {marker.fence.first for marker in markers if marker.fence}
    for fence in markdown_text.fences(lines):
        if fence.language == "console" and fence.first not in owned:
            problems.append(
                f"{path}:{fence.first + 1}: console output without a marker: put "
                "'<!-- output: command -->' above it, or call commands to type ```sh"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="run the commands, replace the blocks")
    mode.add_argument("--check", action="store_true", help="report what is wrong, run nothing")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=Path, help="build tree of --write (default: build/release)")
    parser.add_argument("chapters", nargs="*", type=Path, help="only these (default: all)")
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    build = (arguments.build or root / "build" / "release").resolve()
    chapters = [path.resolve().relative_to(root) for path in arguments.chapters]

    problems = []
    programs = known_programs(root)
    for path in chapters or source_tree.markdown_files(root):
        text = (root / path).read_text(encoding="utf-8")
        lines = text.splitlines()
        if arguments.write:
            lines = write_chapter(root, build, path, lines, problems)
            written = "\n".join(lines) + "\n"
            if written != text:
                (root / path).write_text(written, encoding="utf-8")
                print(f"wrote {path}")
        check_chapter(root, path, lines, programs, problems)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
