"""A hundred requests in one segment get a hundred answers, in their order.

Then good and bad ones, HEAD and large files mixed: an answer of 3 MB must not lose the requests behind it.
"""

from epoll import servers, wire_http

judges = "wire"
hint = "When an answer has been sent, look into the buffer before waiting: the next request may lie there already."


def check(c):
    wire_http.pipelining(c, servers.files(c))
