"""16 requests go into the kernel and 16 completions come out, each matched by its user_data and not by its place.

The kernel's tracepoints show every request that it took and every completion that it posted. The first request of
the batch waits for the last one, so completions in the order of submission would be wrong; the program prints what
it matched with what.
"""

import re

from m1.lesson import ended_well, lesson_ring, opcodes, trace_lesson, user_data

needs = ["tracepoints"]
tier = "quick"
hint = "user_data is all that ties a CQE to its request: the n-th CQE is not the answer to the n-th SQE."

ROW = re.compile(r"^ +(\d+)  (0x[0-9a-f]+) +(\d+)  ([A-Z]+) +(-?\d+)$", re.MULTILINE)


def check(c):
    events = trace_lesson(c, "batching")
    ring = lesson_ring(c, events)
    submitted, completed = ring.named("submit_req"), ring.named("complete")
    c.equal("requests taken (submit_req)", 16, len(submitted))
    c.equal("completions posted (complete)", 16, len(completed))
    c.equal("what they are", ["NOP"] * 14 + ["READ", "WRITE"], sorted(opcodes(ring)))
    c.equal("different user_data values", 16, len(set(user_data(submitted))),
            usually="Each request needs a user_data of its own, or its completion says nothing.")
    c.equal("user_data of the completions", user_data(submitted), user_data(completed))
    c.equal("the first request completes", completed[-1]["user_data"], submitted[0]["user_data"])
    c.none("completions with an error", [event.line for event in completed if event["result"] < 0])

    order = {event["user_data"]: place for place, event in enumerate(submitted)}
    seen = [(int(token, 16), int(request), opcode, int(res))
            for _, token, request, opcode, res in ROW.findall(events.result.stdout)]
    expected = [(event["user_data"], order[event["user_data"]], opcodes(ring)[order[event["user_data"]]],
                 event["result"]) for event in completed]
    c.equal("what the program matched: (user_data, request, opcode, res)", expected, seen,
            usually="The program takes the n-th CQE for the answer to the n-th SQE.")
    ended_well(c, events.result)
