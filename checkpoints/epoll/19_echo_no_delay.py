"""Nagle's algorithm is off on accepted sockets, so that no answer waits for an acknowledgement.

The checkpoint borrows the server's descriptor (pidfd_getfd), and asks the socket itself.
"""

from epoll import limits, servers

needs = ["kernel>=5.6"]
hint = "TCP_NODELAY on the listener is inherited: one setsockopt for all connections."


def check(c):
    limits.no_delay(c, servers.echo(c))
