"""No spelling of any path leads out of the root, and nothing in it that is no regular file is opened.

Some hundred targets: `..` and slashes escaped in all ways, absolute names, NUL, symbolic links to the outside; and a
FIFO, a socket, a device. Each gets a refusal within seconds, and none gets a byte of the file beside the root.
"""

from epoll import wire_http_hostile
from m2 import server

judges = "wire"
timeout = 120
hint = ["OPENAT2 with RESOLVE_BENEATH lets the kernel refuse what leaves the root, links included: no text shows them.",
        "Open with O_NONBLOCK, then fstat: only a regular file is served."]


def check(c):
    wire_http_hostile.escapes(c, server.argv(c))
