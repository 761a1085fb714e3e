"""A client that does not read is not read from: the bytes that wait for it are bounded, and nobody else waits.

It sends as fast as it can and reads nothing. After a while the server takes no more, other clients are served all the
same, and the slow one is not punished: when it reads, it gets all its bytes, and can go on.
"""

from epoll import servers, wire_echo

judges = "wire"
hint = "Stop asking for EPOLLIN at the limit; ask again when the buffer has drained. TCP's window tells the client."


def check(c):
    with servers.echoing(c) as server:
        wire_echo.slow_reader(c, server)
