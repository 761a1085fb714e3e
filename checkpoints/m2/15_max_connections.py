"""At --max-connections accepting pauses, at no cost, and goes on when a client leaves.

Twenty clients come to a server for five. Fifteen wait in the backlog while strace sees no call; each one that leaves
lets another in, until all have been served.
"""

from epoll import limits
from epoll.talks import Files
from m2 import server

needs = ["strace"]
hint = "An ACCEPT that is armed takes a connection: at the limit none is armed."


def check(c):
    limits.most_connections(c, server.argv(c), Files(c))
