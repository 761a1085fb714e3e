"""Without descriptors the server waits instead of spinning, and serves everyone in the end.

RLIMIT_NOFILE is lowered under the running server. Clients beyond it stay in the backlog, at hardly a system call a
second; each one that leaves lets another in. Without any connection of its own it notices by itself when it can go on.
"""

from epoll import limits, servers

needs = ["strace"]
hint = "EMFILE, ENFILE: do not wait for the listener until a connection has closed or some time has passed."


def check(c):
    limits.descriptors_run_out(c, servers.echo(c))
