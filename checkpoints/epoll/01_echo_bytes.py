"""The echo server sends back every byte, whatever the sizes and however they are cut.

One connection sends messages of 1 byte to 8 MiB, another one the same in pieces of random lengths. What comes back is
compared byte for byte.
"""

from epoll import servers, wire_echo

judges = "wire"
tier = "quick"
hint = ["send() may take a part of what it is given: keep the rest, and go on with it when the socket is writable.",
        "TCP has no messages: what was sent in one piece may come in many, and the other way round."]


def check(c):
    with servers.echoing(c) as server:
        wire_echo.byte_exact(c, server)
