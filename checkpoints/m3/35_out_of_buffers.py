"""Without a buffer left, connections wait, and nothing is lost: with 2 and with 8 buffers for 50 clients.

One that waits behind clients that say nothing is answered. Then all of them speak while the server is stopped, so that
their bytes find the ring empty, and some say at once that they have no more to say. Each gets its bytes, and its end.
Then clients that do not read hold all buffers: the server sleeps, a new one is answered all the same, and one that
leaves is noticed.
"""

import contextlib
import socket

from epoll import limits, servers, wire_echo
from epoll.clients import STALL_S, Transfer, arriving, difference, drive, noise, read_to_end
from m3 import pressure
from m3 import server as m3

needs = ["strace"]
hint = ["ENOBUFS ends the RECV. Armed again at once it ends at once: put the connection into a list instead.",
        "As many receives as there are buffers are armed again when buffers come back, first come first served."]

CLIENTS, BYTES, SPEAK_FIRST = 50, 60_000, 20


def check_behind_the_silent(c, server):
    """Who has nothing to receive takes no buffer, and its RECV does not complete: nothing but the server itself makes
    the turn in which the next ones are served."""
    with contextlib.ExitStack() as stack:
        with servers.held(server):
            clients = [stack.enter_context(c.connect(server)) for _ in range(CLIENTS)]
            talking = [*clients[:SPEAK_FIRST], clients[-1]]
            for client in talking:
                client.sendall(b"first words")
        for client in talking:
            c.equal("what a client gets that waited for a buffer behind silent ones", b"first words",
                    arriving(client, len(b"first words")),
                    usually="It was never armed again; or those before it were, took no buffer, and gave no sign.")


def check_all_at_once(c, server):
    with contextlib.ExitStack() as stack:
        with servers.held(server):
            clients = [stack.enter_context(c.connect(server)) for _ in range(CLIENTS)]
            ending = [stack.enter_context(c.connect(server)) for _ in range(CLIENTS)]
            for client in clients + ending:
                client.sendall(b"first words")
            for client in ending:
                client.shutdown(socket.SHUT_WR)
        for number, client in enumerate(ending):
            client.settimeout(STALL_S)
            c.equal(f"what client {number} gets, which said its last words when no buffer was left", b"first words",
                    read_to_end(client, usually="Its RECV ended with ENOBUFS, and was never armed again."))
        transfers = [Transfer(client, noise(BYTES, seed=number)) for number, client in enumerate(clients)]
        for transfer in transfers:
            transfer.data = b"first words" + transfer.data
        drive(transfers)
        c.none("wrong answers", [f"client {number}: {difference(transfer.data, bytes(transfer.received))} "
                                 f"{transfer.error}" for number, transfer in enumerate(transfers)
                                 if transfer.data != transfer.received],
               usually="A connection that waits for a buffer was forgotten, or a buffer was used before its time.")


def check_deaf(c, buffers):
    with m3.serving(c, "--buffers", buffers, "--idle-timeout", "10min",
                    strace_calls=limits.EVERY_CALL) as server, contextlib.ExitStack() as stack:
        silent = stack.enter_context(c.connect(server))
        pressure.deaf_clients(c, server, stack, 3 * buffers)
        limits.falls_asleep(c, server, "a server whose clients do not read",
                            usually="ENOBUFS: armed again at once, the RECV ends at once.")
        wire_echo.serves(c, server, "when all buffers are held by clients that do not read")
        silent.shutdown(socket.SHUT_WR)
        c.equal("what a silent client gets that ends when no buffer is left", b"",
                read_to_end(silent, "of a client that leaves"))
        limits.falls_asleep(c, server, "a server whose clients do not read")


def check(c):
    for buffers in (2, 8):
        with m3.serving(c, "--buffers", buffers, "--buffer-size", "1K") as server:
            check_behind_the_silent(c, server)
        with m3.serving(c, "--buffers", buffers, "--buffer-size", "1K") as server:
            check_all_at_once(c, server)
            seen = m3.counters(c, server)
            c.note(f"{buffers} buffers, filled {seen['received_buffers']} times: {seen['buffer_waits']} waits, "
                   f"{seen['turns']} turns")
            for name in ("receives", "turns"):
                c.at_most(f"{name} for each buffer that was filled", 3, seen[name] / seen["received_buffers"],
                          usually="Whoever waits for a buffer is not tried before there is one.")
            c.at_least(f"times that a connection waited for one of {buffers} buffers", 1, seen["buffer_waits"])
        check_deaf(c, buffers)
