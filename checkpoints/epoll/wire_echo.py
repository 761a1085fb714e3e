"""What any echo server must do on the wire: `server` is one that runs, ours or the learner's.

These know nothing of how the server works: the servers on the ring are judged by the same functions.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
import time

from epoll.clients import (STALL_S, Transfer, arriving, difference, drive, exchange, narrow, noise, pieces,
                           push, pushed, read_to_end, reset, same_bytes, widen)

SIZES = [1, 2, 63, 64, 65, 4095, 4096, 4097, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 1 << 20]

LOST = "A read or a write that was shorter than asked for: go on where it stopped."
CLOSED = "0 from recv() is the client's FIN, EAGAIN is not; neither may end what still has to be sent."


def serves(c, server, what: str) -> None:
    """A new client is served. `what` says after what."""
    with c.connect(server, timeout=STALL_S) as client:
        same_bytes(c, f"an echo {what}", b"still here?", exchange(client, b"still here?"),
                   usually="What one client does must not end the others, or the server.")


def byte_exact(c, server) -> None:
    """One connection, messages of many sizes, each after the answer to the last; then large and fragmented ones."""
    with c.connect(server) as client:
        for number, size in enumerate(SIZES):
            data = noise(size, seed=number)
            same_bytes(c, f"echo of {size} bytes", data, exchange(client, data), usually=LOST)
        data = noise(8 << 20)
        same_bytes(c, "echo of 8 MiB, sent while it is read", data, exchange(client, data), usually=LOST)
    with c.connect(server) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for longest, size in ((1, 300), (100, 20_000), (10_000, 2_000_000)):
            data = noise(size, seed=longest)
            cut = functools.partial(pieces, seed=longest, longest=longest)
            same_bytes(c, f"echo of {size} bytes in pieces of up to {longest}", data, exchange(client, data, cut),
                       usually=LOST)
    with c.connect(server) as client:
        client.shutdown(socket.SHUT_WR)
        c.equal("answer to no byte at all", b"", read_to_end(client), usually=CLOSED)


def many_at_once(c, server, connections: int) -> None:
    """They connect in one go, and all talk at once."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(c.connect(server)) for _ in range(connections)]
        transfers = [Transfer(client, noise(20_000 + number, seed=number),
                              functools.partial(pieces, seed=number, longest=8000))
                     for number, client in enumerate(clients)]
        drive(transfers)
        c.none(f"wrong answers among {connections} connections",
               [f"connection {number}: {difference(transfer.data, bytes(transfer.received))} {transfer.error}"
                for number, transfer in enumerate(transfers) if transfer.data != transfer.received],
               usually="Whose bytes they are was mixed up, or a connection was never accepted.")


def half_close(c, server) -> None:
    """shutdown(SHUT_WR) is the end of what the client says, and not of what it wants to hear."""
    for size in (1, 100, 50_000):
        with c.connect(server) as client:
            data = noise(size)
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            same_bytes(c, f"{size} bytes and a FIN: answer up to its end", data, read_to_end(client), usually=CLOSED)
    # Far more than the sockets hold, and read slowly: the FIN comes when the server still has to send.
    with c.connect(server) as client:
        data = noise(12 << 20)
        narrow(client).settimeout(STALL_S)
        sender = threading.Thread(target=_send_all_and_shut_down, args=(client, data))
        sender.start()
        time.sleep(0.2)  # so that it waits for the client
        seen = _read_slowly(client)
        sender.join()
        same_bytes(c, "12 MiB and a FIN: answer up to its end", data, seen, usually=CLOSED)


def _send_all_and_shut_down(client: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # the answer shows what went wrong
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)


def _read_slowly(client: socket.socket) -> bytes:
    """Up to the end of the stream, some ten MB a second."""
    seen = bytearray()
    while part := arriving(client, 32_768):
        seen += part
        time.sleep(0.001)
    return bytes(seen)


def rude_clients(c, server, rounds: int) -> None:
    """They reset, at once, with an answer unread, or with bytes on their way; or connect and vanish."""
    for number in range(rounds):
        reset(c.connect(server))
        c.connect(server).close()
        client = c.connect(server)
        with contextlib.suppress(OSError):  # if the server has died, the next connect says so
            client.sendall(noise(100_000 if number % 10 == 0 else 10))
        if number % 2:
            reset(client)
        else:
            client.close()
    clients = [c.connect(server) for _ in range(100)]
    for client in clients:
        client.sendall(b"to be answered, and never read")
    for client in clients:
        reset(client)
    serves(c, server, f"after {3 * rounds + 100} rude clients")


def slow_reader(c, server, taken_at_most: int = 64 << 20) -> None:
    """A client that sends and does not read is not read from any more, and disturbs nobody. When it reads at last it
    gets all its bytes, in order, and can go on."""
    block = noise(1 << 20)
    with c.connect(server) as client:
        narrow(client)
        sent = push(client, block, taken_at_most + 1)
        c.at_most("bytes taken from a client that reads nothing", taken_at_most, sent,
                  usually="What waits for one client needs a limit: at the limit, stop reading from it.")
        begin = time.monotonic()
        with c.connect(server) as other:
            data = noise(100_000, seed=2)
            same_bytes(c, "an echo beside a client that does not read", data, exchange(other, data),
                       usually="What one client does not read is in the way of the others.")
        c.at_most("seconds for it", 5, time.monotonic() - begin, usually="A send that blocks stops everyone.")
        widen(client)
        same_bytes(c, "what it gets when it reads at last", pushed(block, sent), arriving(client, sent),
                   usually="Bytes were dropped at the limit; or reading was stopped, and never begun again.")
        same_bytes(c, "an echo after that", b"and on", exchange(client, b"and on"),
                   usually="Reading was stopped, and not begun again when the buffer had drained.")
