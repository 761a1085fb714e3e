"""Under churn no file is wrong: connections come, ask for ten files, and go, as fast as they can.

The load client keeps 100 connections busy with files of 100 bytes to 1 MB, closes each after ten, connects anew, and
compares every byte with the files.
"""

from epoll import load, servers

judges = "wire"
needs = ["io_uring"]
hint = "A connection's memory and descriptor are used again: nothing of the last client may be left in them."


def check(c):
    load.churn_of_files(c, servers.files(c), c.choose(default="2s", full="20s"))
