"""Many downloads at once, each on a connection of its own, in one selector loop."""

from __future__ import annotations

import contextlib
import hashlib
import selectors
import socket
import time

from lib.model import Failure

from epoll.clients import STALL_S
from epoll.http_client import Response, parse_head, request


class Download:
    """One GET at a time. `keep`: the body is kept; else only its length and SHA-256 are known."""

    def __init__(self, connection: socket.socket, target: str, *lines: str, keep: bool = False):
        self.connection = connection
        self._keep = keep
        self.closed = False  # by the server
        connection.setblocking(False)
        self.ask(target, *lines)

    def ask(self, target: str, *lines: str) -> None:
        """Once the download before it is over."""
        self.target = target
        self.answer: Response | None = None
        self.body = bytearray()
        self.received = 0
        self._head = b""
        self._digest = hashlib.sha256()
        with contextlib.suppress(ConnectionError):
            self.connection.send(request(target, *lines))

    @property
    def length(self) -> int:
        """Of the body, as the head says."""
        return int(self.answer["content-length"]) if self.answer else 0

    @property
    def whole(self) -> bool:
        return self.answer is not None and self.received == self.length

    @property
    def over(self) -> bool:
        return self.closed or self.whole

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def receive(self) -> None:
        try:
            part = self.connection.recv(1 << 18)
        except BlockingIOError:
            return
        except ConnectionResetError:
            part = b""
        self.closed = not part
        if self.answer is None:
            self._head += part
            head, end, part = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self.answer = parse_head(head)
        if self.received + len(part) > self.length:
            raise Failure(f"the answer to {self.target}", f"{self.length} bytes, as its head says",
                          f"{self.received + len(part)} bytes")
        self.received += len(part)
        self._digest.update(part)
        if self._keep:
            self.body += part


def drive(downloads: list[Download], next_one=lambda _: None, seconds: float = 3600,
          stall_s: float = STALL_S) -> None:
    """Reads all of them. For each that is over, next_one(download) gives what follows: the same with a new request,
    another one, or None. Ends when all are over, when `seconds` have passed, or when nothing comes for `stall_s`."""
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for download in downloads:
            selector.register(download.connection, selectors.EVENT_READ, download)
        while selector.get_map() and time.monotonic() < end:
            ready = selector.select(stall_s)
            if not ready:
                return
            for key, _ in ready:
                key.data.receive()
                if not key.data.over:
                    continue
                following = next_one(key.data)
                if following is not key.data:
                    selector.unregister(key.fd)
                    if following is not None:
                        selector.register(following.connection, selectors.EVENT_READ, following)
