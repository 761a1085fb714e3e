"""At --max-connections accepting pauses, at no cost, and goes on when a client leaves.

Twenty clients come to a server for five. Fifteen wait while strace sees no call; each one that leaves lets another in,
until all have been served. A multishot accept has taken some of the fifteen before its cancel came: they wait, too.
"""

from epoll import limits
from m3 import server

needs = ["strace"]
hint = "A multishot accept knows nothing of our limit: cancel it there, and keep what it has brought by then."


def check(c):
    for words in ([], *c.choose(default=[], full=[["--direct-descriptors"], ["--single-shot"]])):
        limits.most_connections(c, server.argv(c, *words), server.Ring())
