"""A request is the same request however it is cut, and a hundred in one segment get a hundred answers in their order.

Byte by byte, and in two at each byte, with a second one behind it; then many in one segment, good and bad ones, HEAD
and large files mixed.
"""

from epoll import wire_http
from m2 import server

judges = "wire"
hint = "When an answer has left, look into the buffer before receiving: the next request may lie there already."


def check(c):
    wire_http.fragments(c, server.argv(c))
    wire_http.pipelining(c, server.argv(c))
