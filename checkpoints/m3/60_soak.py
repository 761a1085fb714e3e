"""A minute of all kinds of clients at once (--soak: half an hour), and nothing of it stays.

Honest clients, short ones and slow ones from the load client, which compares every byte; beside them clients that send
and never read, that vanish in the middle, that are silent until they are closed. Every few seconds all of them go: then
descriptors, slots and buffers are back, and the memory is what it was after the first time. `--build-dir build/asan`
does it with the sanitizers, whose memory is no measure.
"""

import contextlib
import time
from pathlib import Path

from epoll import load
from epoll.limits import rss_bytes
from m3 import pressure, vanishing
from m3 import server as m3

timeout = 2400
alone = True
hint = "The report after a round, and --log-states, tell which connection stayed, and in which state."

ROUND_S, MOST_GROWTH = 10, 2 << 20
SERVER = ["--buffers", 256, "--buffer-size", "4K", "--max-buffered", "64K", "--idle-timeout", "5s"]
LOADS = [["--connections", 48, "--size-mix", "64:80,4K:15,100K:5"],
         ["--connections", 24, "--size-mix", "64:90,16K:10", "--requests-per-connection", 2],
         ["--connections", 12, "--size", "4K", "--slow-readers", 50, "--slow-rate", "64K"]]
DEAF, SILENT = 8, 20


def one_round(c, server, seconds):
    with contextlib.ExitStack() as stack:
        loads = [stack.enter_context(load.started(c, "echo", server, *words, "--warmup", "0", "--duration",
                                                  f"{seconds}s", "--timeout", "30s")) for words in LOADS]
        end = time.monotonic() + seconds
        for _ in range(SILENT):
            stack.enter_context(c.connect(server))
        pressure.deaf_clients(c, server, stack, DEAF)
        while time.monotonic() < end and server.status is None:
            vanishing.in_the_middle(c, server, 20)
            time.sleep(0.1)
        c.expect(server.status is None, "the server", expected="it runs", seen=f"status {server.status}")
    return loads


def has_sanitizer(pid):
    return "libasan" in Path(f"/proc/{pid}/maps").read_text()


def check(c):
    messages = connections = grown = 0
    end = time.monotonic() + c.choose(default=60, soak=1800)
    memory_of_first = None
    with m3.serving(c, *SERVER) as server:
        while (left := end - time.monotonic()) > 0:
            for one in one_round(c, server, int(min(ROUND_S, left + 1))):
                messages += one.target["messages"]
                connections += one.target["connections_opened"]
            vanishing.nothing_left(c, server, "when all clients are gone")
            memory = rss_bytes(server.pid)
            memory_of_first = memory_of_first or memory
            grown = memory - memory_of_first
            if not has_sanitizer(server.pid):
                c.at_most("bytes of memory more than after the first round", MOST_GROWTH, grown,
                          usually="Something is kept for each connection, or each message.")
        c.note(f"{messages} messages on {connections} connections, {grown // 1024} KiB more; "
               f"{m3.counters(c, server)['spills']} spills")
