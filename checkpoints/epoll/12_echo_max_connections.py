"""At --max-connections accepting pauses, at no cost, and goes on when a client leaves.

Twenty clients come to a server for five. Fifteen wait in the backlog while strace sees no call; each one that leaves
lets another in, until all have been served.
"""

from epoll import limits, servers

needs = ["strace"]
hint = "The backlog is the place to wait: nothing is accepted only to be closed again."


def check(c):
    limits.most_connections(c, servers.echo(c))
