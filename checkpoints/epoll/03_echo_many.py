"""Hundreds of connections that come at once all get their own bytes.

400 clients (--full: 2,000) connect in one go, and all of them send 20 KB in small pieces while they read. None gets
a byte of another, and at the end all descriptors are closed.
"""

from epoll import servers, wire_echo

judges = "wire"
hint = "What belongs to a connection lies in the connection: nothing of it in the loop, and nothing global."


def check(c):
    with servers.echoing(c) as server:
        wire_echo.many_at_once(c, server, c.choose(default=400, full=2000))
