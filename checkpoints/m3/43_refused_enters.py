"""An enter that the kernel refuses for now is tried again: EAGAIN (no memory for requests), EBUSY (a backlog).

strace makes each third one fail, while clients come, talk, half-close and go. An error that no waiting cures (EBADF)
ends the server: with one sentence and exit status 1, and not with a loop.
"""

import contextlib

from m3 import faults
from m3 import server as m3

needs = ["strace"]
hint = "EAGAIN and EBUSY: reap what has completed, then enter again. Any other error of enter is the end of the ring."


def check(c):
    for error in ("EAGAIN", "EBUSY"):
        faults.survived(c, error, "refused_submits", 0.5)
    server = c.start(m3.argv(c), strace_calls=["io_uring_enter"], inject=["io_uring_enter:error=EBADF:when=10+"])
    with contextlib.suppress(OSError):
        while server.status is None:
            with c.connect(server) as client:
                client.sendall(b"hello")
                client.recv(5)
    c.expect(server.wait(5), "a server whose ring cannot be entered any more", expected="it ends", seen="it runs")
    c.equal("lines on standard error", 1, len(server.stderr().splitlines()), usually=server.stderr())
    c.contains("the sentence", "m3_network_server: ", server.stderr())
    c.stop(server, status=1)
