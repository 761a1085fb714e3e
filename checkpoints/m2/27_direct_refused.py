"""Where a file system refuses O_DIRECT, --direct serves through the page cache, and says so.

ramfs has no O_DIRECT. The files come right, the report counts the refusals, and standard error has a note, once.
"""

from epoll.http_client import make_file, sha256_of
from m2 import disks, whole
from m2 import server as m2

needs = ["root"]
hint = "EINVAL from opening with O_DIRECT: open again without it."


def check(c):
    root = disks.without_direct_io(c)
    expected = {f"/{path.name}": sha256_of(path) for path in
                [make_file(root / f"{size}.bin", size) for size in (0, 1, 4097, 1_000_001)]}
    c.expect(not disks.takes_direct_io(root / "1.bin"), "O_DIRECT on ramfs", expected="refused", seen="taken")
    with m2.serving(c, root, "--direct") as server:
        whole.download_all(c, server, expected, 16)
        c.at_least("refusals that the report counts", len(expected), m2.counters(c, server)["direct_fallbacks"])
        c.equal("lines on standard error", 1, len(server.stderr().splitlines()), usually=server.stderr())
        c.contains("the note", "O_DIRECT", server.stderr())
