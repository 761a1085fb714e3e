"""Every byte comes back in each form of the server: single shots, direct descriptors, few and small buffers, one a send.

The clients of 01. With 8 buffers of 64 bytes a message takes many rounds of all of them, and each send is of one buffer
or of all.
"""

from epoll import wire_echo
from m3 import server

judges = "wire"
hint = "A buffer belongs to the connection until its last byte has been sent: the kernel writes into it again at once."

FORMS = [["--single-shot"], ["--direct-descriptors"], ["--buffers", 8, "--buffer-size", "1K"],
         ["--buffers", 2, "--buffer-size", "4K", "--send-buffers", 1]]


def check(c):
    for words in FORMS:
        with server.serving(c, *words) as running:
            wire_echo.byte_exact(c, running)
