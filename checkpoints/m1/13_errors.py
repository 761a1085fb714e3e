"""A request that fails says so in its own completion, as a negative errno in res; the system call does not fail.

Each error of the lesson is provoked for real. What the program prints is read row by row; strace shows that not one
io_uring_enter failed.
"""

import re

from m1.lesson import ended_well, strace_lesson

needs = ["strace"]
tier = "quick"
timeout = 120
hint = ["res is -EAGAIN, not -1 and errno.",
        "What to do about an error depends on the operation too: a table (operation, errno) -> action decides."]

# errno -> (its number, what the policy says)
EXPECTED = {"EAGAIN": (11, {"retry"}), "ENOBUFS": (105, {"await buffers"}), "ECANCELED": (125, {"close", "ignore"}),
            "ENOENT": (2, {"ignore", "close"}), "ETIME": (62, {"ignore"}), "EPIPE": (32, {"close"}),
            "ENOSPC": (28, {"close"}), "EISDIR": (21, {"close"}), "EBUSY": (16, {"ignore"}), "EBADF": (9, {"fatal"}),
            "EINVAL": (22, {"fatal"}), "EFAULT": (14, {"fatal"})}
ROW = re.compile(r" (-\d+)  (E[A-Z]+) .*?  (retry|await buffers|close|ignore|fatal) +(.*)$", re.MULTILINE)


def check(c):
    trace = strace_lesson(c, "errors", calls=["io_uring_enter"])
    c.at_least("io_uring_enter calls", 10, trace.count("io_uring_enter"))
    c.none("io_uring_enter calls that failed", [call.line for call in trace.named("io_uring_enter") if call.errno],
           usually="A wrong request is its own completion's matter, not the system call's.")

    rows = [(int(res), name, action, came) for res, name, action, came in ROW.findall(trace.result.stdout)]
    c.none("errors that were not provoked", sorted(EXPECTED.keys() - {name for _, name, _, _ in rows}))
    c.equal("numbers", {name: -number for name, (number, _) in EXPECTED.items()},
            {name: res for res, name, _, _ in rows if name in EXPECTED},
            usually="res was read as unsigned, or its sign was lost.")
    seen = {name: {action for _, row, action, _ in rows if row == name} for name in EXPECTED}
    c.equal("what is done about them", {name: actions for name, (_, actions) in EXPECTED.items()}, seen)
    c.equal("EAGAIN and ENOBUFS, tried again once their cause is gone", ["tried again: res 5"] * 2,
            [came for _, name, _, came in rows if name in ("EAGAIN", "ENOBUFS")])
    c.contains("a short read", "res is 5, what was there", trace.result.stdout)
    ended_well(c, trace.result)
