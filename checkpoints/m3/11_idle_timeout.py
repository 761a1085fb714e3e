"""A connection on which no byte moves is closed in time; one on which bytes move is not.

With --idle-timeout 1s a silent client is closed after a second, one that talks every 50 ms stays, and one that sends
and never reads is closed as well, although bytes wait for it.
"""

from epoll import limits
from m3 import server

tier = "full"
alone = True
hint = "Each byte either way writes down the time; the timer that fires looks at it, and is set again for the rest."


def check(c):
    limits.idle_timeout(c, server.argv(c), server.Ring())
