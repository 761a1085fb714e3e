"""A client that reads a byte a second does not wake the server: no system call in 5 s.

strace watches every call of a server with 20 silent clients and one for which bytes wait. When that one has read
everything, the server sleeps again: EPOLLOUT was disarmed.
"""

from epoll import limits, servers

needs = ["strace"]
hint = ["Level-triggered EPOLLOUT is true whenever the socket has room: armed while nothing waits, it spins.",
        "Level-triggered EPOLLIN is true while bytes lie there: do not ask for it while reading is stopped."]


def check(c):
    limits.sleeps(c, servers.echo(c), c.choose(default=5, full=20))
