"""With 64 connections a request for a small file costs at most 0.2 system calls.

perf counts all system calls of the server, while the load client asks for a file of 1 KiB 20,000 times on 64 keep-alive
connections.
"""

import re

from epoll import load
from epoll.http_client import make_file
from m2 import server as m2

needs = ["io_uring", "tracepoints", "tool:perf"]
hint = "Take all completions that are there, prepare what follows, then enter once. One fstat serves them all."

REQUESTS = 20_000


def check(c):
    root = c.temp_dir()
    make_file(root / "file", 1024)
    counted = c.temp_dir() / "counted"
    with m2.serving(c, root) as server:
        perf = ["perf", "stat", "-x", ",", "-o", counted, "-e", "raw_syscalls:sys_enter", "-p", server.pid, "--"]
        target = load.run(c, "http", server, "--connections", 64, "--requests", REQUESTS, "--duration", "30s",
                          "--warmup", "0", "--paths", "/file", "--root", root, before=perf)
        calls = int(re.search(r"^(\d+),", counted.read_text(), re.MULTILINE)[1])
        each = calls / target["messages"]
        c.at_least("requests", REQUESTS, target["messages"])
        c.at_most("system calls for each request", 0.2, round(each, 3),
                  usually="A system call for each request, beside the ring or to enter it.")
        c.note(f"{each:.3f} system calls for each request")
