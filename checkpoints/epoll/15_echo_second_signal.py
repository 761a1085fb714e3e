"""A second SIGTERM or SIGINT ends the drain at once.

A client that never reads would keep the server for the ten minutes of --drain-timeout.
"""

from epoll import life, servers

hint = "The second Ctrl-C means it: close what is left, and end."


def check(c):
    life.second_signal(c, servers.echo(c))
