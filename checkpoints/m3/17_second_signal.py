"""A second SIGTERM or SIGINT ends the drain at once.

A client that never reads would keep the server for the ten minutes of --drain-timeout.
"""

from epoll import life
from m3 import server

tier = "full"
hint = "The second Ctrl-C means it: what is in flight is cancelled, and its last completions are waited for."


def check(c):
    life.second_signal(c, server.argv(c))
