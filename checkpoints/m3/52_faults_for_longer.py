"""Each second enter fails, for a while, with each error that passes, in each form of the server: no byte is lost.

What 41 and 43 do in a second, here for five each: EINTR, EAGAIN, EBUSY, with multishot requests and single shots, with
direct descriptors, with few buffers, and on a ring that has no EXT_ARG and no DEFER_TASKRUN.
"""

from m3 import faults

tier = "full"
timeout = 400
needs = ["strace"]
hint = faults.LOST

FORMS = [[], ["--single-shot"], ["--direct-descriptors"], ["--buffers", 4]]
ERRORS = {"EINTR": "interrupted", "EAGAIN": "refused_submits", "EBUSY": "refused_submits"}


def check(c):
    failed = 0
    for error, counter in ERRORS.items():
        for options in FORMS:
            failed += faults.survived(c, error, counter, 5, *options, every=2)
        failed += faults.survived(c, error, counter, 5, every=2, masked="ext_arg,defer_taskrun")
    c.note(f"{failed} enters failed")
