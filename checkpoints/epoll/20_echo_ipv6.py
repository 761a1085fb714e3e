"""The server listens on an IPv6 address too, and prints it so that it can be read again.

--bind ::1; the first line and the report have the address in brackets.
"""

from epoll import limits, servers

hint = "An address with colons needs brackets before its port."


def check(c):
    limits.ipv6(c, servers.echo(c))
