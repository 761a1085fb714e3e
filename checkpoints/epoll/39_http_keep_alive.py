"""A connection goes on, or ends, as version and Connection say; a FIN behind a request does not cut its answer.

HTTP/1.1 with and without close, HTTP/1.0 with and without keep-alive, three requests and a FIN, half a request and a
FIN.
"""

from epoll import servers, wire_http

judges = "wire"
hint = "A FIN says that nothing more is asked. What was asked is answered."


def check(c):
    wire_http.keep_alive(c, servers.files(c))
