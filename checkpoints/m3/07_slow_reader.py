"""A client that does not read is not received from: what waits for it is bounded, and nobody else waits.

It sends as fast as it can and reads nothing. After a while the server takes no more, other clients are served all the
same, and the slow one is not punished: when it reads, it gets all its bytes, and can go on. With 8 buffers as well, and
with a request for each message.
"""

from epoll import wire_echo
from m3 import server

judges = "wire"
hint = ["At the limit nothing more is received from this client; when half of it has been sent, go on.",
        "A SEND that took a part waits for room with POLL_ADD, then goes on at the first byte that was not taken."]


def check(c):
    for words in ([], ["--buffers", 8], ["--single-shot"]):
        with server.serving(c, *words) as running:
            wire_echo.slow_reader(c, running)
