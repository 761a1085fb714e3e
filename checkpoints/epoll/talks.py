"""What a client says to a server and what it hears, so that one check can be made of each kind of server.

`talk.options` stand behind the command line of the server. limits.py and life.py take such a talk.
"""

from __future__ import annotations

import contextlib
import socket
import time

from epoll import servers
from epoll.clients import STALL_S, exchange, narrow, noise, push, same_bytes
from epoll.http_client import make_file, request

SILENT_S = 0.3  # so long nothing comes: what was asked for has filled the buffers on its way


class Echo:
    """With a server that sends back what it gets."""

    options: list[str] = []
    deaf_state = "stopped"  # the state in the report of a client that asks and does not read
    _message = noise(1000)

    def ask(self, c, client: socket.socket, usually: str | None = None) -> tuple[int, int]:
        """One message and its answer. Returns how many bytes the server received and sent for it."""
        same_bytes(c, "echo", self._message, exchange(client, self._message), usually=usually)
        return len(self._message), len(self._message)

    def send(self, client: socket.socket) -> None:
        client.sendall(self._message)

    def is_answered(self, client: socket.socket) -> bool:
        """Whether the answer to what was sent has come. It is not read, and not waited for."""
        return _arrived(client, len(self._message)) == self._message

    def go_deaf(self, client: socket.socket) -> None:
        """Asks for more than there is room for on the way, and reads nothing."""
        push(narrow(client), noise(1 << 20), 64 << 20)

    def check_deaf(self, c, row: servers.Connection) -> None:
        """What the report must say of such a client beside its state."""
        c.equal("bytes that wait for it", row.received - row.sent, row.buffered)

    def stop(self, c, server) -> None:
        c.stop(server)


class Files:
    """With a server of files; a talk of its own for each check, which has the root in its options."""

    deaf_state = "writing"

    def __init__(self, c):
        root = c.temp_dir()
        self._file = noise(1000)
        (root / "small").write_bytes(self._file)
        make_file(root / "large", 16 << 20)
        self.options = ["--root", str(root)]

    def ask(self, c, client: socket.socket, usually: str | None = None) -> tuple[int, int]:
        client.settimeout(STALL_S)
        answer = b""
        with contextlib.suppress(ConnectionError):
            self.send(client)
            while not answer.endswith(self._file) and (part := client.recv(1 << 16)):
                answer += part
        c.expect(answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(self._file), "an answer",
                 expected="200 and the file", seen=f"{len(answer)} bytes: {answer[:100]!r}", usually=usually)
        return len(request("/small")), len(answer)

    def send(self, client: socket.socket) -> None:
        client.sendall(request("/small"))

    def is_answered(self, client: socket.socket) -> bool:
        return _arrived(client, 1 << 16).endswith(self._file)

    def go_deaf(self, client: socket.socket) -> None:
        narrow(client).sendall(request("/large") * 2)
        time.sleep(SILENT_S)

    def check_deaf(self, c, row: servers.Connection) -> None:
        c.equal("bytes received of the one that does not read", len(request("/large")) * 2, row.received)

    def stop(self, c, server) -> None:
        servers.stop_files(c, server)


def _arrived(client: socket.socket, most: int) -> bytes:
    client.setblocking(False)
    with contextlib.suppress(OSError):
        return client.recv(most, socket.MSG_PEEK)
    return b""
