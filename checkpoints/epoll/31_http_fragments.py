"""A request is the same request however it is cut: byte by byte, and in two at each of its bytes.

A second request stands behind the first, so that the cut also falls into what has to be kept for later.
"""

from epoll import servers, wire_http

judges = "wire"
hint = "The parser remembers how far it has looked; its result must not depend on the pieces."


def check(c):
    wire_http.fragments(c, servers.files(c))
