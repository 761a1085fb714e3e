"""With --direct the bytes come from the disk past the page cache, wherever a range begins and ends.

The file is taken out of the page cache before, and is not in it afterwards; the descriptors that the server has open
carry O_DIRECT. Heads and tails that are no whole sectors come right. Without --direct the same file is in the cache
afterwards, so that the check can see it.
"""

import os

from epoll.http_client import HttpClient, make_file, sha256_of
from m2 import disks, whole
from m2 import server as m2

hint = "Round the offset down and the end up to the alignment that statx reports; send only the middle."

SIZE = 3_000_123


def direct_flags(c, server, path):
    """Of each descriptor of the server for this file: whether it has O_DIRECT."""
    found = []
    for fd in os.listdir(f"/proc/{server.pid}/fd"):
        if os.readlink(f"/proc/{server.pid}/fd/{fd}") == str(path):
            found.append(bool(c.fdinfo(server.pid, int(fd)).number("flags") & os.O_DIRECT))
    return found


def served_from(c, path, *options):
    """Serves the file once, cold. Returns its descriptors' O_DIRECT, and what is in the page cache then."""
    expected = sha256_of(path)
    with m2.serving(c, path.parent, *options) as server:
        disks.make_cold(c, path)
        with HttpClient(c, server) as client:
            answer = client.ask(f"/{path.name}")
            c.equal(f"SHA-256 {' '.join(options)}", expected, answer.sha256,
                    usually="The last sector of a file is a short read; the first bytes of a range lie inside one.")
            flags = direct_flags(c, server, path)
        cached = disks.cached_bytes(path)
        c.equal("files that O_DIRECT was refused for", 0, m2.counters(c, server)["direct_fallbacks"])
    return flags, cached


def check(c):
    root = c.temp_dir()
    path = make_file(root / "file", SIZE)
    if not disks.takes_direct_io(path):
        c.skip(f"the file system of {root} takes no O_DIRECT")
    flags, cached = served_from(c, path)
    c.equal("descriptors of the file with O_DIRECT, without --direct", [False], flags)
    c.at_least("bytes in the page cache after that", SIZE, cached)
    flags, cached = served_from(c, path, "--direct")
    c.equal("descriptors of the file with O_DIRECT, with --direct", [True], flags)
    c.equal("bytes in the page cache after that", 0, cached, usually="The file was opened without O_DIRECT.")
    whole.at_once(c, m2.argv(c, "--direct"), 32, [0, 1, 511, 512, 513, 4095, 4096, 4097, 65_535, 65_537, 1_000_001])
    whole.random_ranges(c, m2.argv(c, "--direct"), 200, SIZE)
