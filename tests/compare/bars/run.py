"""A script of bars: its command line, the run over all workloads, and what it prints."""

import argparse
import contextlib
import json
import os
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from . import load, machine, report, syscalls, workloads
from .failed import Failed
from .programs import Programs

ROOT = Path(__file__).resolve().parents[3]


class Run:
    """What was measured, and what could not be."""

    def __init__(self, options):
        self.programs = Programs(options.build)
        self.server_cpu, self._client_cpu = sorted(os.sched_getaffinity(0))[:2]
        self._pairs = options.pairs or (6 if options.quick else 100)
        self._slice_ms = 50 if options.quick else 100
        self._comparisons = []  # (workload, the load client's JSON)
        self._judgements = []
        self._syscalls = []
        self._calls_judgements = []
        self.texts = {}  # what a program printed itself, by its name in the JSON
        self.failures = []

    @contextlib.contextmanager
    def going_on(self, what):
        say(what)
        try:
            yield
        except Failed as failure:
            say(f"failed: {failure}")
            self.failures.append(f"{what}: {failure}")

    def measure(self, what, plan, *arguments):
        """`plan`, of workloads.py, starts the servers and says what is measured on them."""
        with contextlib.ExitStack() as stack, self.going_on(what):
            planned = plan(self.programs, self.server_cpu, *arguments, stack)
            client = load.Client(self.programs.load_client, self._client_cpu)
            for workload in planned:
                with self.going_on(workload.title):
                    self._compare(client, workload)
            self._count_calls(client, [workload for workload in planned if workload.counts_calls])

    def _pairs_for(self, workload):
        has_bar = workload.bar is not None or workload.most_latency is not None
        return self._pairs if has_bar else max(6, self._pairs // 4)

    def _compare(self, client, workload):
        result = client.compare(workload, self._pairs_for(workload), self._slice_ms)
        self._comparisons.append((workload, result))
        if workload.bar is not None:
            self._judgements.append(report.judge(workload, result["comparisons"]))

    def _count_calls(self, client, planned):
        counted = set()  # a server may be in two workloads
        for workload in planned:
            for server in workload.targets():
                load_on_it = (server.pid, workload.connections, tuple(workload.options))
                if load_on_it not in counted:
                    counted.add(load_on_it)
                    with self.going_on(f"system calls of {server.name}, {workload.title}"):
                        counter, calls = syscalls.per_message(client, workload, server)
                        self._syscalls.append((workload.title, server.name, counter, calls))
                        if server is workload.ours and workload.most_calls is not None:
                            self._judge_calls(workload, calls["total"])

    def _judge_calls(self, workload, calls):
        comparisons = [one for compared, result in self._comparisons if compared is workload
                       for one in result["comparisons"]]  # fmt: skip
        if workload.most_latency is not None and not comparisons:
            raise Failed("its latency was not measured")
        self._calls_judgements.append(report.judge_calls(workload, calls, comparisons))

    def conditions(self, load_before):
        return (f"{machine.line()}; servers on CPU {self.server_cpu}, load client on CPU {self._client_cpu}; "
                f"{self._pairs} pairs of {self._slice_ms} ms (fewer without a bar), {workloads.CONNECTIONS} "
                f"connections where nothing else is said; load average {load_before:.1f} before, "
                f"{machine.load_average():.1f} at the end. {machine.versions()}")  # fmt: skip

    def markdown(self, conditions):
        parts = [conditions, report.bars_table(self._judgements)]
        if self._calls_judgements:
            parts.append(report.calls_bars_table(self._calls_judgements))
        parts += [report.comparisons_table(self._comparisons),
                  report.syscalls_table(self._syscalls, syscalls.SHOWN_FROM)]  # fmt: skip
        parts += [f"```\n{text.rstrip()}\n```" for text in self.texts.values()]
        parts += [f"not measured: {failure}" for failure in self.failures]
        return "\n\n".join(parts)

    def as_json(self, conditions):
        return {
            "conditions": conditions,
            "bars": [asdict(judgement) for judgement in self._judgements],
            "calls_bars": [asdict(judgement) for judgement in self._calls_judgements],
            "runs": [{"workload": workload.title, **result} for workload, result in self._comparisons],
            "syscalls_per_message": [
                {"workload": title, "server": name, "counted_by": counter, "calls": calls}
                for title, name, counter, calls in self._syscalls
            ],
            **self.texts,
            "failures": self.failures,
        }


def say(text):
    print(text, file=sys.stderr, flush=True)


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("build", nargs="?", type=Path, default=ROOT / "build" / "release", help="build directory")
    parser.add_argument("--quick", action="store_true", help="few short pairs: shows that it works, measures badly")
    parser.add_argument("--pairs", type=int, help="of slices for each comparison with a bar (100)")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured as JSON too")
    return parser.parse_args()


def end_on_signal(number, _):
    sys.exit(128 + number)  # unwinds, so that what was started is stopped


def main(name, description, measure):
    """`measure(run, folder)` makes the measurements. Returns the exit status."""
    options = arguments(description)
    signal.signal(signal.SIGTERM, end_on_signal)
    signal.signal(signal.SIGINT, end_on_signal)
    if len(os.sched_getaffinity(0)) < 2:
        say(f"{name} needs two CPUs: one for the servers, one for the load client")
        return 2
    load_before = machine.load_average()
    run = Run(options)
    with tempfile.TemporaryDirectory(prefix=f"{name}.") as folder:
        measure(run, Path(folder))
    conditions = run.conditions(load_before)
    print(run.markdown(conditions))
    if options.json:
        Path(options.json).write_text(json.dumps(run.as_json(conditions), indent=1) + "\n", encoding="utf-8")
    return 1 if run.failures else 0
