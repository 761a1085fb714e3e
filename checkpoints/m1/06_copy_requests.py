"""Every byte of a copy is read by a READ and written by a WRITE request, several of them at once.

The tracepoints show the requests and their results. More than one block is on its way at any time, and no more than
were asked for.
"""

from m1.lesson import ended_well, lesson_ring, make_file, opcodes, same_bytes, trace_lesson

needs = ["tracepoints"]
tier = "quick"
timeout = 120
hint = "While one block is written the next can be read: a request per buffer, and as many buffers as --depth says."

SIZE, BLOCK, DEPTH = 3_000_001, 100_000, 3


def check(c):
    folder = c.temp_dir()
    source = make_file(folder / "source", SIZE)
    events = trace_lesson(c, "copy", "--block-size", BLOCK, "--depth", DEPTH, source, folder / "copy")
    ring = lesson_ring(c, events)
    moving, most, moved = {}, 0, {"READ": 0, "WRITE": 0}
    for event in ring:
        if event.name == "submit_req" and event["opcode"] in moved:
            moving[event["req"]] = event["opcode"]
            most = max(most, len(moving))
        elif event.name == "complete" and event["req"] in moving:
            moved[moving.pop(event["req"])] += max(event["result"], 0)
    c.equal("bytes read and written by requests", {"READ": SIZE, "WRITE": SIZE}, moved,
            usually="A part of the file went another way, or twice.")
    c.equal("requests that never completed", {}, moving)
    c.expect(1 < most <= DEPTH, "blocks on their way at once", expected=f"2 to {DEPTH}", seen=most,
             usually="Each request was waited for before the next one was submitted.")
    c.at_least("READ requests", SIZE // BLOCK, opcodes(ring).count("READ"))
    same_bytes(c, "the copy", source, folder / "copy")
    ended_well(c, events.result)
