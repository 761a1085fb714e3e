"""HTTP/1.1 by hand over one connection: requests as bytes, responses read exactly to their ends."""

import socket

LIMIT_S = 30


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # names in lower case
        self.body = body


class Truncated(Exception):
    """The server closed before the response's end. `body` is what had come of it, None before a body."""

    def __init__(self, body=None):
        super().__init__("the server closed within a response")
        self.body = body


class Connection:
    def __init__(self, address, receive_buffer=0):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(LIMIT_S)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(address)
        self._data = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        piece = self.socket.recv(1 << 18)
        self._data += piece
        return bool(piece)

    def receive(self, method="GET"):
        """One response; an interim one (1xx) is passed over."""
        while b"\r\n\r\n" not in self._data:
            if not self._more():
                raise Truncated
        head, _, rest = bytes(self._data).partition(b"\r\n\r\n")
        self._data = bytearray(rest)
        first, *fields = head.decode("latin-1").split("\r\n")
        version, status, _ = first.split(" ", 2)
        if version not in ("HTTP/1.1", "HTTP/1.0"):
            raise ValueError(f"a response begins with {first!r}")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        if status.startswith("1"):
            return self.receive(method)
        has_body = method != "HEAD" and status not in ("204", "304")
        size = int(headers["content-length"]) if has_body else 0
        while len(self._data) < size:
            if not self._more():
                raise Truncated(bytes(self._data))
        body = bytes(self._data[:size])
        del self._data[:size]
        return Response(int(status), headers, body)

    def get(self, path, **fields):
        self.send(request(path, **fields))
        return self.receive()

    def is_at_end(self):
        """Whether the server has closed, with nothing behind what was received."""
        try:
            return not self._data and self.socket.recv(1) == b""
        except ConnectionError:
            return not self._data


def request(path, method="GET", **fields):
    """Fields by keyword, `_` for `-`."""
    lines = [f"{method} {path} HTTP/1.1", "Host: test"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
