"""Files that must come whole, bit for bit, however many ask for them. `argv` is a server's command line without its
root: see epoll/wire_http.py."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

from epoll import wire_http
from epoll.clients import noise, same_bytes
from epoll.downloads import Download, drive
from epoll.http_client import HttpClient, make_file, request, sha256_of
from epoll.wire_http import serving

SIZES = [0, 1, 1023, 4096, 65_535, 65_536, 65_537, 262_144, 1 << 20, 10 << 20]
GOES_ON = "A read or a send that was shorter than asked for: go on where it stopped."


def one_after_another(c, argv, large: int) -> None:
    wire_http.whole_files(c, argv, SIZES, large)


def files(c, sizes: list[int]) -> tuple[Path, dict[str, str]]:
    """A folder of files of these sizes, and the SHA-256 of each by its target."""
    root = c.temp_dir()
    paths = [make_file(root / f"{size}.bin", size) for size in sizes]
    return root, {f"/{path.name}": sha256_of(path) for path in paths}


def at_once(c, argv, clients: int, sizes: list[int] = SIZES) -> None:
    """So many clients, each with a connection of its own: all ask, then all read."""
    root, expected = files(c, sizes)
    with serving(c, argv, root) as server:
        download_all(c, server, expected, clients)


def download_all(c, server, expected: dict[str, str], clients: int) -> None:
    targets = list(expected)
    with contextlib.ExitStack() as stack:
        downloads = [Download(stack.enter_context(c.connect(server)), targets[number % len(targets)])
                     for number in range(clients)]
        drive(downloads)
        c.none(f"answers to {clients} clients at once that are not whole",
               [f"{one.target}: {one.received} of {one.length} bytes{'' if one.closed else ', and then nothing'}"
                for one in downloads if not one.whole],
               usually=GOES_ON)
        c.none(f"answers to {clients} clients at once with other bytes than the file's",
               [one.target for one in downloads if one.sha256 != expected[one.target]],
               usually="What belongs to an answer lies in its connection; a buffer is one connection's at a time.")


def random_ranges(c, argv, count: int, size: int = 3_000_000) -> None:
    root = c.temp_dir()
    data = noise(size)
    (root / "data.bin").write_bytes(data)
    with serving(c, argv, root) as server, HttpClient(c, server) as client:
        check_random_ranges(c, client, "/data.bin", data, count)


def check_random_ranges(c, client: HttpClient, target: str, data: bytes, count: int, pipelined: int = 8) -> None:
    """Ranges anywhere in a file, many of them at the borders of sectors, pages and buffers, eight in each segment."""
    chance = random.Random(len(data))

    def place() -> int:
        near = chance.choice([1, 512, 4096, 65_536]) * chance.randint(0, 40) + chance.randint(-2, 2)
        return min(max(near if chance.random() < 0.7 else chance.randrange(len(data)), 0), len(data) - 1)

    for _ in range(count // pipelined):
        ranges = [sorted((place(), place())) for _ in range(pipelined)]
        client.send(b"".join(request(target, f"Range: bytes={first}-{last}") for first, last in ranges))
        for first, last in ranges:
            answer = client.response()
            c.equal(f"status for bytes={first}-{last}", 206, answer.status)
            same_bytes(c, f"body for bytes={first}-{last}", data[first : last + 1], answer.body, usually=GOES_ON)
