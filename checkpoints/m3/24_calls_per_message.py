"""With 400 busy connections an echoed message costs at most 0.2 system calls.

perf counts all system calls of the server, while the load client sends 60,000 messages on 400 connections, on each the
next when the last has come back. An epoll server makes two for each: recv and send.
"""

import re

from epoll import load
from m3 import server as m3

needs = ["tracepoints", "tool:perf"]
hint = "Take all completions that are there, prepare what follows, then enter once, to submit and to wait."

CONNECTIONS, MESSAGES = 400, 60_000


def check(c):
    load.descriptors(c, CONNECTIONS + 200)
    counted = c.temp_dir() / "counted"
    with m3.serving(c) as server:
        perf = ["perf", "stat", "-x", ",", "-o", counted, "-e", "raw_syscalls:sys_enter", "-p", server.pid, "--"]
        target = load.run(c, "echo", server, "--connections", CONNECTIONS, "--requests", MESSAGES, "--duration", "40s",
                          "--warmup", "0", before=perf, timeout=80)
        calls = int(re.search(r"^(\d+),", counted.read_text(), re.MULTILINE)[1])
        each = calls / target["messages"]
        c.at_least("messages", MESSAGES, target["messages"])
        c.at_most("system calls for each message", 0.2, round(each, 3),
                  usually="A system call for each message, beside the ring or to enter it.")
        c.note(f"{each:.3f} system calls for each message")
