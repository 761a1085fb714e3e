"""Clients that ask for a large file and do not read cost little memory and no wake-up.

Twenty of them ask ten times for 24 MiB. The server sleeps, has grown by less than 512 KiB for each, and serves others;
one of them that reads at last gets its file.
"""

from epoll import http_limits, servers

needs = ["strace"]
timeout = 90
hint = "While an answer waits for its socket, read no further request, and hold no more of the file than a buffer."


def check(c):
    http_limits.slow_readers(c, servers.files(c))
