"""A head that does not get ready in time ends with 408, however it is stretched.

With --header-timeout 700ms: a client that says nothing, half a head, a head that comes a byte every 50 ms, half a
second request. A client that is silent between two requests may stay.
"""

from epoll import http_limits
from m2 import server

alone = True
hint = "One deadline for the whole head, from its first byte on: no byte moves it."


def check(c):
    http_limits.slow_requests(c, server.argv(c))
