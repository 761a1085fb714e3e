"""A thousand connections that come at once all get their own bytes.

They connect in one go, and all of them send 20 KB in small pieces while they read. Then 100 do the same to a server
with 8 buffers, for which nearly all of them have to wait nearly all the time.
"""

from epoll import load, wire_echo
from m3 import server

judges = "wire"
hint = ["A completion names its connection by slot and generation, and its bytes by the number of the buffer.",
        "Who waits for a buffer stands in a list: as buffers come back, the first one is armed again."]


def check(c):
    load.descriptors(c, 4000)
    with server.serving(c) as running:
        wire_echo.many_at_once(c, running, c.choose(default=1000, full=3000))
    with server.serving(c, "--buffers", 8, "--buffer-size", "1K") as running:
        wire_echo.many_at_once(c, running, 100)
