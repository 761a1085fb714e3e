"""Files of which every block says which version of which file it belongs to, and bears it out with a hash.

As a program, it changes them for a while: versions.py ROOT COUNT SECONDS SEED. Most changes rename a new version over
the old one, some truncate a version to half of its size. It prints `changing`, and at the end how many of each.
"""

from __future__ import annotations

import functools
import hashlib
import os
import random
import sys
import time
from pathlib import Path

BLOCK = 4096
HEADER = 32  # number of the file, version, size, number of the block
LEAST_SIZE = HEADER
HOT = 8  # the first ones are asked for and changed as often as all others together
LARGE = 2  # the first ones are: more than the sockets on the way hold


@functools.lru_cache(maxsize=8)
def content(number: int, version: int, size: int) -> bytes:
    """All of one version."""
    blocks = []
    for block in range(-(-size // BLOCK)):
        header = b"%-7d %-8d %-7d %-7d" % (number, version, size, block)
        filler = hashlib.blake2b(header).digest()
        blocks.append(header + (filler * (BLOCK // len(filler)))[HEADER:])
    return b"".join(blocks)[:size]


def pick(chance: random.Random, count: int) -> int:
    """One of those that are not large."""
    return chance.randrange(LARGE, HOT if chance.random() < 0.5 else count)


def pick_size(chance: random.Random, number: int) -> int:
    if number < LARGE:
        return chance.randint(8_000_000, 12_000_000)
    return chance.randint(LEAST_SIZE, chance.choice([1000, 5000, 70_000, 400_000]))


def judge(number: int, body: bytes, length: int) -> str:
    """What is wrong with an answer of which so much came, of the length that its head says. Nothing: it is right."""
    header = body[:HEADER].split()
    if len(body) < HEADER:
        return "a whole file of less than a header" if len(body) == length else ""
    if len(header) != 4 or not all(word.isdigit() for word in header) or int(header[0]) != number:
        return f"bytes of another file: {body[:HEADER]!r}"
    version, size = int(header[1]), int(header[2])
    expected = content(number, version, size)[: len(body)]
    if body != expected:
        at = next(at for at, (one, other) in enumerate(zip(body, expected)) if one != other)
        return f"{len(body)} bytes, version {version} of {size} bytes, and at {at} {body[at:at + HEADER]!r}"
    if len(body) == length and length not in (size, size // 2):
        return f"{length} bytes for version {version}, which has {size} or {size // 2}"
    return ""


def write(root: Path, number: int, version: int, size: int, name: str = "new") -> None:
    path = root / f".{name}"
    path.write_bytes(content(number, version, size))
    os.rename(path, root / str(number))


def change(root: Path, count: int, seconds: float, seed: int) -> tuple[int, int]:
    chance, sizes = random.Random(seed), {}
    renamed = truncated = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        number = chance.randrange(LARGE) if chance.random() < 0.05 else pick(chance, count)
        if number in sizes and chance.random() < 0.5:
            # Once only: then its size is not the one that it says, and the half of that neither.
            size = sizes.pop(number)
            if size // 2 >= LEAST_SIZE:
                os.truncate(root / str(number), size // 2)
                truncated += 1
        else:
            renamed += 1
            sizes[number] = pick_size(chance, number)
            write(root, number, renamed, sizes[number])
        time.sleep(0.0005)
    return renamed, truncated


if __name__ == "__main__":
    print("changing", flush=True)
    print("renamed %d truncated %d" % change(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
