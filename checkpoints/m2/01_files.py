"""Every file comes whole, alone and 64 at once: SHA-256 of 0 bytes to 10 MiB (--full: 1 GiB).

First all on one connection, so that each answer ends exactly where its Content-Length says; then on 8 and on 64
connections at once.
"""

from m2 import server, whole

judges = "wire"
tier = "quick"
timeout = 180
hint = "A read may give a part, and so may a send: go on behind what was done, with what is left."


def check(c):
    whole.one_after_another(c, server.argv(c), c.choose(quick=0, full=1 << 30))
    for clients in (8, 64):
        whole.at_once(c, server.argv(c), clients)
