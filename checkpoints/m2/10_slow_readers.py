"""Clients that ask for a large file and do not read cost little memory and no wake-up.

Twenty of them ask ten times for 24 MiB. The server sleeps, has grown by less than 512 KiB for each, and serves others;
one of them that reads at last gets its file.
"""

from epoll import http_limits
from m2 import server

needs = ["strace"]
timeout = 90
hint = "While a send waits for its socket, no further read is started, and no further request received."


def check(c):
    http_limits.slow_readers(c, server.argv(c))
