"""Every file comes whole: SHA-256 of 0 bytes to 10 MiB (--full: 1 GiB), and HEAD says the same without a body.

All on one connection, so that each answer ends exactly where its Content-Length says.
"""

from epoll import servers, wire_http

judges = "wire"
tier = "quick"
timeout = 180
hint = "write() and sendfile() may take a part: keep the offset, and go on when the socket is writable."

SIZES = [0, 1, 1023, 4096, 16_383, 16_384, 65_535, 65_536, 65_537, 262_144, 1_000_000, 10 << 20]


def check(c):
    wire_http.whole_files(c, servers.files(c), SIZES, c.choose(quick=0, full=1 << 30))
