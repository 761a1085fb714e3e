"""Files and buffers are registered when the server starts, and not for each request.

strace shows io_uring_register: one table of buffers and one of files before the first line, then an update for each
file that is opened, and nothing for 1,000 requests of files that are open. A file that was replaced is in the table no
more. With --no-fixed-buffers and --no-registered-files there is none of it.
"""

import os
import time

from epoll.http_client import HttpClient, make_file
from m2 import server as m2

needs = ["strace"]
hint = "REGISTER_BUFFERS pins memory and takes long: once. A place in the file table is set when its file is opened."

BUFFERS = (0, 15)  # IORING_REGISTER_BUFFERS, _BUFFERS2
BUFFERS_UPDATE = (16,)
FILES = (2, 13)
FILES_UPDATE = (6, 14)
FILES_COUNT, REQUESTS = 10, 1000


def registrations(trace, *opcodes):
    # Bit 31: the ring is named by its registered index.
    return [call for call in trace.named("io_uring_register")
            if call.number(1) & 0x7FFFFFFF in opcodes and call.errno is None]


def since_last_setup(trace):
    """Before the ring that serves there are others, which find out what this kernel can do."""
    last = max(call.time for call in trace.named("io_uring_setup"))
    trace.calls = [call for call in trace.calls if call.time >= last]
    return trace


def check_replaced(c, root, server):
    """The ring keeps what is in its table open, whatever the descriptors say."""
    with HttpClient(c, server) as client:
        for _ in range(5):
            make_file(root / "new", 5000)
            os.rename(root / "new", root / "0")
            c.equal("bytes of the file that was renamed over", 5000, len(client.ask("/0").body))
    taken = [line for line in c.fdinfo(server.pid).lines("UserFiles") if "<none>" not in line]
    c.equal("places that are taken in the ring's file table", FILES_COUNT, len(taken),
            usually="A file that was replaced, or given up, is left in the table: the disk has its bytes for ever.")


def check(c):
    root = c.temp_dir()
    for number in range(FILES_COUNT):
        make_file(root / str(number), 1000 * (1 + number))
    traced = {"strace_calls": ["io_uring_setup", "io_uring_register"]}
    with m2.serving(c, root, **traced) as server:
        start = since_last_setup(server.live_trace.read())
        c.equal("tables of buffers registered at the start", 1, len(registrations(start, *BUFFERS)),
                usually="Each READ_FIXED names a registered buffer.")
        c.equal("tables of files registered at the start", 1, len(registrations(start, *FILES)))
        info = c.fdinfo(server.pid)
        c.equal("buffers in the ring's table", m2.BUFFERS, info.number("UserBufs"))
        c.at_least("places in the ring's file table", 1000, info.number("UserFiles"))
        with HttpClient(c, server) as client:
            for number in range(FILES_COUNT):
                client.ask(f"/{number}")
            c.at_most(f"updates of the file table for {FILES_COUNT} files", FILES_COUNT,
                      len(registrations(server.live_trace.read(), *FILES_UPDATE)))
            begin = time.time()
            for number in range(REQUESTS):
                client.ask(f"/{number % FILES_COUNT}", method="HEAD" if number % 50 == 0 else "GET")
            served = server.live_trace.read(since=begin)
            c.none("buffers registered while it serves",
                   [call.line for call in registrations(served, *BUFFERS, *BUFFERS_UPDATE)],
                   usually="The pool is registered as a whole, and a request names a buffer by its index.")
            # A path is opened anew each second, to see whether it names another file: that is no new place.
            c.none(f"changes of the file table in {REQUESTS} requests for open files",
                   [call.line for call in registrations(served, *FILES, *FILES_UPDATE)],
                   usually="A file keeps its place as long as it is open.")
        check_replaced(c, root, server)
    with m2.serving(c, root, "--no-fixed-buffers", "--no-registered-files", **traced) as server:
        with HttpClient(c, server) as client:
            client.ask("/1")
        seen = since_last_setup(server.live_trace.read())
        c.none("registrations of what is not to be used",
               [call.line for call in registrations(seen, *BUFFERS, *FILES, *FILES_UPDATE)])
