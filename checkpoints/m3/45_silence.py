"""Silent clients cost nothing: not one system call, until their time has come; then the ring closes them.

strace watches every call of a server with 100 clients that have spoken once. In a second of silence it makes none. When
their idle timeout is over it closes all of them, and makes no other call than io_uring_enter, and few of these.
"""

import contextlib

from epoll import limits
from epoll.clients import STALL_S, exchange, is_closed
from m3 import server as m3

needs = ["strace"]
hint = ["The wait ends at the next deadline of the heap: no tick.", "One timer is enough for a connection; what it says"
        " is only noted, and the timer set again when it fires too early."]

CLIENTS, TIMEOUT_S = 100, 3


def check(c):
    with m3.serving(c, "--idle-timeout", f"{TIMEOUT_S}s", strace_calls=limits.EVERY_CALL) as server:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(c.connect(server)) for _ in range(CLIENTS)]
            c.none("wrong answers", [answer for answer in (exchange(client, b"hello") for client in clients)
                                     if answer != b"hello"])
            c.none(f"system calls in a second in which {CLIENTS} clients are silent",
                   [call.line for call in limits.calls_during(c, server, 1)],
                   usually="A tick, or a timeout that is set anew again and again.")
            begin = server.live_trace.read().calls[-1].time
            c.expect(c.wait_until(lambda: all(map(is_closed, clients)), TIMEOUT_S + STALL_S), "silent clients",
                     expected=f"all are closed after {TIMEOUT_S} s",
                     seen=f"{sum(not is_closed(client) for client in clients)} are open")
        limits.wait_until_quiet(c, server)
        calls = server.live_trace.read(since=begin).calls
        c.none("system calls that are not io_uring_enter", [call.line for call in calls
                                                            if call.name != "io_uring_enter"],
               usually="Closing, and the timer itself, are requests or go with the wait.")
        c.at_most(f"enters to close {CLIENTS} clients", 4 * CLIENTS, len(calls))
