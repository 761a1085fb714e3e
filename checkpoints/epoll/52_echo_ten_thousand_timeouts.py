"""10,000 silent connections with idle timeouts of 1 to 10 s: 99 of 100 are closed within 10 ms of their time.

--idle-timeout-jitter gives each its own time, which SIGUSR1's report names by the client's port (closes_at_ns). A
program beside us watches all of them, and writes down when each one ends.
"""

import json
import sys
import time
from pathlib import Path

from epoll import load, servers

tier = "full"
timeout = 120
alone = True
hint = "A heap finds the next deadline in O(log n), and the wait ends at it: no tick, and no walk over all connections."

CONNECTIONS = 10_000
WATCHER = Path(__file__).with_name("watch_closings.py")

# How late a program is that only sleeps: in what part of its sleeps, in hundredths, by more than 5 ms.
CONTROL = """
import time
end, late, sleeps = time.monotonic() + 10, 0, 0
while time.monotonic() < end:
    due = time.monotonic() + 0.01
    time.sleep(0.01)
    late += time.monotonic() - due > 0.005
    sleeps += 1
print(round(100 * late / sleeps, 1))
"""


def due_times(c, server, watcher):
    """When each is due, by port, as reports say in time: the first is due a second after it came."""
    due_ns = {}
    while True:
        all_here = "connected" in watcher.stdout()
        time.sleep(0.2)
        for one in servers.report(c, server).connections:
            due_ns[int(one.peer.rpartition(":")[2])] = one.closes_at_ns
        if all_here or watcher.status is not None:
            return due_ns


def check(c):
    load.descriptors(c, CONNECTIONS + 1000)
    server = c.start(servers.echo(c, "--idle-timeout", "1s", "--idle-timeout-jitter", "9s", "--max-connections",
                                  CONNECTIONS))
    ended_path = c.temp_dir() / "ended.json"
    watcher = c.start([sys.executable, WATCHER, server.address, server.port, CONNECTIONS, 15, ended_path],
                      first_line=None)
    due_ns = due_times(c, server, watcher)
    control = c.start([sys.executable, "-c", CONTROL], first_line=None)
    c.expect(watcher.wait(60) and control.wait(15), "the programs that watch", expected="they end", seen="they do not")
    for program in (watcher, control):
        c.stop(program)
    ended_ns = {int(port): ended for port, ended in json.loads(ended_path.read_text()).items()}
    c.equal("connections that have ended after 15 s", CONNECTIONS, len(ended_ns),
            usually="Its timer was lost in the heap.")
    c.at_least("connections whose time is known", 0.9 * CONNECTIONS, len(due_ns))

    late_ms = sorted((ended_ns[port] - due) / 1e6 for port, due in due_ns.items() if port in ended_ns)
    middle, most = late_ms[len(late_ms) // 2], late_ms[int(len(late_ms) * 0.99)]
    c.note(f"late by {middle:.2f} ms in the middle, {most:.2f} ms at 99 %, {late_ms[-1]:.2f} ms at most")
    spread_s = (max(due_ns.values()) - min(due_ns.values())) / 1e9
    c.at_least("seconds between the first and the last of the times", 8, round(spread_s, 1))
    in_time = sum(abs(late) <= 10 for late in late_ms) / len(late_ms)
    late_sleeps = float(control.stdout())
    if in_time < 0.99 and late_sleeps > 0.5 and 100 * (1 - in_time) < 10 * late_sleeps:
        c.skip(f"this machine is too busy: a program that only sleeps was late {late_sleeps} times in 100")
    c.at_least("closed within 10 ms of their time, in 100", 99, round(100 * in_time, 2),
               usually="The wait was rounded to a tick, or each turn walks over all connections.")
    c.stop(server)
