"""With --direct-descriptors a connection is a place in the ring's table of files, not a descriptor; places come back.

/proc shows the table (fdinfo) with a socket for each client, and as many descriptors as without any client. The
tracepoints show that each request names a place, which ACCEPT has chosen, and that each is closed by a CLOSE. Then 300
clients come, one crowd after the other, to a server whose table has 20 places.
"""

import contextlib

from m3 import requests
from m3 import server as m3

needs = ["tracepoints", "kernel>=5.19"]
hint = ["CLOSE of a place: sqe.file_index is the place + 1, and fd is 0.",
        "Without IOSQE_FIXED_FILE the place is taken for a descriptor, and names whatever is open under that number."]

CLIENTS, CROWDS = 20, 15


def sockets_in_table(c, server):
    return [line for line in c.fdinfo(server.pid).lines("UserFiles") if "socket:" in line]


def check_places(c):
    with requests.watched(c, "--direct-descriptors") as (server, seen):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(c.connect(server)) for _ in range(CLIENTS)]
            requests.talk(c, clients)
            c.equal(f"sockets in the ring's table, with {CLIENTS} clients", CLIENTS, len(sockets_in_table(c, server)))
            c.equal("descriptors, with and without clients", server.fds_at_start, c.count_fds(server.pid),
                    usually="Accepted without IORING_FILE_INDEX_ALLOC a socket has a descriptor.")
        c.wait_until(lambda: not sockets_in_table(c, server))
        c.equal("sockets in the table when the clients have left", [], sockets_in_table(c, server),
                usually="CLOSE with a descriptor's number closes a descriptor. A place is named by file_index.")
        m3.counters(c, server)  # when it has been printed, the last completion has been seen
    m3.stop(c, server)
    ring = requests.Requests(seen)
    accepted = [event["result"] for event in ring.completed("ACCEPT")]
    c.equal("places that ACCEPT chose, each its own", CLIENTS, len(set(accepted)))
    c.none("requests that name a descriptor",
           [event.line for event in ring.submitted("RECV", "SEND", "SENDMSG")
            if not event["flags"] & requests.FIXED_FILE])
    c.equal("CLOSE requests, and how they ended", [0] * CLIENTS, [event["result"] for event in ring.completed("CLOSE")],
            usually="-EBADF: the place is empty, or it is taken for a descriptor.")


def check_few_places(c):
    # A multishot may bring more than the server is for, and so would have more places.
    with m3.serving(c, "--direct-descriptors", "--single-shot", "--max-connections", CLIENTS) as server:
        c.equal("places in a table for few connections", CLIENTS, c.fdinfo(server.pid).number("UserFiles"))
        for _ in range(CROWDS):
            requests.talk_anew(c, server, CLIENTS)
        c.equal("accepted", CLIENTS * CROWDS, m3.counters(c, server)["accepted"],
                usually="A place that is not given back is lost, and then there is none.")


def check(c):
    check_places(c)
    check_few_places(c)
