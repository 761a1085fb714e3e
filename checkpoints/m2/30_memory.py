"""After the load every buffer is free again, and the memory is what it was.

The load client asks for files of 0 bytes to 300 KB on 64 connections, 20,000 times (--full: 100,000), connecting anew
after 50. The resident memory after the first quarter and after the last must be the same, but for a little.
"""

from epoll import load
from epoll.http_client import make_file
from epoll.limits import rss_bytes
from m2 import server as m2

timeout = 180
hint = "What a request allocates it gives back; a pool that keeps what it has is warm after the first requests."

SIZES = [0, 100, 4096, 65_536, 300_000]


def check(c):
    root = c.temp_dir()
    paths = [f"/{make_file(root / f'{size}.bin', size).name}" for size in SIZES]
    requests = c.choose(default=20_000, full=100_000)

    def ask(count):
        return load.run(c, "http", server, "--connections", 64, "--requests", count, "--duration", "60s",
                        "--paths", ",".join(paths), "--root", root, "--requests-per-connection", 50)["messages"]

    with m2.serving(c, root) as server:
        done = ask(requests // 4)
        before = rss_bytes(server.pid)
        done += ask(requests - requests // 4)
        grown = rss_bytes(server.pid) - before
        c.at_most(f"bytes of memory more than after a quarter of {done} requests", 256 << 10, grown,
                  usually="Something is kept for each request or connection.")
        m2.all_buffers_free(c, server)
        c.note(f"{done} requests, {grown // 1024} KiB more")
