"""SIGTERM in the middle of an answer: the answer ends whole, then the connection and the server.

The idle connection is closed at once, a new one refused; 24 MiB come to their last byte; the status is 0.
"""

from epoll import http_limits, servers

hint = "Draining, an answer is followed by the end of its connection, and not by the next request."


def check(c):
    http_limits.drain(c, servers.files(c))
