"""A client that reads a byte a second does not wake the server, and neither do twenty silent ones.

strace watches every call. When the slow one has read everything, the server sleeps again.
"""

from epoll import limits
from m3 import server

needs = ["strace"]
hint = ["A POLL_ADD for POLLOUT ends when there is room, or when the client's FIN has come: then wait by the clock.",
        "A RECV with MSG_DONTWAIT that is armed again at once ends at once, with EAGAIN."]


def check(c):
    limits.sleeps(c, server.argv(c), c.choose(default=1, full=20), server.Ring())
