"""A client that has said everything still hears everything: its FIN ends the receiving, not the sending.

Clients send 1 byte to 12 MiB, then shut down their side, and read up to the end of the stream: all bytes, then the
server's own FIN. With room for 16 MiB it has received the FIN when most of the bytes still wait; with 8 buffers nearly
all of them wait in the socket.
"""

from epoll import wire_echo
from m3 import server

judges = "wire"
hint = ["A RECV that completes with 0 brings no bytes and no buffer: send what waits, then finish the connection.",
        "POLL_ADD reports POLLRDHUP without being asked for: it is no room for a send."]


def check(c):
    for words in (["--buffers", 4096, "--max-buffered", "64M"], ["--buffers", 8]):
        with server.serving(c, *words) as running:
            wire_echo.half_close(c, running)
