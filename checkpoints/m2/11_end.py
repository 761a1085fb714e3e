"""After SIGTERM the answer under way ends whole, then the server; a timeout and a second signal end it at once.

The idle connection is closed at once, a new one refused, 24 MiB come to their last byte, the status is 0. A client that
never reads keeps it for --drain-timeout, or until the second SIGTERM or SIGINT.
"""

from epoll import http_limits, life
from epoll.talks import Files
from m2 import server

hint = "Draining, an answer is followed by the end of its connection; what is left then is cancelled and waited for."


def check(c):
    http_limits.drain(c, server.argv(c))
    talk = Files(c)
    life.drain_timeout(c, server.argv(c), talk)
    life.second_signal(c, server.argv(c), talk)
