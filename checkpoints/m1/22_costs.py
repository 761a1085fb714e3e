"""The costs lesson measures what it says, and says it as well-formed JSON.

The document has every comparison, each with its interval and a verdict that follows from the interval. strace shows
that the batches are real: enters with to_submit 1, 8, 32 and 128, each waiting for as many, and getppid beside them.
How long anything takes is not judged.
"""

import json

from m1.lesson import TIMEOUT_S, argv, run_lesson

needs = ["strace"]
timeout = 180
alone = True
hint = "A comparison is a ratio with its 95% interval. If the interval holds 1, nothing was shown: that is a tie."

# operation -> what it is compared with
COMPARISONS = {
    "NOP, 1 per enter": "system call (getppid)",
    "NOP, 8 per enter": "system call (getppid)",
    "NOP, 32 per enter": "system call (getppid)",
    "NOP, 128 per enter": "system call (getppid)",
    "WRITE, 1 per enter": "write(2)",
    "WRITE, 32 per enter": "write(2)",
    "WRITE, 128 per enter": "write(2)",
    "READ_FIXED 4 KiB, page cache": "READ 4 KiB, page cache",
    "READ_FIXED 4 KiB, O_DIRECT": "READ 4 KiB, O_DIRECT",
    "NOP, 32 per enter, traced": "NOP, 32 per enter",
}
GETEVENTS = 1


def verdict_of(interval):
    if interval is None:
        return "too few pairs"
    low, high = interval
    return "tie" if low <= 1 <= high else "slower" if low > 1 else "faster"


def check_document(c, text):
    try:
        document = json.loads(text)
    except ValueError as error:
        c.expect(False, "the document", expected="well-formed JSON, and nothing else", seen=error)
    operations = {operation["name"]: operation for operation in document["operations"]}
    for operation in operations.values():
        interval = operation["interval_95_ns"] or [operation["median_ns"]] * 2
        c.expect(0 < interval[0] <= operation["median_ns"] <= interval[1], operation["name"],
                 expected="0 < low <= median <= high", seen=operation)
    compared = {comparison["operation"]: comparison for comparison in document["comparisons"]}
    wanted = {name: against for name, against in COMPARISONS.items()
              if not (document["left_out"] and "O_DIRECT" in name)}
    c.equal("comparisons", wanted, {name: compared[name]["against"] for name in wanted if name in compared})
    for name, comparison in compared.items():
        c.expect(name in operations and comparison["against"] in operations, name, expected="both sides are measured",
                 seen=sorted(operations))
        c.equal(f"verdict of {name}, {comparison['interval_95']}", verdict_of(comparison["interval_95"]),
                comparison["verdict"], usually="The verdict follows from the interval, not from the median.")
        c.at_least(f"pairs of {name}", 1, comparison["pairs"])


def check_batches(c):
    trace = c.strace(argv(c, "costs", "--quick"), calls=["io_uring_enter", "getppid"], timeout=TIMEOUT_S)
    c.equal("exit status", 0, trace.result.status, usually=trace.result.stderr)
    c.at_least("getppid calls", 100, trace.count("getppid"))
    batches = {}
    for call in trace.named("io_uring_enter"):
        if call.number(1) > 0 and call.number(1) == call.number(2) and call.number(3) & GETEVENTS:
            batches[call.number(1)] = batches.get(call.number(1), 0) + 1
    c.none("batches that were never entered", [size for size in (1, 8, 32, 128) if size not in batches],
           usually="The batch that the table names is not the batch that was measured.")
    c.none("enters that took fewer than they were given",
           [call.line for call in trace.named("io_uring_enter") if call.result != call.number(1) and not call.errno])


def check(c):
    check_document(c, run_lesson(c, "costs", "--json", "--quick").stdout)
    check_batches(c)
