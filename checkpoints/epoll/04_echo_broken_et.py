"""One read for one edge hangs a client: `--mode broken-et` shows it.

A burst lies complete in the socket when the server wakes. It reads once, and sleeps. The client waits for a second, and
the rest does not come, although the server has it. The next byte that the client sends makes it go on, by one read.
"""

import signal

from epoll import servers
from epoll.clients import arriving, exchange, noise

hint = "This demonstrates the bug, so here it must be there. That --mode et has it not shows 02_echo_edge_triggered."

BURST = 60_000  # more than one read, and less than a window: all of it is in the server's socket


def check(c):
    server = c.start(servers.echo(c, "--mode", "broken-et"))
    with c.connect(server) as client:
        c.equal("echo of a small message", b"hello", exchange(client, b"hello"))
        data = noise(BURST)
        server.signal(signal.SIGSTOP)
        client.sendall(data)
        server.signal(signal.SIGCONT)
        first = arriving(client, BURST, 1)
        c.expect(0 < len(first) < BURST, "bytes back when nothing has come for a second",
                 expected=f"some of {BURST}, and not all", seen=len(first),
                 usually="It reads until EAGAIN: then it is not broken, and shows nothing.")
        client.sendall(b"!")
        second = arriving(client, BURST + 1 - len(first), 1)
        c.expect(second, "bytes back after one more byte was sent", expected="some more", seen="none",
                 usually="A new byte is a new edge: the read that it causes gets what was left.")
        c.equal("all of them", (data + b"!")[: len(first + second)], first + second)
        c.note(f"{len(first)} of {BURST} bytes came, then nothing; one more byte brought {len(second)}")
    c.stop(server)
