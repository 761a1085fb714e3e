"""While it serves, the server makes no system call that reads, sends, accepts or opens: all that goes through the ring.

strace shows every call, while clients connect and go, files are opened, sent whole and in part, and are missing. What
is left is io_uring_enter, fstat to see whether a file has changed, io_uring_register for the place of a new file, the
close of one that is given up, and the shutdown behind a last answer. Connections are closed through the ring.
"""

import time

from epoll.http_client import HttpClient, make_file
from epoll.limits import EVERY_CALL
from m2 import server as m2

needs = ["strace"]
hint = "One io_uring_enter submits all that is prepared and waits for completions."

# shutdown once for each connection that the server ends: on the ring it would always go to a worker thread, as fstat.
ALLOWED = {"io_uring_enter", "io_uring_register", "fstat", "newfstatat", "statx", "shutdown",
           "close", "mmap", "munmap", "mremap", "brk", "madvise"}  # memory for more connections
CLIENTS, PLACES = 10, 4


def check(c):
    root = c.temp_dir()
    for number in range(CLIENTS):
        make_file(root / str(number), 200_000 + number)
    with m2.serving(c, root, "--file-cache", PLACES, strace_calls=EVERY_CALL) as server:
        begin = time.time()
        for number in range(CLIENTS):
            with HttpClient(c, server) as client:
                for target in (f"/{number}", "/0", "/missing", f"/{number}"):
                    client.ask(target)
                client.ask(f"/{number}", "Range: bytes=1000-150000")
                client.ask("/1", "Connection: close")
        c.wait_until(lambda: False, 0.2)  # the closes
        seen = server.live_trace.read(since=begin)
        names = [call.name for call in seen]
        c.none("other system calls while it serves", [call.line for call in seen if call.name not in ALLOWED],
               usually="Done beside the ring: an extra call, and it may block all other connections.")
        c.at_least("io_uring_enter calls", 1, names.count("io_uring_enter"))
        given_up = sum(m2.counters(c, server)[f"cache_{what}"] for what in ("evictions", "rechecks", "replaced"))
        c.at_least("files given up", CLIENTS - PLACES, given_up)
        c.at_most("close calls, for files given up", given_up, names.count("close"),
                  usually="A connection is closed beside the ring.")
        c.equal("shutdown calls", CLIENTS, names.count("shutdown"), usually="One for each answer that is the last.")
        c.note(", ".join(f"{names.count(name)} {name}" for name in sorted(set(names))))
