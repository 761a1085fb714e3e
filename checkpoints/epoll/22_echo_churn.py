"""Under churn no byte is wrong: connections come, exchange ten messages, and go, as fast as they can.

The load client keeps 100 connections busy with messages of 64 bytes to 64 KiB, closes each after ten, connects anew,
and compares every byte.
"""

from epoll import load, servers

judges = "wire"
needs = ["io_uring"]
hint = "A connection's memory and descriptor are used again: nothing of the last client may be left in them."


def check(c):
    with servers.echoing(c) as server:
        load.churn_of_echoes(c, server, c.choose(default="2s", full="20s"))
