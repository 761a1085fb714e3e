"""A CQ overflow is an event in the kernel, and it loses nothing.

The tracepoint io_uring_cqe_overflow fires for each completion that found no room. Together with those posted straight
into the CQ they are all 66, each once.
"""

from m1.lesson import ended_well, lesson_ring, trace_lesson, user_data

needs = ["tracepoints"]
tier = "quick"
hint = ("With IORING_FEAT_NODROP (Linux 5.5) the kernel keeps what does not fit. A CQ that is too small costs memory "
        "and calls.")

REQUESTS, CQ = 66, 8


def check(c):
    events = trace_lesson(c, "overflow")
    ring = lesson_ring(c, events)
    submitted, overflowed = ring.named("submit_req"), ring.named("cqe_overflow")
    c.equal("requests taken (submit_req)", list(range(REQUESTS)), user_data(submitted))
    c.equal("completions that found no room (cqe_overflow)", REQUESTS - CQ, len(overflowed),
            usually="The CQ was large enough, or was reaped on the way: then there is nothing to see.")
    straight = set(user_data(ring.named("complete"))) - set(user_data(overflowed))
    c.equal("completions straight into the CQ", list(range(CQ)), sorted(straight))
    c.equal("completions that found no room, by user_data", list(range(CQ, REQUESTS)), user_data(overflowed))
    c.none("completions with an error", [event.line for event in overflowed if event["result"] != 0])
    c.contains("the program's count", "all 66 of 66 completions arrived", events.result.stdout,
               usually="Only what is in the CQ was reaped: nobody asked for what waits in the kernel.")
    ended_well(c, events.result)
