"""With 64 connections a request for a small file costs at most 0.2 system calls.

perf counts all system calls of the server, while the load client asks for a file of 1 KiB 20,000 times on 64 keep-alive
connections.
"""

from epoll import load
from epoll.http_client import make_file
from m2 import server as m2

needs = ["io_uring", "tracepoints", "tool:perf"]
hint = "Take all completions that are there, prepare what follows, then enter once. One fstat serves them all."

REQUESTS = 20_000


def check(c):
    root = c.temp_dir()
    make_file(root / "file", 1024)
    load.share_a_cpu()
    with m2.serving(c, root) as server:
        load.few_system_calls(c, "request", REQUESTS, "http", server, "--connections", 64, "--paths", "/file",
                              "--root", root, seconds=30)
