"""Edge-triggered, back-pressure and half-close lose no byte either, and rude clients do no harm.

The clients of 05, 06 and 07, with --mode et: what lay in the socket when reading was stopped has had its edge already,
and gets no other; and a client may be gone in the middle of the reads for one event.
"""

from epoll import servers, wire_echo
from epoll.clients import noise

hint = ["After a stop, EPOLL_CTL_MOD reports what is ready already; or read once more without waiting for an event.",
        "A send that fails in the loop over recv() closes the connection: what it owns is freed when the loop is left."]


def check_gone_between_reads(c, server):
    """Their bytes and FIN lie in the server's socket. The first answer meets nobody: RST, and the next call fails."""
    with servers.held(server):
        for _ in range(30):
            with c.connect(server) as client:
                client.sendall(noise(50_000))
    c.wait_until(lambda: server.status is not None or c.count_fds(server.pid) == server.fds_at_start)
    wire_echo.serves(c, server, "after clients that were gone when their answer came")


def check(c):
    with servers.echoing(c, "--mode", "et") as server:
        wire_echo.half_close(c, server)
        wire_echo.slow_reader(c, server)
        check_gone_between_reads(c, server)
        wire_echo.rude_clients(c, server, rounds=50)
