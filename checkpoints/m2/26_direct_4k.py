"""On a disk with sectors of 4 KiB --direct asks for nothing smaller.

A file system on a loop device with such sectors: what is aligned to 512 bytes only is refused there with EINVAL. Files
of all sizes and 200 ranges come right, without falling back to the page cache.
"""

import os

from epoll.http_client import HttpClient, make_file, sha256_of
from m2 import disks, whole
from m2 import server as m2

needs = ["root", "tool:losetup", "tool:mkfs.ext4"]
hint = "statx with STATX_DIOALIGN says the alignment of each file; where it does not say, 4096 fits every disk."

SIZES = [0, 1, 511, 512, 513, 4095, 4096, 4097, 8192 + 512, 65_535, 65_537, 1_000_001]


def check_refusal(c, path):
    """The disk does refuse what is aligned to 512 bytes."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    try:
        os.preadv(fd, [memoryview(bytearray(8192))[:512]], 512)
        c.skip("this loop device takes reads of 512 bytes")
    except OSError:
        pass
    finally:
        os.close(fd)


def check(c):
    root = disks.disk(c, 4096)
    expected = {f"/{path.name}": sha256_of(path) for path in
                [make_file(root / f"{size}.bin", size) for size in SIZES]}
    check_refusal(c, root / "1000001.bin")
    with m2.serving(c, root, "--direct") as server:
        whole.download_all(c, server, expected, 32)
        with HttpClient(c, server) as client:
            whole.check_random_ranges(c, client, "/1000001.bin", (root / "1000001.bin").read_bytes(), 200)
        c.equal("files that O_DIRECT was refused for", 0, m2.counters(c, server)["direct_fallbacks"])
