"""Clients that reset, or connect and vanish, leave nothing behind and disturb nobody.

They end with RST: at once, with bytes on their way, with answers unread. Afterwards the server serves the next one,
and has as many descriptors open as at its start.
"""

from epoll import servers, wire_echo

judges = "wire"
hint = ["ECONNRESET and EPIPE end one connection. SIGPIPE would end the server: MSG_NOSIGNAL.",
        "EPOLLERR and EPOLLHUP come without being asked for: read, get the error, close."]


def check(c):
    with servers.echoing(c) as server:
        wire_echo.rude_clients(c, server, c.choose(default=100, full=2000))
