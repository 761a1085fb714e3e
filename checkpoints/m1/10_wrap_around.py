"""Indices run through the masks again and again, and nobody sets them back.

1200 NOPs go through an SQ of 4 and a CQ of 8 in rounds of 3. strace shows that every enter takes its three; held at
the end of the rounds, the kernel's own view of the ring (fdinfo) shows all four indices at 1200.
"""

from m1.lesson import Held, ended_well, run_lesson, strace_lesson

needs = ["strace"]
tier = "quick"
timeout = 120
hint = ["An index is masked where a slot is looked up, and nowhere else.",
        "Full is `tail - head == entries`, computed modulo 2^32; `tail < head` happens and means nothing."]


def check(c):
    trace = strace_lesson(c, "wrap-around", calls=["io_uring_setup", "io_uring_enter"])
    c.equal("rings", 1, trace.count("io_uring_setup"))
    setup = trace.named("io_uring_setup")[0]
    c.equal("(SQ, CQ)", (4, 8), (setup.field(1, "sq_entries"), setup.field(1, "cq_entries")))
    enters = trace.named("io_uring_enter")
    c.equal("enters, by what they took", {3: 400}, {taken: [call.result for call in enters].count(taken)
                                                  for taken in {call.result for call in enters}},
            usually="The SQ looked full when it was not: compare tail - head with the size, and refresh the head.")

    with Held(c, "wrap-around") as program:
        program.until("the indices stand at")
        seen = program.indices()
        c.equal("indices", dict.fromkeys(seen, 1200), seen,
                usually="An index was masked when it was stored, or the CQ head is not given back.")

    ended_well(c, trace.result)
    # With the index array every slot is looked up twice, so it has its own way to go wrong.
    with_array = run_lesson(c, "wrap-around", env={"URING_DISABLE": "no_sqarray"})
    for result in (trace.result, with_array):
        c.contains("past 2^32", "all 4 completions came out, in order, across the end of the numbers", result.stdout)
        c.none("claims that do not hold", [line for line in result.stdout.splitlines() if "[WRONG]" in line])
