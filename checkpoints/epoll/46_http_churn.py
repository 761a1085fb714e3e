"""Under churn no file is wrong: connections come, ask for ten files, and go, as fast as they can.

The load client keeps 100 connections busy with files of 100 bytes to 1 MB, closes each after ten, connects anew, and
compares every byte with the files.
"""

from epoll import load, servers
from epoll.http_client import make_file
from epoll.wire_http import serving

judges = "wire"
needs = ["io_uring"]
hint = "A connection's memory and descriptor are used again: nothing of the last client may be left in them."


def check(c):
    root = c.temp_dir()
    sizes = [0, 100, 1000, 20_000, 65_536, 300_000, 1_000_000]
    paths = [f"/{make_file(root / f'{size}.bin', size).name}" for size in sizes]
    with serving(c, servers.files(c), root) as server:
        target = load.run(c, "http", server, "--connections", 100, "--paths", ",".join(paths), "--root", root,
                          "--requests-per-connection", 10, "--duration", c.choose(default="2s", full="20s"))
        c.at_least("connections", 200, target["connections_opened"], usually="Accepting is slow, or stops.")
        c.note(f"{target['messages']} files on {target['connections_opened']} connections")
