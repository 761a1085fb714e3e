"""Every request and every completion of a trace is one that the kernel saw, in the same order.

The program records itself (--trace FILE) while the kernel's tracepoints watch it: SqePrepared against submit_req,
Cqe against complete, field by field.
"""

from m1.lesson import argv, lesson_ring, read_trace

needs = ["tracepoints"]
tier = "quick"
timeout = 120
hint = "A trace that is off by one is worse than none: compare user_data, result and flags, not counts alone."


def check(c):
    path = c.temp_dir() / "trace"
    events = c.perf_trace(argv(c, "batching", "--trace", path))
    c.equal("exit status", 0, events.result.status)
    ring, records = lesson_ring(c, events), read_trace(c, path)
    kernel = [(event["user_data"], event["opcode"]) for event in ring.named("submit_req")]
    ours = [(int(record["user_data"], 0), record["opcode"].partition("(")[2].rstrip(")"))
            for kind, record in records if kind == "SqePrepared"]
    c.equal("requests (user_data, opcode)", kernel, ours)
    kernel = [(event["user_data"], event["result"], event["cflags"]) for event in ring.named("complete")]
    ours = [(int(record["user_data"], 0), int(record["res"]), int(record["flags"], 0))
            for kind, record in records if kind == "Cqe"]
    c.equal("completions (user_data, res, flags)", kernel, ours)
