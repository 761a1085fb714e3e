"""SIGTERM ends the server without cutting anybody off, and a client that never reads does not stop it.

The idle client is closed at once, a new one refused, and one whose bytes wait gets all of them; then the server ends
with status 0. After --drain-timeout it ends in any case.
"""

from epoll import life
from m3 import server

hint = "Cancel the accept, finish what is idle, let the rest send what waits; what is left then is cancelled."


def check(c):
    life.drain(c, server.argv(c, "--drain-timeout", "20s"))
    life.drain_timeout(c, server.argv(c))
