"""Without descriptors the server waits instead of spinning, and serves everyone in the end.

RLIMIT_NOFILE is lowered under the running server. Clients beyond it stay in the backlog, at hardly a system call a
second; each one that leaves lets another in. Without any connection of its own it notices by itself when it can go on.
With --single-shot, because an ACCEPT keeps to the limit of the time when it was submitted: a multishot for ever.
"""

from epoll import limits
from m3 import server

needs = ["strace"]
tier = "full"
hint = "EMFILE, ENFILE from ACCEPT: arm it again when a connection has closed or some time has passed, not at once."


def check(c):
    limits.descriptors_run_out(c, server.argv(c, "--single-shot"), server.Ring(), armed=1)
