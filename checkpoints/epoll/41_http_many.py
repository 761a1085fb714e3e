"""Hundreds of connections that ask at once all get their own file.

300 clients connect, then each asks three times, for files of 1 byte to 256 KiB.
"""

from epoll import servers, wire_http

judges = "wire"
hint = "What belongs to an answer (file, offset, what is left) lies in its connection."


def check(c):
    wire_http.many_clients(c, servers.files(c), connections=300, rounds=3)
