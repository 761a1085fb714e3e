"""A body that looks like requests is not answered.

GET, HEAD, POST, PUT and an unknown method, with bodies of up to 130 KB that consist of requests, whole, in pieces and
in chunks. The server reads past them, or closes; the next real request gets its own answer.
"""

from epoll import servers, wire_http_hostile

judges = "wire"
hint = "Every method may have a body, GET too: skip Content-Length bytes, or the chunks, before the next request."


def check(c):
    wire_http_hostile.bodies(c, servers.files(c))
