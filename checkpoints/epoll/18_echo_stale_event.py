"""An event for a connection that was closed in the same turn reaches nobody.

strace holds each wait of the server for 0.8 s after the kernel has filled in the events. Meanwhile the idle timeout of
the connection that one of them is for passes. So the timer closes it first, and then its event is next in the batch:
the server must count it as stale, and live on.
"""

import time

from epoll import servers

needs = ["strace"]
alone = True
hint = ["A pointer in epoll_event.data outlives what it points to: keep a slot and a generation there.",
        "Free what a closed connection owns at the end of the turn, not in the middle of the batch."]

HELD_US, IDLE = 800_000, "500ms"
WAITS = ["epoll_wait", "epoll_pwait", "epoll_pwait2"]


def accepted(server):
    return [call for call in server.live_trace.read().named("accept4", "accept") if call.errno is None]


def attempt(c, server, number):
    """True if the timer came between the event and its dispatch."""
    with c.connect(server) as client:
        c.wait_until(lambda: len(accepted(server)) > number, 10)
        client.sendall(b"too late")
        client.settimeout(10)
        try:
            client.recv(100)
        except ConnectionResetError:
            pass
        return servers.report(c, server).counters["stale_events"] > 0


def check(c):
    held = ",".join(f"?{name}" for name in WAITS) + f":delay_exit={HELD_US}"
    server = c.start(servers.echo(c, "--idle-timeout", IDLE), strace_calls=["accept4", "accept", *WAITS], inject=[held])
    begin = time.monotonic()
    stale = any(attempt(c, server, number) for number in range(3))
    c.at_least("seconds, as each wait was held", 2 * HELD_US / 1e6, time.monotonic() - begin)
    c.expect(stale, "stale_events in the report", expected="at least 1", seen=0,
             usually="Whom the event is for was not asked: the connection that it names has ended in this turn.")
    c.equal("clients that were closed by the timer", True, servers.report(c, server).counters["closed"] > 0)
    c.stop(server)
