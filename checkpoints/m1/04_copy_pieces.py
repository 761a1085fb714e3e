"""A short read and a short write are no failures: the copy goes on where each of them stopped.

A FIFO as source hands out odd pieces, so that almost every read is short. A FIFO as destination holds 4 KiB and is
emptied in odd pieces, so that almost every write is. The program counts both; the bytes arrive complete.
"""

import fcntl
import os
import re
import select
import threading

from m1.lesson import make_file, run_lesson

tier = "quick"
timeout = 120
hint = ["res of a READ says how many bytes came. Fewer than asked for is the end of the file only if it is 0.",
        "After a short WRITE the rest of the buffer is still to be written, res bytes further on."]

F_SETPIPE_SZ = 1031


def feed(path, pieces):
    with open(path, "wb", buffering=0) as fifo:
        for piece in pieces:
            fifo.write(piece)


def small_fifo(path):
    """The reading end, unbuffered: the FIFO holds no more than a page."""
    os.mkfifo(path)
    fifo = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0)
    fcntl.fcntl(fifo, F_SETPIPE_SZ, 4096)
    return fifo


def drain(fifo, piece_bytes, received):
    with fifo:
        select.select([fifo], [], [])  # until somebody has written: before that, a read would see the end
        os.set_blocking(fifo.fileno(), True)
        while piece := fifo.read(piece_bytes):
            received.append(piece)


def count(c, result, what):
    found = re.search(rf"(\d+) {what} \w+ ?", result.stdout + result.stderr)
    c.expect(found, f"the number of {what}", expected="the program prints it", seen=result.stdout)
    return int(found.group(1))


def check(c):
    folder = c.temp_dir()
    pieces = [os.urandom(1 + 37 * i % 5000) for i in range(200)]
    os.mkfifo(folder / "source")
    feeder = threading.Thread(target=feed, args=(folder / "source", pieces), daemon=True)
    feeder.start()
    result = run_lesson(c, "copy", folder / "source", folder / "copy")
    feeder.join(10)
    expected = b"".join(pieces)
    c.equal("bytes copied from a FIFO", len(expected), (folder / "copy").stat().st_size,
            usually="A short read was taken for the end of the file.")
    c.expect(expected == (folder / "copy").read_bytes(), "the copy from a FIFO", expected="the bytes written into it",
             seen="others", usually="After a short read the next bytes belong behind those that came.")
    c.at_least("short reads on the way", 2, count(c, result, "short reads"))

    source = make_file(folder / "file", 300_001)
    received: list[bytes] = []
    drainer = threading.Thread(target=drain, args=(small_fifo(folder / "destination"), 777, received), daemon=True)
    drainer.start()
    result = run_lesson(c, "copy", source, folder / "destination")
    drainer.join(10)
    c.equal("bytes that came out of the FIFO", 300_001, sum(map(len, received)),
            usually="The rest of a short write was not written, or was written twice.")
    c.expect(source.read_bytes() == b"".join(received), "the copy into a FIFO", expected="the source's bytes",
             seen="others", usually="After a short write the rest was not taken from where it stopped.")
    c.at_least("short writes on the way", 10, count(c, result, "short writes"))
