"""No spelling of any path leads out of the root, and nothing in it that is no regular file is opened.

Some hundred targets: `..` and slashes escaped once, twice and in ways that only other servers decode, absolute names,
NUL, symbolic links to the outside; and a FIFO, a socket, a device. Each gets a refusal within seconds, and none gets a
byte of the file that lies beside the root.
"""

from epoll import servers, wire_http_hostile

judges = "wire"
timeout = 120
hint = ["openat2() with RESOLVE_BENEATH lets the kernel refuse what leaves the root, links included.",
        "Open with O_NONBLOCK, then fstat: only a regular file is served."]


def check(c):
    wire_http_hostile.escapes(c, servers.files(c))
