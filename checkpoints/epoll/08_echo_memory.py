"""Forty clients that never read cost the server at most its limit each.

They send as much as is taken. The report says `stopped` for each and at most --max-buffered bytes that wait, and /proc
says that the process has grown by no more than twice the limits.
"""

from epoll import limits, servers

hint = "Check the limit before reading, and read only what there is room for; doubling must stop at the limit."


def check(c):
    limits.memory_bounded(c, servers.echo(c))
