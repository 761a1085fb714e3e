"""A Range gets the bytes it asks for, wherever it begins and ends.

First, last and middle ranges, open ends, suffixes, malformed ones; then 400 random ones, eight in each segment, many of
them a byte beside the borders of pages and buffers.
"""

from epoll import wire_http
from m2 import server, whole

judges = "wire"
tier = "quick"
hint = ["bytes=0-0 is one byte, bytes=-1 is the last one. RFC 9110, section 14.",
        "The offset of each read is the range's first byte plus what has come."]


def check(c):
    wire_http.ranges(c, server.argv(c))
    whole.random_ranges(c, server.argv(c), c.choose(quick=400, full=4000))
