"""Edge-triggered, the echo server loses no byte and no connection: it reads, and accepts, until EAGAIN.

Bursts that are larger than one read lie complete in the socket before the server wakes: it was stopped meanwhile, so
that there is exactly one edge for all of it. Hundreds of connections come with one edge of the listener in the same
way. Then the same transfers as in 01.
"""

import contextlib
import fcntl
import termios

from epoll import servers, wire_echo
from epoll.clients import arriving, exchange, noise, same_bytes

hint = ["With EPOLLET an event says that something has changed, not that something is there: go on until EAGAIN.",
        "accept4 has edges too: one for many connections."]

ONE_READ = "One read for one edge: the rest of the burst has no edge of its own."


def has_arrived(client):
    """All that was sent lies in the server's socket."""
    return fcntl.ioctl(client, termios.TIOCOUTQ, bytes(4)) == bytes(4)


def check_bursts(c):
    server = c.start(servers.echo(c, "--mode", "et"))
    with c.connect(server) as client:
        # So that the server's socket becomes large.
        same_bytes(c, "echo of 8 MiB", noise(8 << 20), exchange(client, noise(8 << 20)), usually=ONE_READ)
        for size in (50_000, 100_000, 300_000, 1_000_000):
            data = noise(size, seed=size)
            with servers.held(server):
                client.setblocking(False)
                sent = client.send(data)
                c.wait_until(lambda client=client: has_arrived(client), 1)
            same_bytes(c, f"echo of a burst of {sent} bytes", data[:sent], arriving(client, sent, 5),
                       usually=ONE_READ)
    with contextlib.ExitStack() as stack:
        with servers.held(server):
            clients = [stack.enter_context(c.connect(server)) for _ in range(300)]
            for client in clients:
                client.sendall(b"one of many")
        for client in clients:
            same_bytes(c, "echo on one of 300 connections that came at once", b"one of many", arriving(client, 11, 5),
                       usually="One accept for one edge: the other connections have no edge of their own.")
    c.stop(server)


def check(c):
    check_bursts(c)
    with servers.echoing(c, "--mode", "et") as server:
        wire_echo.byte_exact(c, server)
