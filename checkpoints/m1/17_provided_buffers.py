"""Buffers of a group go to the kernel, come back with the data, and are given back in time.

The program records itself (--trace). Played through, the record shows every buffer with one owner at a time, the id
in each CQE, one ENOBUFS that is recovered from, and batches given back as soon as fewer than a quarter are left.
strace shows the group being registered and unregistered; without buffer rings (URING_DISABLE=buffer_ring) it is not,
and the record is the same.
"""

from m1.lesson import ended_well, numbers, read_trace, strace_lesson

needs = ["strace"]
tier = "quick"
timeout = 120
hint = ["Only IORING_CQE_F_BUFFER says that a buffer came; flags >> 16 is its id.",
        "ENOBUFS ends the request: give buffers back, then make it again."]

GROUP, BUFFERS, F_BUFFER, ENOBUFS = 7, 16, 1, 105
REGISTER, UNREGISTER = 22, 23


def check_record(c, records, form):
    given = numbers(records, "BufferIn", "group", "bid")
    taken = numbers(records, "BufferOut", "group", "bid")
    c.equal(f"{form}: groups", {GROUP}, {group for group, _ in given + taken})
    with_flag = [flags for _, flags in numbers(records, "Cqe", "res", "flags") if flags & F_BUFFER]
    c.equal(f"{form}: ids in the CQEs", [flags >> 16 for flags in with_flag], [bid for _, bid in taken],
            usually="The id is in the upper 16 bits of the flags, of a CQE that has F_BUFFER.")
    c.equal(f"{form}: completions with ENOBUFS", 1, [res for res, in numbers(records, "Cqe", "res")].count(-ENOBUFS),
            usually="Buffers were given back too late, or not at all.")
    c.at_least(f"{form}: messages", 100, len(taken))
    c.equal(f"{form}: at first", [(GROUP, bid) for bid in range(BUFFERS)], given[:BUFFERS])

    kernels: set[int] = set()
    low_marks = []  # how many the kernel still had when a batch was given back
    previous = ""
    for kind, record in records:
        if kind == "BufferIn":
            if previous != "BufferIn":
                low_marks.append(len(kernels))
            c.expect(int(record["bid"]) not in kernels, f"{form}: buffer {record['bid']}", expected="given back once",
                     seen="given back while the kernel has it")
            kernels.add(int(record["bid"]))
        elif kind == "BufferOut":
            c.expect(int(record["bid"]) in kernels, f"{form}: buffer {record['bid']}", expected="the kernel had it",
                     seen="it was ours")
            kernels.remove(int(record["bid"]))
        previous = kind
    c.at_least(f"{form}: batches given back", 5, len(low_marks) - 1)
    c.none(f"{form}: batches given back with a quarter or more left (or none)",
           [left for left in low_marks[3:] if not 0 < left < BUFFERS // 4],
           usually="Give back below a quarter: later risks ENOBUFS, earlier costs a store for each.")


def check(c):
    for masked, form in (("", "buffer ring"), ("buffer_ring", "PROVIDE_BUFFERS")):
        path = c.temp_dir() / "trace"
        trace = strace_lesson(c, "provided-buffers", "--trace", path, calls=["io_uring_register"],
                              env={"URING_DISABLE": masked})
        made = [call for call in trace.named("io_uring_register") if call.number(1) == REGISTER]
        undone = [call for call in trace.named("io_uring_register") if call.number(1) == UNREGISTER]
        if masked:
            c.none("buffer rings registered although they are masked", [call.line for call in made])
        else:
            c.equal("buffer rings registered, (group, entries)", [(GROUP, BUFFERS)],
                    [(call.field(2, "bgid"), call.field(2, "ring_entries")) for call in made])
            c.equal("buffer rings unregistered", [GROUP], [call.field(2, "bgid") for call in undone],
                    usually="The group outlives what it points to.")
        check_record(c, read_trace(c, path), form)
        c.contains("the end of the stream", "no F_BUFFER, so nothing is to be given back",
                   " ".join(trace.result.stdout.split()))
        ended_well(c, trace.result)
