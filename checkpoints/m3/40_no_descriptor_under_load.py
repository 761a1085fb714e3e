"""Out of descriptors under load, who is connected is served on, nothing spins, and all are served in the end.

The server has as many clients as it may (--max-connections), who come anew after 20 messages: so its ACCEPT is armed
again and again. RLIMIT_NOFILE is lowered under the load, fewer and fewer are connected at a time, and raised again.
Then clients come who stay: those beyond the limit wait, the server sleeps, and when the limit is raised it serves them.
"""

import contextlib
import resource
import time

from epoll import load, servers
from epoll.clients import STALL_S
from epoll.talks import Echo
from m3 import pressure
from m3 import server as m3

alone = True
hint = ["EMFILE ends a multishot accept: arm it again when a descriptor is free, or half a second has gone by.",
        "KERNEL: an ACCEPT keeps to the limit of the time when it was armed."]

MOST, FEW_FILES = 50, 25
SPIN = "An accept that is armed at once fails at once, and so on: wait for a descriptor."
TALK = Echo()


def lower(server):
    _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (FEW_FILES, hard))


def check_under_load(c, server, enough, seconds):
    with load.started(c, "echo", server, "--connections", MOST, "--requests-per-connection", 20, "--warmup", "0",
                      "--duration", f"{int(1000 * seconds)}ms") as running:
        c.wait_until(lambda: servers.sockets(server.pid) > FEW_FILES, STALL_S)
        lower(server)
        c.wait_until(lambda: servers.sockets(server.pid) < FEW_FILES, STALL_S)
        c.at_most("sockets when the limit has been lowered under load", FEW_FILES, servers.sockets(server.pid))
        time.sleep(0.3)
        # Before the load ends: then who is connected does not go any more.
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, enough)
        c.wait_until(lambda: servers.sockets(server.pid) > FEW_FILES, STALL_S)
        c.at_least("sockets when it has been raised again", FEW_FILES + 1, servers.sockets(server.pid),
                   usually="Accepting was paused, and not begun again.")
    c.at_least("connections under load", 2 * MOST, running.target["connections_opened"])


def come(c, server, stack):
    clients = [stack.enter_context(c.connect(server)) for _ in range(MOST)]
    for client in clients:
        TALK.send(client)
    return clients


def answered(clients):
    return sum(map(TALK.is_answered, clients))


def check_without_load(c, server, enough):
    with contextlib.ExitStack() as stack:
        clients = come(c, server, stack)
        c.wait_until(lambda: answered(clients) == MOST, STALL_S)
        lower(server)  # as they leave an ACCEPT is armed, which knows of it
    c.wait_until(lambda: servers.sockets(server.pid) == 1)
    with contextlib.ExitStack() as stack:
        clients = come(c, server, stack)
        c.wait_until(lambda: answered(clients) > FEW_FILES // 2, STALL_S)
        time.sleep(0.3)
        turns, seconds = m3.counters(c, server)["turns"], pressure.cpu_seconds(server.pid)
        time.sleep(1)
        c.at_most("turns in a second in which clients wait and no descriptor is free", 20,
                  m3.counters(c, server)["turns"] - turns, usually=SPIN)
        c.at_most("seconds of the processor in it", 0.2, round(pressure.cpu_seconds(server.pid) - seconds, 3),
                  usually=SPIN)
        c.at_most("clients served with so few descriptors", FEW_FILES, answered(clients))
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, enough)
        c.wait_until(lambda: answered(clients) == MOST, STALL_S)
        c.equal("clients served when the limit was raised", MOST, answered(clients),
                usually="Nothing of its own will wake it: it must try again after a while.")


def check(c):
    for options in ([], ["--single-shot"]):
        with m3.serving(c, "--max-connections", MOST, *options) as server:
            enough = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
            check_under_load(c, server, enough, c.choose(default=1.5, full=10))
            check_without_load(c, server, enough)
