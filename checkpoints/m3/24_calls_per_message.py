"""With 400 busy connections an echoed message costs at most 0.2 system calls.

perf counts all system calls of the server, while the load client sends 60,000 messages on 400 connections, on each the
next when the last has come back. An epoll server makes two for each: recv and send.
"""

from epoll import load
from m3 import server as m3

needs = ["tracepoints", "tool:perf"]
hint = "Take all completions that are there, prepare what follows, then enter once, to submit and to wait."

CONNECTIONS, MESSAGES = 400, 60_000


def check(c):
    load.descriptors(c, CONNECTIONS + 200)
    load.share_a_cpu()
    with m3.serving(c) as server:
        load.few_system_calls(c, "message", MESSAGES, "echo", server, "--connections", CONNECTIONS, seconds=40)
