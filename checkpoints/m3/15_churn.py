"""Under churn no byte is wrong: connections come, exchange ten messages, and go, as fast as they can.

The load client keeps 100 connections busy with messages of 64 bytes to 64 KiB, closes each after ten, connects anew,
and compares every byte.
"""

from epoll import load
from m3 import server

judges = "wire"
hint = "A slot is used again with a new generation, at once: nothing of the last client may be left in it."


def check(c):
    for words in ([], *c.choose(default=[], full=[["--direct-descriptors"]])):
        with server.serving(c, *words) as running:
            load.churn_of_echoes(c, running, c.choose(default="1s", full="20s"))
