"""The network server sends back every byte, whatever the sizes and however they are cut.

One connection sends messages of 1 byte to 8 MiB, another one the same in pieces of random lengths, a third one nothing.
What comes back is compared byte for byte.
"""

from epoll import wire_echo
from m3 import server

judges = "wire"
tier = "quick"
hint = ["A send may take a part of what it is given: go on with the rest of that buffer, and do not give it back yet.",
        "Buffers of one connection are sent in the order of their completions, not in that of their numbers."]


def check(c):
    with server.serving(c) as running:
        wire_echo.byte_exact(c, running)
