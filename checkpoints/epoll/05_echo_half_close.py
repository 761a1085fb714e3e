"""A client that has said everything still hears everything: its FIN ends the reading, not the writing.

Clients send 1 byte to 12 MiB, then shut down their side, and read up to the end of the stream: all bytes, then the
server's own FIN. Ours may keep 64 MiB for a client, so that it has read the FIN when most of the bytes still wait.
"""

from epoll import servers, wire_echo

judges = "wire"
hint = ["After recv() gave 0, send what still waits, then close.",
        "EPOLLRDHUP says the same, and may come while bytes are still unread."]


def check(c):
    with servers.echoing(c, "--max-buffered", "64M") as server:
        wire_echo.half_close(c, server)
