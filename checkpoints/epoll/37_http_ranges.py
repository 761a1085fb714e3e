"""A Range gets the bytes it asks for: 206 with the first and last one named, 416 beyond the end.

First, last and middle ranges, open ends, suffixes; malformed ranges and several at once get the whole file.
"""

from epoll import servers, wire_http

judges = "wire"
tier = "quick"
hint = "bytes=0-0 is one byte, bytes=-1 is the last one. RFC 9110, section 14."


def check(c):
    wire_http.ranges(c, servers.files(c))
