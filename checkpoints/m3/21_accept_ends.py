"""A multishot accept that ends by itself is armed again, from its own last completion.

Two things end it. The CQ is full: one client more than it has places waits for a server that is stopped. Then the last
completion brings a connection like the others, and says that no more follow. And there is no descriptor left: a server
that was started with few serves whom it can, and the rest as the first ones leave.
"""

import contextlib
import errno
import select
from pathlib import Path

from epoll import load, servers
from epoll.clients import STALL_S
from m3 import requests
from m3 import server as m3

needs = ["tracepoints", "kernel>=5.19"]
hint = "Without IORING_CQE_F_MORE a completion is the last one of its request, whatever else it says."

FEW, DESCRIPTORS = 60, 40


def check_full_cq(c):
    load.descriptors(c, 10_000)
    masked = {"URING_DISABLE": "cqsize"}  # a CQ twice as large as the SQ
    with requests.watched(c, env=masked, events=["io_uring_cqe_overflow"]) as (server, seen):
        places = c.fdinfo(server.pid).number("CqMask") + 1
        # KERNEL: it holds one more than the limit says.
        if int(Path("/proc/sys/net/core/somaxconn").read_text()) < places:
            c.skip(f"{places + 1} clients cannot wait in a backlog here (sysctl net.core.somaxconn)")
        with contextlib.ExitStack() as stack:
            with servers.held(server):
                clients = [stack.enter_context(c.connect(server)) for _ in range(places + 1)]
            requests.talk(c, clients, size=1)
    ring = requests.Requests(seen)
    ended = {event["result"] for event in requests.last_one(ring.completed("ACCEPT"))}
    c.equal("multishot accepts that a full CQ ended, with a connection as their result", 1,
            sum(result >= 0 for result in ended))
    c.equal("ACCEPT requests", 2, len(ring.submitted("ACCEPT")),
            usually="Its last completion brought a connection, and said that no more follow: arm it again.")
    requests.talk_anew(c, server, 10)
    m3.stop(c, server)


def check_no_descriptor(c):
    few = ["sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "sh"]
    with c.tracepoints(requests.OF_REQUESTS, own_threads=True) as seen:
        server = c.start([*few, *m3.argv(c)])
        waiting = [c.connect(server) for _ in range(FEW)]
        for client in waiting:
            client.sendall(b"x")
        served = 0
        while waiting:
            c.wait_until(lambda: answered(waiting), STALL_S)
            gone = answered(waiting)
            c.expect(gone, "clients that came when no descriptor was left",
                     expected=f"all {FEW} are served, as others leave",
                     seen=f"{served} were, and {len(waiting)} wait for ever",
                     usually="EMFILE ends a multishot accept: it is armed again when a connection has closed.")
            served += len(gone)
            for client in gone:
                waiting.remove(client)
                client.close()
        requests.talk_anew(c, server, 10)
    ring = requests.Requests(seen)
    failed = [event for event in ring.completed("ACCEPT") if event["result"] == -errno.EMFILE]
    c.at_least("accepts that failed with EMFILE", 1, len(failed))
    c.equal("of these, the ones that are the last of their ACCEPT", len(failed), len(requests.last_one(failed)))
    c.at_most("ACCEPT requests", FEW + 10, len(ring.submitted("ACCEPT")),
              usually="Armed again at once, it fails at once, and so on.")
    m3.stop(c, server)


def answered(clients):
    """Those whose byte has come back."""
    return select.select(clients, [], [], 0)[0]


def check(c):
    check_full_cq(c)
    check_no_descriptor(c)
