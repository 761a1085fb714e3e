"""What any server of files must do on the wire: files, whole and in part, however the request arrives.

`argv` is the command line of ours, without its root; with --server the learner's is judged, which gets the root where
its command has {root}. These know nothing of how the server works: those on the ring are judged by the same functions.
"""

from __future__ import annotations

import contextlib
import email.utils
import os
import socket
import time
from pathlib import Path

from epoll import servers
from epoll.clients import difference, noise, same_bytes
from epoll.http_client import HttpClient, make_file, request, sha256_of

HELLO = b"hello, this is a small file\n"


@contextlib.contextmanager
def serving(c, argv, root: Path):
    """The server of `root`, stopped at the end."""
    server = c.serve([*argv, "--root", str(root)], root=root)
    yield server
    servers.stop_files(c, server)


def small_tree(c) -> Path:
    root = c.temp_dir()
    (root / "hello.txt").write_bytes(HELLO)
    (root / "index.html").write_bytes(b"<p>the index</p>\n")
    (root / "folder").mkdir()
    (root / "folder" / "index.html").write_bytes(b"<p>the index of the folder</p>\n")
    (root / "folder" / "page.html").write_bytes(b"<p>a page</p>\n")
    (root / "bare").mkdir()
    return root


def is_hello(c, name: str, answer, usually: str | None = None) -> None:
    c.equal(f"status {name}", 200, answer.status, usually=usually)
    same_bytes(c, f"body {name}", HELLO, answer.body, usually=usually)


def whole_files(c, argv, sizes: list[int], large: int) -> None:
    """Each size on one connection, by SHA-256 and by HEAD."""
    root = c.temp_dir()
    paths = [make_file(root / f"{size}.bin", size) for size in sizes]
    with serving(c, argv, root) as server, HttpClient(c, server) as client:
        for path in paths:
            size = path.stat().st_size
            client.send(request(f"/{path.name}"))
            answer = client.response(keep_body=False)
            c.equal(f"status for {size} bytes", 200, answer.status)
            c.equal(f"Content-Length for {size} bytes", str(size), answer["content-length"])
            c.equal(f"SHA-256 of {size} bytes", sha256_of(path), answer.sha256,
                    usually="A write, or a sendfile, that was shorter than asked for: go on where it stopped.")
            head = client.ask(f"/{path.name}", method="HEAD")
            names = ("content-length", "content-type", "last-modified", "accept-ranges")
            c.equal("HEAD says what GET says", [answer[name] for name in names], [head[name] for name in names],
                    usually="HEAD is GET without the body, and with the same head.")
            c.equal("Accept-Ranges", "bytes", answer["accept-ranges"])
            c.expect(email.utils.parsedate_to_datetime(answer["date"]), "Date", expected="a date", seen=answer["date"])
        if large:
            path = make_file(root / "large.bin", large)
            client.send(request("/large.bin"))
            c.equal(f"SHA-256 of {large} bytes", sha256_of(path), client.response(keep_body=False).sha256)


def fragments(c, argv) -> None:
    """A request byte by byte, and cut in two at each point; with a second one behind it."""
    raw = request("/hello.txt", "X-Filler: " + "f" * 40) + request("/folder/page.html")
    with serving(c, argv, small_tree(c)) as server:
        with HttpClient(c, server) as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each byte in its own segment
            for byte in raw:
                client.send(bytes([byte]))
            is_hello(c, "of a request that came byte by byte", client.response(),
                     usually="recv() gives what has come so far: keep it, and look for the end with the next bytes.")
            c.equal("the answer to the one behind it", b"<p>a page</p>\n", client.response().body)
        with HttpClient(c, server) as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(1, len(raw)):
                client.send(raw[:at])
                time.sleep(0.001)
                client.send(raw[at:])
                is_hello(c, f"of a request that was cut at byte {at}", client.response(),
                         usually="What begins the next request is kept when this one is complete.")
                c.equal(f"the answer to the second one, cut at byte {at}", b"<p>a page</p>\n", client.response().body)


def pipelining(c, argv, count: int = 100) -> None:
    """Many requests in one segment, answered in their order; good and bad ones mixed, and large answers."""
    root = small_tree(c)
    for number in range(10):
        (root / f"{number}.txt").write_bytes(noise(100 + number, seed=number))
    large = make_file(root / "large.bin", 3_000_000)
    with serving(c, argv, root) as server:
        with HttpClient(c, server) as client:
            client.send(b"".join(request(f"/{number % 10}.txt") for number in range(count)))
            for number in range(count):
                same_bytes(c, f"answer {number} of {count} in one segment", noise(100 + number % 10, seed=number % 10),
                           client.response().body,
                           usually="Behind a complete request the next one may lie already: no event will tell of it.")
        with HttpClient(c, server) as client:
            wanted = [("/large.bin", "GET", 200), ("/missing", "GET", 404), ("/large.bin", "HEAD", 200),
                      ("/hello.txt", "GET", 200), ("/folder", "GET", 301), ("/large.bin", "GET", 200)] * 5
            client.send(b"".join(request(target, method=method) for target, method, _ in wanted))
            seen = [client.response(method) for _, method, _ in wanted]
            c.equal("statuses of mixed requests", [status for _, _, status in wanted], [one.status for one in seen])
            c.none("wrong bodies of large answers", [difference(large.read_bytes(), one.body)
                   for (target, method, _), one in zip(wanted, seen)
                   if target == "/large.bin" and method == "GET" and one.body != large.read_bytes()])


def many_clients(c, argv, connections: int, rounds: int) -> None:
    """All connect first, then each asks in turn, several times on its connection."""
    root = small_tree(c)
    for number in range(10):
        make_file(root / f"{number}.bin", 1 << (2 * number))
    contents = [(root / f"{number}.bin").read_bytes() for number in range(10)]
    with serving(c, argv, root) as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(HttpClient(c, server)) for _ in range(connections)]
        for turn in range(rounds):
            for number, client in enumerate(clients):
                client.send(request(f"/{(number + turn) % 10}.bin"))
            for number, client in enumerate(clients):
                same_bytes(c, f"answer to connection {number}", contents[(number + turn) % 10], client.response().body,
                           usually="What belongs to a connection lies in the connection.")


def ranges(c, argv) -> None:
    """Range: 206 with the bytes asked for, 416 beyond the end, no part for what is not understood."""
    root = c.temp_dir()
    data = noise(1000)
    (root / "data.bin").write_bytes(data)
    (root / "empty.bin").write_bytes(b"")
    large = noise(2_000_000, seed=2)
    (root / "large.bin").write_bytes(large)
    parts = [("0-0", 0, 1), ("0-99", 0, 100), ("100-199", 100, 200), ("999-999", 999, 1000), ("900-", 900, 1000),
             ("0-", 0, 1000), ("-1", 999, 1000), ("-100", 900, 1000), ("990-5000", 990, 1000), ("-5000", 0, 1000)]
    whole = ["bytes=5-2", "bytes=", "bytes=-", "bytes=a-b", "lines=0-1", "0-1", "bytes=0x0-0x1"]
    with serving(c, argv, root) as server, HttpClient(c, server) as client:
        for text, first, end in parts:
            answer = client.ask("/data.bin", f"Range: bytes={text}")
            c.equal(f"status for bytes={text}", 206, answer.status)
            c.equal(f"Content-Range for bytes={text}", f"bytes {first}-{end - 1}/1000", answer["content-range"],
                    usually="The last byte is included: 0-0 is one byte.")
            same_bytes(c, f"body for bytes={text}", data[first:end], answer.body,
                       usually="The last byte is included: 0-0 is one byte.")
        for text in ("1000-", "5000-6000"):
            answer = client.ask("/data.bin", f"Range: bytes={text}")
            c.equal(f"status for bytes={text}", 416, answer.status)
            c.equal(f"Content-Range for bytes={text}", "bytes */1000", answer["content-range"])
        answer = client.ask("/empty.bin", "Range: bytes=0-0")
        c.expect(answer.status in (416, 200), "status for bytes=0-0 of an empty file", expected="416, or 200",
                 seen=answer.status, usually="There is no byte 0: a part of nothing is not 206.")
        for text in whole:
            answer = client.ask("/data.bin", f"Range: {text}")
            c.expect(answer.status in (200, 416), f"status for Range: {text}", expected="200, or 416",
                     seen=answer.status, usually="A Range that is malformed, or that one does not support, is ignored.")
            if answer.status == 200:
                same_bytes(c, f"body for Range: {text}", data, answer.body)
        answer = client.ask("/data.bin", "Range: bytes=0-1,500-501")
        c.expect(answer.status == 200 and answer.body == data or answer["content-type"].startswith("multipart/"),
                 "two ranges at once", expected="the whole file, or 206 with several parts",
                 seen=f"{answer.status}, {len(answer.body)} bytes of {answer['content-type']}")
        answer = client.ask("/large.bin", "Range: bytes=123456-1999998")
        same_bytes(c, "1.9 MB of a large file", large[123_456:1_999_999], answer.body)
        modified = answer["last-modified"]
        c.equal("If-Range with the same date", 206,
                client.ask("/large.bin", "Range: bytes=0-9", f"If-Range: {modified}").status)
        c.equal("If-Range with another date", 200, client.ask(
            "/large.bin", "Range: bytes=0-9", "If-Range: Sat, 01 Jan 2000 00:00:00 GMT").status,
            usually="The file has changed since: a part of it would not fit to what the client has.")
        c.equal("HEAD with a Range", 200, client.ask("/data.bin", "Range: bytes=0-9", method="HEAD").status,
                usually="A Range is for GET alone.")


def conditions_and_folders(c, argv) -> None:
    """If-Modified-Since, Content-Type, index.html, and a folder without its slash."""
    root = small_tree(c)
    types = {"a.html": "text/html", "a.css": "text/css", "a.js": "text/javascript", "a.png": "image/png",
             "a.json": "application/json", "a.svg": "image/svg+xml", "a.unknown": "application/octet-stream"}
    for name in types:
        (root / name).write_bytes(b"x")
    os.utime(root / "hello.txt", (1_700_000_000, 1_700_000_000))
    modified = email.utils.formatdate(1_700_000_000, usegmt=True)
    with serving(c, argv, root) as server, HttpClient(c, server) as client:
        c.equal("Last-Modified", modified, client.ask("/hello.txt")["last-modified"])
        for shift, status in ((0, 304), (-1, 200)):
            date = email.utils.formatdate(1_700_000_000 + shift, usegmt=True)
            for method in ("GET", "HEAD"):
                answer = client.ask("/hello.txt", f"If-Modified-Since: {date}", method=method)
                c.equal(f"{method} if modified since {shift} s after", status, answer.status)
        is_hello(c, "with a date that is none", client.ask("/hello.txt", "If-Modified-Since: yesterday"))
        is_hello(c, "with a query", client.ask("/hello.txt?a=/../b"))
        is_hello(c, "with an absolute target", client.ask(f"http://localhost:{server.port}/hello.txt"))
        is_hello(c, "with an escaped name", client.ask("/%68ello%2Etxt"))
        for name, kind in types.items():
            c.equal(f"Content-Type of {name}", kind, client.ask(f"/{name}")["content-type"].partition(";")[0])
        c.equal("/", b"<p>the index</p>\n", client.ask("/").body)
        c.equal("/folder/", b"<p>the index of the folder</p>\n", client.ask("/folder/").body)
        answer = client.ask("/folder")
        c.equal("status of /folder", 301, answer.status,
                usually="Without the slash, relative links in its index would lead beside the folder.")
        c.equal("Location", "/folder/", answer["location"].removeprefix(f"http://localhost:{server.port}"))
        c.equal("a folder without an index", True, client.ask("/bare/").status in (403, 404))
        c.equal("a file with a slash behind it", 404, client.ask("/hello.txt/").status)


def keep_alive(c, argv) -> None:
    """Who closes when: HTTP/1.1 goes on unless told, HTTP/1.0 ends unless told; FIN behind a request."""
    with serving(c, argv, small_tree(c)) as server:
        for version, lines, goes_on in (("HTTP/1.1", [], True), ("HTTP/1.1", ["Connection: close"], False),
                                        ("HTTP/1.1", ["connection: Foo, CLOSE"], False), ("HTTP/1.0", [], False),
                                        ("HTTP/1.0", ["Connection: keep-alive"], True)):
            shown = f"with {version} {' '.join(lines)}"
            with HttpClient(c, server) as client:
                answer = client.ask("/hello.txt", *lines, version=version)
                is_hello(c, shown, answer)
                if not goes_on:
                    if version == "HTTP/1.1":
                        c.expect(answer.says_close, f"Connection {shown}", expected="close", seen=answer["connection"])
                    c.equal(f"bytes after the answer {shown}", b"", client.rest(shown))
                    continue
                if version == "HTTP/1.0":
                    c.equal(f"Connection {shown}", "keep-alive", answer["connection"].lower())
                is_hello(c, f"{shown}, second request", client.ask("/hello.txt", *lines, version=version))
        with HttpClient(c, server) as client:
            client.send(request("/hello.txt", "Connection: close") + request("/hello.txt"))
            is_hello(c, "before the close", client.response())
            c.equal("bytes for a request behind a Connection: close", b"", client.rest())
        with HttpClient(c, server) as client:
            client.send(request("/hello.txt") * 3)
            client.socket.shutdown(socket.SHUT_WR)
            for number in range(3):
                is_hello(c, f"of request {number} with a FIN behind all", client.response(),
                         usually="The FIN says that no request follows: those that came are answered.")
            c.equal("bytes after the last answer", b"", client.rest())
        with HttpClient(c, server) as client:
            client.send(b"GET /hello.txt HTT")
            client.socket.shutdown(socket.SHUT_WR)
            c.expect(HELLO not in client.rest(), "the answer to half a request", expected="no file", seen="the file")
