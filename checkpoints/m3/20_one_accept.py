"""One ACCEPT brings all connections, however many; with --single-shot each of them takes one.

The tracepoints show the requests and the completions of the server, from its start on, while 300 clients come, in
three crowds. The report's counter `accepts` says the same.
"""

from m3 import requests
from m3 import server as m3

needs = ["tracepoints", "kernel>=5.19"]
hint = "IORING_ACCEPT_MULTISHOT: the request goes on as long as its completions have IORING_CQE_F_MORE."

CROWDS, CROWD = 3, 100


def check_accepts(c, expected, *options):
    shown = " ".join(["by default", *options][-1:])
    with requests.watched(c, *options) as (server, seen):
        for _ in range(CROWDS):
            requests.talk_anew(c, server, CROWD)
        reported = m3.counters(c, server)
    ring = requests.Requests(seen)
    c.equal(f"ACCEPT requests for {CROWDS * CROWD} connections, {shown}", expected, len(ring.submitted("ACCEPT")),
            usually="An ACCEPT is armed for each connection, although the first one goes on.")
    c.equal(f"their completions, {shown}", CROWDS * CROWD, len(ring.completed("ACCEPT")))
    c.equal(f"accepts and accepted in the report, {shown}", (expected, CROWDS * CROWD),
            (reported["accepts"], reported["accepted"]))
    m3.stop(c, server)
    return ring


def check(c):
    ring = check_accepts(c, 1)
    c.none("completions of the multishot that say it is over", requests.last_one(ring.completed("ACCEPT")))
    check_accepts(c, CROWDS * CROWD + 1, "--single-shot")
