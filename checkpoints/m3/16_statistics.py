"""A repeating timer does not drift: a line that was late does not make the next one late.

--stats-interval 50ms prints the time of each line. The server is stopped three times for six and a half intervals; the
lines after that are on the multiples of 50 ms again.
"""

from epoll import life
from m3 import server

tier = "full"
alone = True
hint = "next = last + interval. If that has passed already, skip to the first multiple that has not."


def check(c):
    life.statistics(c, server.argv(c), server.Ring())
