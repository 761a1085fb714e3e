"""The Markdown of a run."""

from dataclasses import dataclass

MEASURE = "messages_per_cpu_second"


@dataclass
class Judgement:
    """The comparison with the best of the others: the one that we do worst against."""

    workload: str
    bar: float
    best: dict  # the load client's comparison
    is_met: bool


@dataclass
class CallsJudgement:
    workload: str
    most: float
    calls: float
    latency: dict  # p50 and p99 of ours over the other's, where they are a part of the bar
    most_latency: float  # or None
    is_met: bool


def judge(workload, comparisons):
    judged = {server.name for server in workload.others}
    best = min((comparison for comparison in comparisons if comparison["reference"] in judged),
               key=lambda comparison: comparison[MEASURE]["ratio"])  # fmt: skip
    return Judgement(workload.title, workload.bar, best, best[MEASURE]["ratio"] >= workload.bar)


def judge_calls(workload, calls, comparisons):
    latency = {}
    if workload.most_latency is not None:
        [comparison] = comparisons
        latency = {name: comparison[name] for name in ("p50", "p99")}
    is_met = calls <= workload.most_calls and all(value["ratio"] <= workload.most_latency for value in latency.values())
    return CallsJudgement(workload.title, workload.most_calls, calls, latency, workload.most_latency, is_met)


def ratio(value):
    if value["low"] is None:
        return f"{value['ratio']:.3f}"
    return f"{value['ratio']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


def table(columns, rows):
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def comparisons_table(results):
    """results: (workload, the load client's JSON)."""
    rows = []
    for workload, result in results:
        servers = {target["name"]: target["server"] for target in result["targets"]}
        for comparison in result["comparisons"]:
            names = (comparison["ours"], comparison["reference"])
            cpu_us = [f"{servers[name]['cpu_ns_per_message'] / 1000:.2f}" for name in names]
            rows.append([workload.title, names[1], *cpu_us, ratio(comparison[MEASURE]),
                         ratio(comparison["messages_per_second"]), ratio(comparison["p50"]),
                         ratio(comparison["p99"])])  # fmt: skip
    return table(["workload", "against", "our CPU µs", "their CPU µs", "messages per CPU second",
                  "messages per second", "p50 (below 1 is better)", "p99 (below 1 is better)"], rows)  # fmt: skip


def bars_table(judgements):
    rows = []
    for judgement in judgements:
        value = judgement.best[MEASURE]
        verdict = "not met"
        if judgement.is_met:
            sure = value["low"] is not None and value["low"] >= judgement.bar
            verdict = "met" if sure else "met by the middle, not by the lower end"
        rows.append([judgement.workload, judgement.best["reference"], ratio(value),
                     f"{judgement.bar:.2f}", verdict])  # fmt: skip
    return table(["bar", "best of the others", "messages per CPU second", "needed", ""], rows)


def calls_bars_table(judgements):
    rows = []
    for judgement in judgements:
        latency = [f"{name} {ratio(value)}, at most {judgement.most_latency:.2f}"
                   for name, value in judgement.latency.items()]  # fmt: skip
        rows.append([judgement.workload, f"{judgement.calls:.3f}", f"{judgement.most:.2f}", "; ".join(latency),
                     "met" if judgement.is_met else "not met"])  # fmt: skip
    return table(["bar", "system calls per message", "at most", "latency", ""], rows)


def syscalls_table(counts, shown_from):
    """counts: (workload's title, server's name, who counted, {system call: per message})."""
    rows = []
    for title, server, counter, calls in counts:
        single = sorted(((count, name) for name, count in calls.items()
                         if name != "total" and count >= shown_from), reverse=True)  # fmt: skip
        rows.append([title, server, f"{calls['total']:.2f}",
                     ", ".join(f"{name} {count:.2f}" for count, name in single), counter])  # fmt: skip
    return table(["workload", "server", "calls per message", "of these", "counted by"], rows)
