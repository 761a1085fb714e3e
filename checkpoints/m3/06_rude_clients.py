"""Clients that reset, or connect and vanish, leave nothing behind and disturb nobody.

They end with RST: at once, with bytes on their way, with answers unread. Afterwards the server serves the next one, all
buffers are with the kernel, no completion came for a connection that was gone, and as many descriptors are open as at
the start.
"""

from epoll import wire_echo
from m3 import server

judges = "wire"
hint = ["ECONNRESET and EPIPE end one connection. SIGPIPE would end the server: MSG_NOSIGNAL.",
        "Close: cancel what waits, close the descriptor, and give the slot away when the last operation has ended."]


def check(c):
    for words in ([], ["--direct-descriptors"]):
        with server.serving(c, *words) as running:
            wire_echo.rude_clients(c, running, c.choose(default=100, full=2000))
