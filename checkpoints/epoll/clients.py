"""Clients for the checkpoints of servers: bytes that can be told apart, many transfers at once, rude endings."""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterator

from lib.model import Failure

STALL_S = 10  # without any progress for so long a transfer has failed; generous, the machine may be busy

NOT_CLOSED = "The connection was not closed; or the end of what the client sends was not noticed."


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes of which no block is like another."""
    return random.Random(seed).randbytes(size)


def difference(expected: bytes, seen: bytes) -> str:
    """Where they begin to differ, in words."""
    if expected == seen:
        return "the same bytes"
    shorter = min(len(expected), len(seen))
    at = next((at for at in range(0, shorter, 4096) if expected[at : at + 4096] != seen[at : at + 4096]), shorter)
    while at < shorter and expected[at] == seen[at]:
        at += 1
    if at == len(expected):
        return f"{len(seen)} bytes: these and {len(seen) - at} more"
    return f"{len(seen)} bytes, of which the first {at} are right"


def same_bytes(c, name: str, expected: bytes, seen: bytes, usually: str | None = None) -> None:
    c.expect(expected == seen, name, expected=f"the {len(expected)} bytes", seen=difference(expected, seen),
             usually=usually)


def whole(data: bytes) -> Iterator[bytes]:
    yield data


def pieces(data: bytes, seed: int, longest: int) -> Iterator[bytes]:
    """`data` in pieces of random lengths."""
    chance, at = random.Random(seed), 0
    while at < len(data):
        length = chance.randint(1, longest)
        yield data[at : at + length]
        at += length


class Transfer:
    """Sends `data` in pieces on one connection, and keeps what comes back until it is as much."""

    def __init__(self, connection: socket.socket, data: bytes, cut: Callable[[bytes], Iterator[bytes]] = whole):
        self.connection = connection
        self.data = data
        self.received = bytearray()
        self.error = ""
        self._pieces = cut(data)
        self._left = memoryview(b"")
        self._next_piece()

    def _next_piece(self) -> None:
        self._left = memoryview(next(self._pieces, b""))

    @property
    def interest(self) -> int:
        """What to wait for. 0: it is over."""
        if self.error or len(self.received) >= len(self.data):
            return 0
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if self._left else 0)

    def send(self) -> None:
        sent = self.connection.send(self._left)
        self._left = self._left[sent:]
        if not self._left:
            self._next_piece()

    def receive(self) -> None:
        part = self.connection.recv(1 << 18)
        if not part:
            self.error = "the server closed the connection"
        self.received += part


def drive(transfers: list[Transfer], stall_s: float = STALL_S) -> None:
    """Moves all of them at once, until they are over or nothing has moved for `stall_s` seconds."""
    with selectors.DefaultSelector() as selector:
        for transfer in transfers:
            transfer.connection.setblocking(False)
            if transfer.interest:
                selector.register(transfer.connection, transfer.interest, transfer)
        while selector.get_map():
            ready = selector.select(stall_s)
            if not ready:
                return
            for key, events in ready:
                _move(key.data, events)
                if not key.data.interest:
                    selector.unregister(key.fileobj)
                elif key.data.interest != key.events:
                    selector.modify(key.fileobj, key.data.interest, key.data)


def _move(transfer: Transfer, events: int) -> None:
    try:
        if events & selectors.EVENT_READ:
            transfer.receive()
        if events & selectors.EVENT_WRITE and transfer.interest & selectors.EVENT_WRITE:
            transfer.send()
    except BlockingIOError:
        pass
    except OSError as error:
        transfer.error = str(error)


def exchange(connection: socket.socket, data: bytes, cut=whole, stall_s: float = STALL_S) -> bytes:
    """What comes back for `data`, as far as it comes."""
    transfer = Transfer(connection, data, cut)
    drive([transfer], stall_s)
    connection.settimeout(STALL_S)
    return bytes(transfer.received)


def read_to_end(connection: socket.socket, after: str = "", timeout: float = STALL_S,
                usually: str = NOT_CLOSED) -> bytes:
    """All bytes up to the end of the stream, which must come (the failure says after what). A reset is an end."""
    connection.settimeout(timeout)
    parts = []
    try:
        while part := connection.recv(1 << 18):
            parts.append(part)
    except ConnectionResetError:
        pass
    except TimeoutError:
        raise Failure(f"the end of the stream {after}".rstrip(), f"it comes within {timeout:g} s",
                      f"{sum(map(len, parts))} bytes, and then nothing", usually) from None
    return b"".join(parts)


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has closed it (bytes that still come are thrown away). Does not wait."""
    connection.setblocking(False)
    try:
        while connection.recv(1 << 18):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def reset(connection: socket.socket) -> None:
    """Closes with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def leave(connection: socket.socket, how: str) -> None:
    """Goes by "reset", by "close", or by "half": with a FIN first, as if it would read on."""
    if how == "reset":
        reset(connection)
        return
    if how == "half":
        with contextlib.suppress(OSError):  # it may have been closed already
            connection.shutdown(socket.SHUT_WR)
    connection.close()


def push_all(connections: list[socket.socket], data: bytes, most: int, quiet_s: float = 0.4) -> list[int]:
    """Sends `data` over and over on each of them without reading, until none takes more for `quiet_s` seconds, or
    each has taken `most` bytes. Returns how many each has."""
    sent, last = [0] * len(connections), time.monotonic()
    for connection in connections:
        connection.setblocking(False)
    while min(sent) < most and time.monotonic() - last < quiet_s:
        before = sum(sent)
        for number, connection in enumerate(connections):
            with contextlib.suppress(BlockingIOError, ConnectionError):  # one that is closed takes no more
                if sent[number] < most:
                    sent[number] += connection.send(memoryview(data)[sent[number] % len(data) :])
        if sum(sent) > before:
            last = time.monotonic()
        else:
            time.sleep(0.01)
    return sent


def push(connection: socket.socket, data: bytes, most: int, quiet_s: float = 0.4) -> int:
    """The same for one. Returns how many bytes it has taken."""
    return push_all([connection], data, most, quiet_s)[0]


def pushed(data: bytes, size: int) -> bytes:
    """The bytes that push() sent."""
    return (data * (size // len(data) + 1))[:size]


def narrow(connection: socket.socket, size: int = 65_536) -> socket.socket:
    """Lets the kernel keep little for a client that does not read. Much smaller, and the window stays so small
    that reading takes for ever, even after widen()."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    return connection


def widen(connection: socket.socket) -> socket.socket:
    """The opposite, before everything is read."""
    return narrow(connection, 4 << 20)


def arriving(connection: socket.socket, most: int, quiet_s: float = STALL_S) -> bytes:
    """What comes until nothing has come for `quiet_s` seconds, or `most` bytes, or the stream has ended."""
    connection.settimeout(quiet_s)
    seen = bytearray()
    try:
        while len(seen) < most and (part := connection.recv(min(most - len(seen), 1 << 20))):
            seen += part
    except (TimeoutError, ConnectionError):
        pass
    return bytes(seen)
