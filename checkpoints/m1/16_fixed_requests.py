"""The data of the fixed-buffers lesson moves by READ_FIXED and WRITE_FIXED, and by no other request.

The tracepoints show each request's opcode and result: what is used wrongly ends with EFAULT or EINVAL and moves
nothing.
"""

from m1.lesson import ended_well, lesson_ring, opcodes, trace_lesson

needs = ["tracepoints"]
tier = "quick"
timeout = 120
hint = "READ with a registered buffer's address works, and looks the pages up again each time: only the opcode tells."

EFAULT = 14


def check(c):
    events = trace_lesson(c, "fixed-buffers")
    ring = lesson_ring(c, events)
    used = opcodes(ring)
    c.none("requests without a fixed buffer",
           [opcode for opcode in used if opcode not in ("READ_FIXED", "WRITE_FIXED")],
           usually="The buffers are registered, but the requests are plain READ and WRITE.")
    c.equal("WRITE_FIXED requests", 1, used.count("WRITE_FIXED"))
    c.at_least("READ_FIXED requests", 5, used.count("READ_FIXED"))
    results = [event["result"] for event in ring.named("complete")]
    c.equal("the first three results: all, all, a part of a buffer", [8192, 8192, 57], results[:3])
    c.equal("the next three: no such slot, beyond the end, the wrong slot", [-EFAULT] * 3, results[3:6])
    c.none("other buffer tables than the lesson's three",
           [event.line for event in [event for event in ring.named("register") if event["opcode"] in (0, 15)
                                     and event["ret"] == 0][3:]])
    ended_well(c, events.result)
