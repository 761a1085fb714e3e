"""What any server of files must refuse: ways out of its root, requests that two readers read differently, bodies that
look like requests. See wire_http.py for `argv`."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import time
from pathlib import Path

from epoll.clients import STALL_S, read_to_end
from epoll.http_client import HttpClient, parse_all, request
from epoll.wire_http import HELLO, is_hello, serving, small_tree

SECRET = b"this file lies outside of the root"
SMUGGLED = b"the answer to a request that nobody sent"


def _tree_with_traps(c) -> tuple[Path, list[str]]:
    """A root beside a secret file, and the names of what lies in it and is not to be served."""
    root = small_tree(c)
    outside = c.temp_dir()
    (outside / "secret").write_bytes(SECRET)
    os.symlink(os.path.relpath(outside / "secret", root), root / "link")
    os.symlink(outside / "secret", root / "absolute-link")
    os.symlink(os.path.relpath(outside, root), root / "folder-link")
    os.symlink("/proc/self/root", root / "root-link")
    os.symlink("loop", root / "loop")
    os.mkfifo(root / "fifo")
    names = ["link", "absolute-link", "folder-link/secret", f"root-link{outside}/secret", "loop", "fifo", "socket"]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
    with contextlib.suppress(PermissionError):
        os.mknod(root / "device", stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero
        names.append("device")
    return root, names


def _ways_up(root: Path, outside: Path) -> list[bytes]:
    """Targets that lead to the secret if somebody takes one of the spellings for `..` or for a slash."""
    up = ["..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..%00", ".%00.", "%c0%ae%c0%ae", "..;", "...", "%u002e%u002e"]
    slashes = ["/", "%2f", "%2F", "\\", "%5c", "%255c", "%252f", "//", "/./", "%c0%af"]
    below = os.path.relpath(outside / "secret", root).split("/")
    targets = []
    for dots in up:
        for slash in slashes:
            path = slash.join([dots if part == ".." else part for part in below])
            targets += [f"/{path}", f"/folder/{dots}{slash}{path}", f"{slash}{path}"]
    absolute = str(outside / "secret")
    targets += [absolute, f"/{absolute}", f"//{absolute}", f"/%2f{absolute[1:]}", f"file://{absolute}", f"/.{absolute}",
                "/" + "../" * 30 + absolute[1:], "/hello.txt/../" + "/".join(below),
                 "/index.html%00/../" + "/".join(below),
                "/" + "/".join(below[:-1]) + "/secret?x", f"http://localhost/{'/'.join(below)}", f"*{absolute}",
                "/folder/" * 20 + "../" * 42 + absolute[1:]]
    return [target.encode() for target in targets]


def escapes(c, argv) -> None:
    """No spelling of any path gives a byte of a file outside of the root, or of what is no regular file."""
    root, names = _tree_with_traps(c)
    outside = Path(os.readlink(root / "absolute-link")).parent
    targets = _ways_up(root, outside) + [f"/{name}".encode() for name in names]
    with serving(c, argv, root) as server:
        for target in targets:
            with c.connect(server, timeout=STALL_S) as client:
                client.sendall(request(target, "Connection: close"))
                seen = read_to_end(client, f"after GET {target.decode()}", 5,
                                   "Opening a FIFO waits for a writer, unless O_NONBLOCK is set.")
            c.expect(SECRET not in seen, f"answer to {target.decode()}", expected="no byte from outside of the root",
                     seen="the file beside the root",
                     usually="Decode once, then openat2 with RESOLVE_BENEATH: a test of the text cannot see links.")
            status = seen[9:12]
            c.expect(status[:1] in (b"4", b"5") or not seen, f"status for {target.decode()}", expected="4xx",
                     seen=seen[:100],
                     usually="What is not below the root, or is no regular file, does not exist.")
        # Odd spellings of what may be served.
        for target in ("//hello.txt", "/./hello.txt", "/folder/../hello.txt", "/folder/%2e%2E/hello.txt"):
            with HttpClient(c, server) as client:
                answer = client.ask(target)
                c.expect(answer.status == 200 and answer.body == HELLO or 300 <= answer.status < 500,
                         f"answer to {target}", expected="hello.txt, or a refusal",
                         seen=f"{answer.status}, {answer.body[:50]!r}")
        with HttpClient(c, server) as client:
            c.equal("a name that ends early at a NUL", 4, client.ask("/hello.txt%00.html").status // 100,
                    usually="open() takes a C string: what follows the NUL is not looked at.")
        with HttpClient(c, server) as client:
            is_hello(c, "after all that", client.ask("/hello.txt"))


# What it is, the bytes, the statuses that are right, and whether the connection may go on.
ERRORS = [
    ("a name that is not there", request("/missing"), [404], True),
    ("a folder that is not there", request("/missing/"), [404], True),
    ("a broken escape", request("/%zz"), [400], True),
    ("a method of others", request("/hello.txt", method="DELETE"), [405, 501], True),
    ("a method in lower case", request("/hello.txt", method="get"), [405, 501, 400], True),
    ("POST", request("/hello.txt", "Content-Length: 0", method="POST"), [405], True),
    ("OPTIONS of everything", request("*", method="OPTIONS"), [405, 501, 200, 204], True),
    ("no Host", request("/hello.txt", host=None), [400], False),
    ("two Hosts", request("/hello.txt", "Host: other"), [400], False),
    ("a Host with a space", request("/hello.txt", host="a b"), [400], False),
    ("no request at all", b"hello, server\r\n\r\n", [400], False),
    ("bytes of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\n" * 20, [400], False),
    ("no version", b"GET /hello.txt\r\nHost: a\r\n\r\n", [400, 505], False),
    ("a version of others", request("/hello.txt", version="HTTP/2.0"), [505], False),
    ("a version in lower case", request("/hello.txt", version="http/1.1"), [400], False),
    ("two spaces", request("/hello.txt").replace(b"GET /", b"GET  /"), [400], False),
    ("a target without a slash", request("hello.txt"), [400], False),
    ("a control character in the target", request("/hello\x01.txt"), [400], False),
    ("a target of 100,000 bytes", request("/" + "a" * 100_000), [414], False),
    ("a field of 100,000 bytes", request("/hello.txt", "X: " + "a" * 100_000), [431], False),
    ("10,000 fields", request("/hello.txt", *["X: y"] * 10_000), [431], False),
    ("a body of 100 GiB", request("/hello.txt", "Content-Length: 107374182400"), [413], False),
    ("a coding of others", request("/hello.txt", "Transfer-Encoding: gzip"), [501, 400], False),
]


def errors(c, argv) -> None:
    """The status of each kind of bad request; after one that was understood the connection goes on, else it ends."""
    with serving(c, argv, small_tree(c)) as server:
        for what, raw, statuses, goes_on in ERRORS:
            with HttpClient(c, server) as client:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    client.send(raw)
                answer = client.response()
                c.expect(answer.status in statuses, f"status for {what}", expected=" or ".join(map(str, statuses)),
                         seen=answer.status)
                c.expect(answer.status in (204, 200) or answer["content-length"] == str(len(answer.body)),
                         f"Content-Length for {what}", expected=len(answer.body), seen=answer["content-length"],
                         usually="An answer without its length ends only with the connection.")
                if answer.status == 405:
                    c.equal(f"Allow for {what}", {"GET", "HEAD"}, set(answer["allow"].replace(",", " ").split()))
                if goes_on and not answer.says_close:
                    is_hello(c, f"after {what}", client.ask("/hello.txt"))
                elif not goes_on:
                    c.expect(answer.says_close, f"Connection for {what}", expected="close", seen=answer["connection"])
                    c.equal(f"bytes after the answer to {what}", b"", client.rest(f"after {what}"))


NEXT = request("/smuggled.txt")  # what stands behind, for a reader who thinks that the request ends before


def _smuggling() -> dict[str, bytes]:
    """Heads of which two readers disagree on where the request ends, with another request behind them."""
    behind = request("/smuggled.txt", "Connection: close")
    length = f"Content-Length: {len(behind)}"
    lines = {
        "both lengths": [length, "Transfer-Encoding: chunked"],
        "both lengths, the other way round": ["Transfer-Encoding: chunked", length],
        "two lengths": [length, "Content-Length: 0"],
        "two lengths, the other way round": ["Content-Length: 0", length],
        "a list of lengths": [f"Content-Length: 0, {len(behind)}"],
        "a length with a sign": [f"Content-Length: +{len(behind)}"],
        "a length below 0": ["Content-Length: -1"],
        "a length in hexadecimal": ["Content-Length: 0x0"],
        "a length with a space in it": ["Content-Length: 0 0"],
        "a length that is empty": ["Content-Length:"],
        "a length with a letter": ["Content-Length: 0a"],
        "a length that is no number of 64 bits": ["Content-Length: 18446744073709551616"],
        "a space before the colon of the length": [f"Content-Length : {len(behind)}"],
        "a space before the colon of the coding": ["Transfer-Encoding : chunked"],
        "a tab before the colon of the coding": ["Transfer-Encoding\t: chunked"],
        "a coding with a control character": ["Transfer-Encoding: \x0bchunked"],
        "a coding twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        "a coding twice, the second unknown": ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        "a folded line": ["X: a", " Transfer-Encoding: chunked"],
        "a folded length": ["Content-Length:", f" {len(behind)}"],
        "a space before the first field's name": [" X: a"],
        "a name with a space": ["Content Length: 5"],
        "a name that is empty": [": a"],
        "a line without a colon": ["abc"],
        "a NUL in a value": ["X: a\0b"],
        "a bare CR in a value": ["X: a\rTransfer-Encoding: chunked"],
        "a bare CR at the end of a line": ["X: a\r"],
    }
    found = {what: request("/hello.txt", *extra) + behind for what, extra in lines.items()}
    found["a bare CR for an end of line"] = request("/hello.txt", "X: a").replace(b"X: a\r\n", b"X: a\r") + behind
    found["a bare CR in the request line"] = request("/hello.txt").replace(b" HTTP", b"\r HTTP") + behind
    found["a coding in HTTP/1.0"] = request("/hello.txt", "Transfer-Encoding: chunked", version="HTTP/1.0") + behind
    chunked = request("/hello.txt", "Transfer-Encoding: chunked")
    chunks = {
        "a chunk size with 0x": b"0x0\r\n\r\n",
        "a chunk size with a sign": b"-1\r\n\r\n",
        "a chunk size with a plus": b"+0\r\n\r\n",
        "a chunk size with a space before it": b" 0\r\n\r\n",
        "a chunk size that is empty": b"\r\n\r\n",
        "a chunk size of 68 bits": b"10000000000000000\r\n\r\n",
        "a chunk that is longer than it says": b"3\r\nabcde\r\n0\r\n\r\n",
        "a chunk size that ends in LF": b"0\n\r\n",
        "a chunk size that ends in CR": b"0\r\r\n\r\n",
        "a chunk extension with a bare LF": b"0;a\nb\r\n\r\n",
        "a trailer without a colon": b"0\r\nabc\r\n\r\n",
        "a trailer with a space before the colon": b"0\r\nX : y\r\n\r\n",
    }
    return found | {what: chunked + body + behind for what, body in chunks.items()}


def smuggling(c, argv) -> None:
    """Each gets one answer, 400, and the connection is closed: what stands behind is never answered."""
    root = small_tree(c)
    (root / "smuggled.txt").write_bytes(SMUGGLED)
    with serving(c, argv, root) as server:
        for what, raw in _smuggling().items():
            with HttpClient(c, server) as client:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    client.send(raw)
                seen = client.rest(f"after {what}")
                c.expect(SMUGGLED not in seen, f"answers to {what}", expected="none to what stands behind",
                         seen=seen[-300:],
                         usually="Where this request ends is not certain, so nothing behind it may be read as one.")
                answers = parse_all(seen)
                refusals = (400, 501) if "coding" in what else (400,)  # a coding that nobody knows
                c.expect(len(answers) == 1 and answers[0].status in refusals, f"statuses for {what}",
                         expected="one: 400",
                         seen=[answer.status for answer in answers])
                c.expect(answers[0].says_close, f"Connection for {what}", expected="close",
                         seen=answers[0]["connection"])
        # The same with the right ends: nothing above was refused for its parts.
        with HttpClient(c, server) as client:
            client.send(request("/hello.txt", "Transfer-Encoding: chunked", "X: \ta b\t")
                        + b"3;a=b\r\nabc\r\n0\r\nY: z\r\n\r\n" + NEXT)
            answer = client.response()
            c.expect(answer.status in (200, 400, 411, 413, 501), "status of a GET with a body",
                     expected="200, or a refusal",
                     seen=answer.status)
            if answer.status == 200 and not answer.says_close:
                c.equal("the request behind it", SMUGGLED, client.response().body)


def bodies(c, argv) -> None:
    """A body that looks like requests is read past, or the connection ends: it is never answered."""
    root = small_tree(c)
    (root / "smuggled.txt").write_bytes(SMUGGLED)
    with serving(c, argv, root) as server:
        for method in ("GET", "HEAD", "POST", "PUT", "BREW"):
            for count in (1, 50, 3000):
                _one_body(c, server, method, NEXT * count, cut=count > 1)
        for method in ("GET", "POST"):
            _chunked_body(c, server, method)
        # Refused by its length alone: the client need not send it.
        with HttpClient(c, server) as client:
            answer = client.ask("/hello.txt", "Content-Length: 1000000000000", "Expect: 100-continue", method="POST")
            c.expect(answer.status in (405, 413, 417), "status for a body of 1 TB", expected="413 or 405",
                     seen=answer.status)
            c.equal("bytes after it", b"", client.rest())
        # A client that sends a body which is not wanted, slowly, has its answer all the same.
        with HttpClient(c, server) as client:
            client.send(request("/hello.txt", "Content-Length: 30", method="POST") + b"x" * 10)
            time.sleep(0.05)
            client.send(b"x" * 20)
            c.equal("status for a POST in pieces", 405, client.response().status)


def _after_a_body(c, client, what: str, first) -> None:
    """The connection has ended, or the next request is answered as what it is."""
    if first.says_close:
        seen = client.rest()
        c.expect(SMUGGLED not in seen, f"bytes after {what}", expected="none of the body's requests", seen=seen[:200])
        return
    is_hello(c, f"after {what}", client.ask("/hello.txt"),
             usually="The body was taken for the next request: it is as long as its Content-Length.")


def _one_body(c, server, method: str, body: bytes, cut: bool) -> None:
    what = f"a {method} with a body of {len(body)} bytes"
    with HttpClient(c, server) as client:
        head = request("/folder/page.html", f"Content-Length: {len(body)}", method=method)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if cut:
                client.send(head + body[:100])
                time.sleep(0.002)
                client.send(body[100:])
            else:
                client.send(head + body)
        first = client.response(method)
        expected = [200] if method in ("GET", "HEAD") else [405, 501]
        c.expect(first.status in [*expected, 400, 413], f"status for {what}", expected=f"{expected[0]}, or a refusal",
                 seen=first.status)
        _after_a_body(c, client, what, first)


def _chunked_body(c, server, method: str) -> None:
    what = f"a {method} with a body in chunks"
    chunks = b"".join(f"{len(NEXT) * n:x}\r\n".encode() + NEXT * n + b"\r\n" for n in (1, 2, 30)) + b"0\r\n\r\n"
    for step in (len(chunks), 1):
        with HttpClient(c, server) as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.send(request("/folder/page.html", "Transfer-Encoding: chunked", method=method))
                for at in range(0, len(chunks), step):
                    client.send(chunks[at : at + step])
            first = client.response(method)
            c.expect(first.status in (200, 405, 400, 411, 501), f"status for {what}",
                     expected="200 or 405, or a refusal",
                     seen=first.status)
            _after_a_body(c, client, what, first)
