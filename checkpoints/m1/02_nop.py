"""One request moves four indices, one after the other, each by its own writer.

The program is held between its steps, and the kernel's own view of the ring (fdinfo) is read: filling an SQE moves
nothing that is shared, publishing moves the SQ tail, entering moves SQ head and CQ tail, reaping moves the CQ head.
"""

from m1.lesson import Held, ended_well, strace_lesson

needs = ["strace"]
tier = "quick"
timeout = 120
hint = "A slot is given back to the kernel by storing the CQ head: without it the CQ is full after a few rounds."

STEPS = [
    ("2. Publish", "filled, not published", (0, 0, 0, 0), "The tail was stored before the SQE was complete."),
    ("3. Enter", "published", (0, 1, 0, 0), "Publishing is the store of the SQ tail, nothing else."),
    ("4. Read the CQE", "entered", (1, 1, 0, 1), "The enter must say to_submit=1."),
    ("All the steps", "reaped", (1, 1, 1, 1), "The CQ head was not stored: the kernel thinks that the CQE is unread."),
]


def check(c):
    trace = strace_lesson(c, "nop", calls=["io_uring_setup", "io_uring_enter"])
    c.equal("rings", 1, trace.count("io_uring_setup"))
    enters = [(call.number(1), call.number(2), call.number(3), call.result) for call in trace.named("io_uring_enter")]
    c.equal("io_uring_enter (to_submit, min_complete, flags, result)", [(1, 0, 0, 1)], enters)

    with Held(c, "nop") as program:
        for line, step, expected, usually in STEPS:
            program.until(line)
            c.equal(f"SqHead, SqTail, CqHead, CqTail when the NOP is {step}", expected,
                    tuple(program.indices().values()), usually=usually)
    ended_well(c, trace.result)
