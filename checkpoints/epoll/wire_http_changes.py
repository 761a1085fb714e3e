"""What any server of files must do while the files change: each answer is one version, whole, or the connection ends
early. See wire_http.py for `argv`."""

from __future__ import annotations

import os
import threading
import time

from epoll.clients import narrow, same_bytes, widen
from epoll.http_client import HttpClient, make_file, request
from epoll.wire_http import serving


def replaced_files(c, argv, count: int = 300) -> None:
    """A file is renamed over again and again while it is asked for: each answer is one version, whole."""
    root = c.temp_dir()
    versions = [bytes([letter]) * size for letter, size in ((65, 1000), (66, 70_000), (67, 300_000))]
    (root / "page").write_bytes(versions[0])
    stopped = threading.Event()

    def replace():
        number = 0
        while not stopped.is_set():
            number += 1
            (root / "new").write_bytes(versions[number % 3])
            os.rename(root / "new", root / "page")
            time.sleep(0.002)

    with serving(c, argv, root) as server:
        writer = threading.Thread(target=replace)
        writer.start()
        try:
            _each_is_a_version(c, server, versions, count)
        finally:
            stopped.set()
            writer.join()
        (root / "new").write_bytes(b"the last one")
        os.rename(root / "new", root / "page")
        with HttpClient(c, server) as client:
            c.wait_until(lambda: client.ask("/page").body == b"the last one", 3)
            c.equal("the file after it was replaced", b"the last one", client.ask("/page").body[:20],
                    usually="A cache that never looks again serves what was.")


def _each_is_a_version(c, server, versions: list[bytes], count: int) -> None:
    client, seen = HttpClient(c, server), set()
    for number in range(count):
        client.send(request("/page"))
        answer = client.response()
        if not answer.whole:  # it says so, by closing: the client asks again
            client.socket.close()
            client = HttpClient(c, server)
            continue
        c.expect(answer.body in versions, f"answer {number} while the file is replaced",
                 expected="one version of it, whole", seen=f"{len(answer.body)} bytes, with {sorted(set(answer.body))}",
                 usually="The length is of one file and the bytes of another: ask the open descriptor, not the path.")
        seen.add(answer.body[:1])
    client.socket.close()
    c.at_least("versions seen", 2, len(seen))


def truncated_file(c, argv) -> None:
    """A file shrinks while it is sent: the connection ends early, and nothing is made up."""
    root = c.temp_dir()
    data = make_file(root / "large", 64 << 20).read_bytes()
    with serving(c, argv, root) as server:
        with HttpClient(c, server) as client:
            narrow(client.socket)
            client.send(request("/large", "Connection: close"))
            c.equal("Content-Length", str(len(data)), client.head()["content-length"])
            os.truncate(root / "large", 40 << 20)
            widen(client.socket)
            rest = client.rest()  # which fails if the connection stays open
            same_bytes(c, "the bytes that came of a file that shrank", data[: len(rest)], rest,
                       usually="It was padded up to the Content-Length, with what never was in the file.")
        with HttpClient(c, server) as client:
            c.equal("Content-Length afterwards", str(40 << 20), client.ask("/large", method="HEAD")["content-length"])


def grown_file(c, argv) -> None:
    """A file grows while it is sent: what comes is no longer than what was said, and all of it from the file."""
    root = c.temp_dir()
    data = make_file(root / "large", 24 << 20).read_bytes()
    with serving(c, argv, root) as server:
        with HttpClient(c, server) as client:
            narrow(client.socket)
            client.send(request("/large", "Connection: close"))
            c.equal("Content-Length", str(len(data)), client.head()["content-length"])
            with open(root / "large", "ab") as file:
                file.write(b"more" * 1000)
            widen(client.socket)
            rest = client.rest()
            same_bytes(c, "the bytes that came of a file that grew", data[: len(rest)], rest,
                       usually="It was read to its end instead of to the Content-Length.")
        with HttpClient(c, server) as client:
            c.equal("Content-Length afterwards", str(len(data) + 4000),
                    client.ask("/large", method="HEAD")["content-length"])
