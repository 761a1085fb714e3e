"""--doctor: what this machine allows, what will be skipped, and what to do next."""

from __future__ import annotations

import os

from . import machine
from .discover import Checkpoint

_TOOLS = [
    ("g++", "compiles the programs (GCC 12 or newer, or Clang 19)"),
    ("clang++-19", "the second compiler, for the tests"),
    ("cmake", "configures the build (3.25 or newer)"),
    ("ninja", "builds"),
    ("strace", "counts and shows system calls"),
    ("perf", "shows the io_uring tracepoints to you; the checkpoints read them themselves"),
    ("valgrind", "finds memory errors in a program that runs"),
    ("ccache", "optional: faster rebuilds"),
]


def print_report(checkpoints: list[Checkpoint]) -> bool:
    """True when checkpoints can run here."""
    known = machine.facts()
    soft, hard = machine.nofile()
    print("This machine")
    rows = [
        ("kernel", f"Linux {known['kernel']} {known['processor']}, {known['distribution']}"),
        ("CPUs", f"{known['cpus']} for this process"),
        ("user", f"{known['user']}" + (f", in a container ({known['container']})" if known["container"] else "")),
        ("io_uring", known["io_uring"]),
        ("  io_uring_disabled", known["io_uring_disabled"]),
        ("  seccomp", known["seccomp"]),
        ("locked memory", f"{known['locked_memory_limit']} (ulimit -l)" + ("; root is not bound by it" if os.geteuid() == 0 else "")),
        ("open files", f"{soft}, may be raised to {hard} (ulimit -n); --full wants 20100 for 10,000 connections"),
        ("strace", f"{known['strace']} (ptrace_scope {known['ptrace_scope']})"),
        ("tracepoints", known["tracepoints"]),
        ("perf", f"{known['perf']} (perf_event_paranoid {known['perf_event_paranoid']})"),
    ]
    for label, text in rows:
        print(f"  {label:20} {text}")
    print("\nTools")
    for name, purpose in _TOOLS:
        print(f"  {name:20} {machine.tool_version(name) or 'missing'}  -  {purpose}")
    return _print_outlook(checkpoints)


def _print_outlook(checkpoints: list[Checkpoint]) -> bool:
    skipped: dict[str, list[str]] = {}
    for checkpoint in checkpoints:
        reason = None if checkpoint.defect else machine.why_skipped(checkpoint.needs)
        if reason:
            skipped.setdefault(reason, []).append(checkpoint.name)
    number = sum(len(names) for names in skipped.values())
    print(f"\n{len(checkpoints) - number} of {len(checkpoints)} checkpoints can run here.")
    for reason, names in skipped.items():
        print(f"  skipped because: {reason}")
        for name in names:
            print(f"    {name}")
    refused = machine.io_uring_refused()
    print("\nNext")
    if refused:
        print(f"  io_uring is refused, so only the epoll checkpoints can run: {refused}")
    elif machine.tracepoints_refused() and os.geteuid() != 0:
        print("  ./checkpoints/run                                     all that needs no root")
        print("  sudo ./checkpoints/run --build-dir build/release      the tracepoints too, on what was built")
    else:
        print("  ./checkpoints/run         all of them")
        print("  ./checkpoints/run m1      one milestone;  --hint says more about a failure")
    return refused is None or any(checkpoint.milestone == "epoll" for checkpoint in checkpoints)
