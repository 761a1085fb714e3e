"""Reads that give less than was asked for are continued where they stopped: no byte is lost, and none comes twice.

A file system that answers in pieces of 1000 bytes (and of 1) serves files of many sizes to 32 clients at once, and
random ranges. The report counts the short reads, so that the check knows that there were some.
"""

from epoll.http_client import HttpClient, make_file, sha256_of
from m2 import hostile_fs, whole
from m2 import server as m2

hint = "A read that is shorter than asked for is not the end of the file: only 0 is. Go on behind what came."

SIZES = [0, 1, 999, 1000, 1001, 4096, 65_536, 70_001, 300_000]


def check(c):
    source = c.temp_dir()
    expected = {f"/{path.name}": sha256_of(path) for path in
                [make_file(source / f"{size}.bin", size) for size in SIZES]}
    for piece, count in ((1000, 32), (1, 5)):
        with hostile_fs.mounted(c, source, "--piece", piece) as folder, m2.serving(c, folder) as server:
            whole.download_all(c, server, expected, count)
            if piece > 1:
                with HttpClient(c, server) as client:
                    data = (source / "300000.bin").read_bytes()
                    whole.check_random_ranges(c, client, "/300000.bin", data, 40)
            c.at_least(f"short reads that the report counts, in pieces of {piece}", 64,
                       m2.counters(c, server)["short_reads"])
            m2.all_buffers_free(c, server)
