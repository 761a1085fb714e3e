"""Hundreds of connections that ask at once all get their own file, and so do those that come and go.

300 clients connect, then each asks three times, for files of 1 byte to 256 KiB. Then the load client keeps 100
connections busy, closes each after ten files, connects anew, and compares every byte.
"""

from epoll import load, wire_http
from m2 import server

judges = "wire"
alone = True
hint = "What belongs to an answer (file, offset, what is left) lies in its connection."


def check(c):
    wire_http.many_clients(c, server.argv(c), connections=300, rounds=3)
    load.churn_of_files(c, server.argv(c), c.choose(default="2s", full="20s"))
