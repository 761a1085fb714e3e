"""A client of HTTP/1.1 that sends what it is told, right or wrong, and reads answers strictly."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from lib.model import Failure

from epoll.clients import STALL_S, is_closed, read_to_end

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3}) ?([^\r\n]*)")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*?)[ \t]*")
_NO_BODY = (204, 304)


@dataclass
class Response:
    status: int
    fields: dict[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""
    whole: bool = True  # the body is as long as its head says
    sha256: str = ""

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name.lower(), "")

    @property
    def says_close(self) -> bool:
        return self["connection"].lower() == "close"


def request(target: str | bytes, *lines: str, method: str = "GET", version: str = "HTTP/1.1",
            host: str | None = "localhost") -> bytes:
    """The bytes of a request; `lines` are header lines without their ends."""
    target = target if isinstance(target, bytes) else target.encode()
    head = method.encode() + b" " + target + b" " + version.encode() + b"\r\n"
    if host is not None:
        head += b"Host: " + host.encode() + b"\r\n"
    return head + b"".join(line.encode("latin-1") + b"\r\n" for line in lines) + b"\r\n"


class HttpClient:
    """One connection. What it reads must be well-formed; else the check fails."""

    def __init__(self, c, server):
        self.socket = c.connect(server, timeout=STALL_S)
        self._buffer = b""

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ask(self, target: str | bytes, *lines: str, method: str = "GET", **options) -> Response:
        self.send(request(target, *lines, method=method, **options))
        return self.response(method)

    def response(self, method: str = "GET", keep_body: bool = True) -> Response:
        """The next answer, to a request of this method."""
        answer = self.head()
        if method != "HEAD" and answer.status not in _NO_BODY and answer.status >= 200:
            self._read_body(answer, keep_body)
        return answer

    def head(self) -> Response:
        """The next head. Its body, if it has one, is still to be read."""
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > 100_000 or not self._receive():
                raise Failure("an answer", "a head of HTTP/1.1 with its empty line",
                              f"{self._buffer[:200]!r}, and then the end of the stream")
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return parse_head(head)

    def _receive(self) -> bool:
        try:
            part = self.socket.recv(1 << 18)
        except TimeoutError:
            raise Failure("an answer", f"something within {self.socket.gettimeout():g} s",
                          f"{self._buffer[:200]!r}, and then nothing") from None
        except ConnectionResetError:
            return False
        self._buffer += part
        return bool(part)

    def _take(self, most: int) -> bytes:
        """Some bytes, `most` at most. Nothing at the end of the stream."""
        if not self._buffer and not self._receive():
            return b""
        taken, self._buffer = self._buffer[:most], self._buffer[most:]
        return taken

    def _read_body(self, answer: Response, keep_body: bool) -> None:
        if answer["transfer-encoding"].lower() == "chunked":
            answer.body = self._chunks()
            return
        left = int(answer["content-length"]) if answer["content-length"] else None
        digest, parts = hashlib.sha256(), []
        while left is None or left > 0:
            part = self._take(left or 1 << 18)
            if not part:
                break
            digest.update(part)
            if keep_body:
                parts.append(part)
            left = left - len(part) if left is not None else None
        answer.body, answer.sha256, answer.whole = b"".join(parts), digest.hexdigest(), not left

    def _chunks(self) -> bytes:
        parts = []
        while True:
            size = int(self._line().partition(b";")[0], 16)
            if size == 0:
                while self._line():
                    pass
                return b"".join(parts)
            chunk = b""
            while len(chunk) < size + 2:
                part = self._take(size + 2 - len(chunk))
                if not part:
                    raise Failure("a chunked body", f"a chunk of {size} bytes", f"{len(chunk)} bytes, and the end")
                chunk += part
            parts.append(chunk[:-2])

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\r\n"):
            byte = self._take(1)
            if not byte:
                raise Failure("a chunked body", "a line", f"{line!r}, and the end of the stream")
            line += byte
        return line[:-2]

    def rest(self, after: str = "", timeout: float = STALL_S) -> bytes:
        """All bytes to the end of the stream, which must come: the failure says after what."""
        rest, self._buffer = self._buffer + read_to_end(self.socket, after, timeout), b""
        return rest

    def some(self, most: int) -> bytes:
        """So many bytes, or fewer if the stream ends before."""
        parts = []
        while most > 0 and (part := self._take(most)):
            parts.append(part)
            most -= len(part)
        return b"".join(parts)

    def is_closed(self) -> bool:
        return not self._buffer and is_closed(self.socket)


def parse_head(head: bytes) -> Response:
    first, *lines = head.split(b"\r\n")
    status = _STATUS_LINE.fullmatch(first)
    fields = [_FIELD.fullmatch(line) for line in lines]
    if not status or not all(fields):
        raise Failure("the head of an answer", "a status line and fields of HTTP/1.1", head[:400])
    response = Response(int(status[1]))
    for match in fields:
        name = match[1].decode().lower()
        if name in response.fields and name in ("content-length", "content-type", "content-range"):
            raise Failure("the head of an answer", f"one {name}", head[:400])
        response.fields[name] = match[2].decode("latin-1")
    return response


def parse_all(data: bytes) -> list[Response]:
    """The answers in a whole stream of them, none of them to a HEAD."""
    found = []
    while data:
        head, separator, data = data.partition(b"\r\n\r\n")
        if not separator:
            raise Failure("an answer", "a head with its empty line", head[:200])
        response = parse_head(head)
        length = int(response["content-length"] or 0)
        response.body, data = data[:length], data[length:]
        response.whole = len(response.body) == length
        found.append(response)
    return found


def sha256_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_file(path: Path, size: int) -> Path:
    """A file of random bytes."""
    with open(path, "wb") as file:
        for begin in range(0, size, 1 << 20):
            file.write(os.urandom(min(1 << 20, size - begin)))
    return path
