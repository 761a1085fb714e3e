"""A server's side of HTTP/1.1 for the tests: requests in, and answers that a test makes as wrong as it likes."""


def requests(peer):
    """(method, path, headers) of each, names in lower case."""
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            data += peer.receive_some()
        head, _, data = data.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        method, path, _ = line.split(" ")
        headers = {}
        for field in fields:
            name, _, value = field.partition(":")
            headers[name.lower()] = value.strip()
        yield method, path, headers


def response(body, *fields, status="200 OK", length=None):
    """`length`: what Content-Length says instead of the truth."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def answers(make):
    """A talk that sends make(number, path) for each request, number from 0 on each connection."""

    def talk(peer):
        for number, (_, path, _) in enumerate(requests(peer)):
            peer.send(make(number, path))
            peer.answered += 1

    return talk
