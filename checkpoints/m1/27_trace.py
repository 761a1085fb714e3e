"""A trace tells what happened, neither more nor less.

The program records itself (--trace FILE) under strace, and `m1_sq_cq trace FILE` prints the record: the enters in it
are those that strace saw, and the SQEs, CQEs, tails and heads add up.
"""

from m1.lesson import PROGRAM, ended_well, numbers, read_trace, strace_lesson

needs = ["strace"]
tier = "quick"
timeout = 120
hint = "A record is made where the thing happens: enters around the system call, SQEs when the tail is published."

def check(c):
    for lesson, requests in (("batching", 16), ("overflow", 66)):
        path = c.temp_dir() / "trace"
        seen = strace_lesson(c, lesson, "--trace", path, calls=["io_uring_enter"])
        enters = seen.named("io_uring_enter")
        records = read_trace(c, path)
        c.equal(f"{lesson}: enters (to_submit, min_complete, flags)",
                [(call.number(1), call.number(2), call.number(3)) for call in enters],
                numbers(records, "EnterCall", "to_submit", "min_complete", "flags"))
        c.equal(f"{lesson}: results of the enters", [(call.result,) for call in enters],
                numbers(records, "EnterReturn", "result"))
        c.equal(f"{lesson}: SQEs prepared", requests, len(numbers(records, "SqePrepared", "index")),
                usually="An SQE is recorded when the tail is published: from the old tail up to the new one.")
        c.equal(f"{lesson}: SQEs published with the tail", requests,
                sum(count for count, in numbers(records, "SqTail", "published")))
        tokens = [token for token, in numbers(records, "SqePrepared", "user_data")]
        c.equal(f"{lesson}: CQEs, by user_data", sorted(tokens),
                sorted(token for token, in numbers(records, "Cqe", "user_data")))
        c.equal(f"{lesson}: CQ slots given back", requests,
                sum(count for count, in numbers(records, "CqHead", "released")))
        c.equal(f"{lesson}: last tail and head", ([(requests,)], [(requests,)]),
                (numbers(records, "SqTail", "tail")[-1:], numbers(records, "CqHead", "head")[-1:]))
        ended_well(c, seen.result)

    path.write_bytes(path.read_bytes()[:-1])
    cut = c.run([c.program(PROGRAM), "trace", path])
    c.equal("exit status for a trace that is cut off", 1, cut.status)
    c.contains("the message", "is cut off", cut.stderr)
    c.equal("records printed before it", len(records) - 1, len(cut.stdout.splitlines()))
    nowhere = c.run([c.program(PROGRAM), "--trace", path.parent / "no" / "trace", "nop"])
    c.equal("exit status when the trace cannot be written", 2, nowhere.status)
