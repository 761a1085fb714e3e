"""Every error that the program reports is one that the kernel put into a completion.

The tracepoint io_uring_complete shows the result of each request: the errors there and those in the program's table
are the same, one for one. A request behind a failed link is cancelled, and a request that is wrong does not take the
others of its submit with it.
"""

import re
from collections import Counter

from m1.lesson import ended_well, lesson_ring, trace_lesson

needs = ["tracepoints"]
tier = "quick"
timeout = 120
hint = "Read res of each CQE before anything else: 0 is a result (end of file), and every negative number an errno."

ROW = re.compile(r" (-\d+)  E[A-Z]+ ", re.MULTILINE)


def check(c):
    events = trace_lesson(c, "errors")
    ring = lesson_ring(c, events)
    failed = Counter(event["result"] for event in ring.named("complete") if event["result"] < 0)
    c.at_least("different errors in the kernel's completions", 12, len(failed))
    reported = Counter(int(res) for res in ROW.findall(events.result.stdout))
    c.equal("errors, and how often each", dict(sorted(failed.items())), dict(sorted(reported.items())),
            usually="A completion was not looked at, or an errno was made up.")
    c.at_least("requests of a chain", 1, ring.count("link"))
    c.at_least("chains that broke", 1, ring.count("fail_link"))
    c.at_least("requests refused when they were read (req_failed)", 2, ring.count("req_failed"))
    ended_well(c, events.result)
