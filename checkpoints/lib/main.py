"""The command line of checkpoints/run, once the programs are built."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from . import doctor, machine, process, report, rerun, table
from .context import TIERS
from .discover import MILESTONES, Checkpoint, find
from .execute import Settings, execute
from .model import FAIL, Result, counts_line

ROOT = Path(__file__).resolve().parents[2]


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="checkpoints/run",
        description="Checks each milestone's program on this machine's kernel, from outside.",
    )
    parser.add_argument("milestones", nargs="*", metavar="MILESTONE", help=f"any of {' '.join(MILESTONES)}; default: all")
    parser.add_argument("--only", action="append", metavar="NAME", help="only checkpoints whose name contains NAME")
    parser.add_argument("--server", metavar="COMMAND",
                        help="check your own server on the wire: 'COMMAND {port}' echoes, 'COMMAND {port} {root}' serves files")
    parser.add_argument("--hint", action="store_true", help="print the hints of what failed")
    parser.add_argument("--watch", action="store_true", help="build and run again whenever a source file changes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results to FILE")
    tier = parser.add_mutually_exclusive_group()
    for name, text in (("quick", "the fastest ones"), ("full", "also the large ones"), ("soak", "also the long ones")):
        tier.add_argument(f"--{name}", dest="tier", action="store_const", const=name, help=text)
    parser.add_argument("--doctor", action="store_true", help="say what this machine allows and what will be skipped")
    parser.add_argument("--list", action="store_true", help="name the checkpoints, which need root, and what they prove")
    parser.add_argument("--build-dir", type=Path, metavar="DIR", help="use the programs in DIR, and build nothing")
    parser.add_argument("--checkpoints-dir", type=Path, default=ROOT / "checkpoints", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    options.tier = options.tier or "default"
    for name in options.milestones:
        if name not in MILESTONES:
            parser.error(f"there is no milestone {name}: it must be one of {' '.join(MILESTONES)}")
    if options.server is not None and "{port}" not in options.server:
        parser.error("--server needs {port} in the command, where the port number goes: --server './mine --port {port}'")
    if options.server is not None and "m1" in options.milestones:
        parser.error("m1 is not a server, so its checkpoints cannot judge yours: use m2, m3 or epoll with --server")
    return options


def select(options: argparse.Namespace) -> list[Checkpoint]:
    chosen = find(options.checkpoints_dir, options.milestones or MILESTONES)
    wanted_tiers = TIERS[: TIERS.index(options.tier) + 1]
    if options.only:
        # A name that was asked for is run whatever its tier.
        chosen = [c for c in chosen if any(part in c.name for part in options.only)]
    else:
        chosen = [c for c in chosen if c.tier in wanted_tiers]
    if options.server is not None:
        chosen = [c for c in chosen if c.judges == "wire" or c.defect]
    return chosen


def run_all(chosen: list[Checkpoint], settings: Settings, options: argparse.Namespace) -> list[Result]:
    width = max(len(checkpoint.name) for checkpoint in chosen)
    results = []
    for checkpoint in chosen:
        table.show_running(checkpoint.name)
        result = execute(checkpoint, settings)
        table.clear_running()
        print(table.row(result, width), flush=True)
        for note in result.notes:
            print(f"{'':6}{'':{width}}  {note}")
        results.append(result)
    report.print_failures(results, options.hint)
    if options.json:
        report.write_json(options.json, results, settings.tier)
    print("\n" + counts_line(results), flush=True)
    return results


def main(argv: list[str]) -> int:
    options = parse(argv)
    chosen = select(options)
    if options.doctor:
        return 0 if doctor.print_report(chosen) else 1
    if not chosen:
        print("No checkpoint fits what was asked for; ./checkpoints/run --list names them all.", file=sys.stderr)
        return 2
    if options.list:
        width = max(len(checkpoint.name) for checkpoint in chosen)
        for checkpoint in chosen:
            root = "root" if {"root", "tracepoints"} & set(checkpoint.needs) else ""
            print(f"{checkpoint.name:{width}}  {checkpoint.tier:7}  {root:4}  {checkpoint.proves or checkpoint.defect}")
        return 0

    process.become_subreaper()
    build_dir = options.build_dir or ROOT / "build" / "release"
    settings = Settings(build_dir.resolve(), options.tier, options.server)
    print(machine.header() + "\n", flush=True)
    try:
        if options.watch:
            # The files may have changed, so each round looks for the checkpoints anew.
            rerun.watch(ROOT, build_dir, lambda: run_all(select(options), settings, options))
        results = run_all(chosen, settings, options)
    except KeyboardInterrupt:
        process.kill_descendants(os.getpid())
        print("\nstopped")
        return 130
    return 1 if any(result.status == FAIL for result in results) else 0
