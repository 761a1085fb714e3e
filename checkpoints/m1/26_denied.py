"""Where io_uring is denied, the program says which knob denies it, in one sentence, and ends with status 2.

A seccomp filter, as containers have one, makes io_uring's three system calls fail: with EPERM as Docker does, with
ENOSYS as others do.
"""

import errno
import sys
from pathlib import Path

from m1.lesson import PROGRAM, argv

tier = "quick"
timeout = 60
hint = "EPERM comes from kernel.io_uring_disabled, a seccomp filter or a security module: /proc tells which it was."

REFUSE = Path(__file__).with_name("refuse.py")


def check(c):
    for error in ("EPERM", "ENOSYS"):
        def denied(*words, error=error):
            return c.run([sys.executable, "-B", REFUSE, getattr(errno, error), *words])

        for command in ([c.program(PROGRAM)], argv(c, "nop"), argv(c, "features")):
            result = denied(*command)
            c.equal("exit status", 2, result.status,
                    usually="2 says that it could not start: io_uring_setup's error belongs to main, not to a lesson.")
            c.equal("standard output", "", result.stdout)
            c.equal("lines of the message", 1, result.stderr.count("\n"))
            c.contains("the message names the error", error, result.stderr)
            c.contains("the message names the knob", "seccomp", result.stderr,
                       usually="/proc/self/status says `Seccomp: 2` where a filter is on.")
            c.contains("the message says what to do", "allow io_uring_setup", result.stderr)
        listed = denied(*argv(c, "list"))
        c.equal("exit status of `list`, which needs no ring", 0, listed.status)
        c.contains("`list`", "batching", listed.stdout)
