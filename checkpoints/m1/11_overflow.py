"""66 completions for a CQ of 8 all arrive: what does not fit waits in the kernel until it is asked for.

strace shows 17 enters that submit, and then those that only ask (to_submit 0 with GETEVENTS), one for each CQ-full.
Held between the two, the kernel's own view of the ring (fdinfo) shows 8 completions in the CQ and 58 behind it.
"""

from m1.lesson import Held, ended_well, strace_lesson

needs = ["strace"]
tier = "quick"
timeout = 120
hint = ["IORING_SQ_CQ_OVERFLOW, in the SQ's flags word, says that completions wait. While it is set: empty the CQ, "
        "then io_uring_enter(fd, 0, 0, IORING_ENTER_GETEVENTS).",
        "The CQ's overflow counter is not that sign: it counts what was lost for want of memory."]

REQUESTS, CQ, GETEVENTS = 66, 8, 1


def check(c):
    trace = strace_lesson(c, "overflow", calls=["io_uring_setup", "io_uring_enter"])
    setup = trace.named("io_uring_setup")[-1]
    c.equal("(SQ, CQ)", (4, CQ), (setup.field(1, "sq_entries"), setup.field(1, "cq_entries")))
    enters = trace.named("io_uring_enter")
    submits = [call for call in enters if call.number(1) > 0]
    flushes = [call for call in enters if call.number(1) == 0]
    if any(call.errno == "EBUSY" for call in submits):
        c.skip("this kernel refuses requests while completions wait (EBUSY), so that they cannot pile up")
    c.equal("requests taken", REQUESTS, sum(call.result or 0 for call in submits))
    c.equal("enters that only have completions flushed", -(-(REQUESTS - CQ) // CQ), len(flushes),
            usually="Only what is in the CQ was reaped: nobody asked for what waits in the kernel.")
    c.none("flushes without GETEVENTS, or that wait",
           [call.line for call in flushes if not call.number(3) & GETEVENTS or call.number(2) > 0])
    said = trace.result.stdout
    c.contains("the program's count", "all 66 of 66 completions arrived, in the order of submission", said)
    c.contains("the flag", "the SQ's flags say so: CQ_OVERFLOW", said)
    c.contains("the counter at the end", "the overflow counter is still 0", said)

    with Held(c, "overflow") as program:
        program.until("Reap: empty the CQ")
        indices, waiting = program.indices(), c.fdinfo(program.pid).lines("CqOverflowList")
        c.equal("SqTail, SqHead", (REQUESTS, REQUESTS), (indices["SqTail"], indices["SqHead"]))
        c.equal("completions in the CQ", CQ, indices["CqTail"] - indices["CqHead"])
        c.equal("completions that wait in the kernel", REQUESTS - CQ, len(waiting))
        program.until("the flag is clear")
        c.equal("completions that still wait", [], c.fdinfo(program.pid).lines("CqOverflowList"))
        c.equal("CqHead, CqTail", (REQUESTS, REQUESTS), tuple(list(program.indices().values())[2:]))
    ended_well(c, trace.result)
