"""A client that is gone in the middle of its answer leaves nothing behind, whatever was under way.

Hundreds of clients ask for a large file and go: at once, after the head, in the middle, with FIN and with RST; while
reads are in flight, and while the send waits. Each time all buffers come back, and others are served. Then the same
with the disk in between (--direct), where a read takes its time, and without registered buffers.
"""

from m2 import vanishing

alone = True
hint = "Closing ends no request: the buffer is the kernel's until its completion is here."


def check(c):
    for options in ([], ["--direct"], ["--no-fixed-buffers"]):
        vanishing.clients(c, c.choose(default=40, full=400), *options)
