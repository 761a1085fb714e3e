"""A batch of 16 requests costs one system call.

strace counts the io_uring_enter calls of the lesson and shows what each was asked for.
"""

from m1.lesson import ended_well, strace_lesson

needs = ["strace"]
tier = "quick"
hint = ["Fill all SQEs, publish the tail once, enter once: io_uring_enter(fd, 16, 16, IORING_ENTER_GETEVENTS) submits "
        "all of them and waits for all of them.",
        "The submit belongs behind the loop, not in it."]

GETEVENTS = 1


def check(c):
    trace = strace_lesson(c, "batching", calls=["io_uring_enter", "io_uring_setup", "read", "readv"])
    enters = trace.named("io_uring_enter")
    c.equal("io_uring_enter calls", 1, len(enters),
            usually="An enter for each SQE: submit after the loop, not in it.")
    c.equal("to_submit", 16, enters[0].number(1))
    c.equal("taken by the kernel", 16, enters[0].result)
    c.equal("min_complete", 16, enters[0].number(2),
            usually="The same call can wait too, for all of them: min_complete with IORING_ENTER_GETEVENTS.")
    c.equal("GETEVENTS", GETEVENTS, enters[0].number(3) & GETEVENTS)
    ring = enters[0].number(0)
    setup = [call for call in trace.named("io_uring_setup") if call.result == ring]
    c.equal("SQ entries", 16, setup[-1].field(1, "sq_entries"))
    c.at_least("CQ entries", 32, setup[-1].field(1, "cq_entries"))
    c.none("reads and writes beside the ring",
           [call.line for call in trace.named("read", "readv", "write") if call.number(0) > 2])
    ended_well(c, trace.result)
