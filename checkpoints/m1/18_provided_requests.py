"""The kernel chooses the buffer: each receive asks for a group (IOSQE_BUFFER_SELECT), and its completion names the id.

The tracepoints show flags and results of each request, on a buffer ring and, where that is masked, on PROVIDE_BUFFERS
requests.
"""

from m1.lesson import ended_well, lesson_ring, opcodes, trace_lesson

needs = ["tracepoints"]
tier = "quick"
timeout = 120
hint = "Without a buffer ring a group is filled by PROVIDE_BUFFERS requests and emptied by REMOVE_BUFFERS."

BUFFER_SELECT, F_BUFFER, ENOBUFS, REGISTER = 1 << 5, 1, 105, 22


def received(ring):
    """Result, flags and buffer id of each RECV, in order."""
    own = [event for event in ring.named("complete") if event["user_data"] < 0xFFFFFFFF_00000000]
    return [(event["result"], event["cflags"] & F_BUFFER, event["cflags"] >> 16) for event in own]


def check(c):
    events = trace_lesson(c, "provided-buffers")
    ring = lesson_ring(c, events)
    asked = [event for event in ring.named("submit_req") if event["opcode"] == "RECV"]
    c.at_least("RECV requests", 100, len(asked))
    c.none("RECV requests that bring their own buffer",
           [event.line for event in asked if not event["flags"] & BUFFER_SELECT])
    c.equal("requests that provide buffers", [], [opcode for opcode in opcodes(ring) if opcode != "RECV"])
    c.equal("buffer rings registered", 1, [event["opcode"] for event in ring.named("register")].count(REGISTER))
    with_ring = received(ring)
    c.equal("completions with ENOBUFS", 1, [res for res, _, _ in with_ring].count(-ENOBUFS),
            usually="Buffers were given back too late, or not at all.")
    c.none("data without a buffer", [seen for seen in with_ring if seen[0] > 0 and not seen[1]])
    c.none("buffers without data", [seen for seen in with_ring if seen[0] <= 0 and seen[1]])
    ended_well(c, events.result)

    events = trace_lesson(c, "provided-buffers", env={"URING_DISABLE": "buffer_ring"})
    c.none("buffer rings registered although they are masked",
           [event.line for event in events.named("register") if event["opcode"] == REGISTER])
    ring = lesson_ring(c, events)
    provided = opcodes(ring).count("PROVIDE_BUFFERS")
    c.expect(2 <= provided <= len(asked) // 2, "PROVIDE_BUFFERS requests", expected="one a batch, not one a buffer",
             seen=provided)
    c.equal("REMOVE_BUFFERS requests", 1, opcodes(ring).count("REMOVE_BUFFERS"))
    c.equal("results and F_BUFFER", [seen[:2] for seen in with_ring], [seen[:2] for seen in received(ring)])
    ended_well(c, events.result)
