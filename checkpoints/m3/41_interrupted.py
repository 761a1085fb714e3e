"""An enter that is interrupted loses nothing: each third one ends with EINTR before the kernel has taken a request.

strace makes them fail, while clients come, talk, half-close and go. Both kinds of wait are tried: the one that carries
its own timeout, and the one whose timeouts are requests, as kernels before 5.11 need it.
"""

from m3 import faults

needs = ["strace"]
hint = faults.LOST


def check(c):
    for masked in ("", "ext_arg"):
        failed = faults.survived(c, "EINTR", "interrupted", 0.5, masked=masked)
        c.note(f"{failed} enters interrupted{', without EXT_ARG' if masked else ''}")
