"""A connection is cancelled, closed and forgotten in that order, and no completion comes for one that is forgotten.

The tracepoints show the end of connections that were silent for too long: a chain of ASYNC_CANCEL and CLOSE, the RECV
that ends with -ECANCELED, and the CLOSE that succeeds. Slots are used again, so a cancel that does not say whose RECV
it means finds none. Then 3,000 short connections come and go: as many closed as accepted, and no stale completion.
"""

from epoll import load, servers
from epoll.clients import read_to_end
from m3 import requests
from m3 import server as m3

needs = ["tracepoints"]
hint = ["A CLOSE does not end a RECV that waits: it holds the file, and goes on.",
        "IOSQE_IO_HARDLINK: the CLOSE runs also when the cancel found nothing."]

CLIENTS, ROUNDS, SHORT = 5, 3, 3000


def check_order(c):
    with requests.watched(c, "--idle-timeout", "200ms", events=["io_uring_link"]) as (server, seen):
        for _ in range(ROUNDS):
            for client in [c.connect(server) for _ in range(CLIENTS)]:
                client.sendall(b"x")
                read_to_end(client, "of a client that is silent for 200 ms",
                            usually="A CLOSE does not end the RECV that waits: cancel it first.")
                client.close()
        c.equal("connections that the report has left", 0, len(servers.report(c, server).connections))
    ring = requests.Requests(seen)
    ends = [event["opcode"] for event in ring.submitted("ASYNC_CANCEL", "CLOSE")]
    c.equal("ASYNC_CANCEL and CLOSE, for each connection", ["ASYNC_CANCEL", "CLOSE"] * (ROUNDS * CLIENTS), ends,
            usually="Closed without a cancel, the RECV goes on receiving for a connection that is believed to be gone.")
    c.at_least("links from a CANCEL to its CLOSE", ROUNDS * CLIENTS,
               sum(event.name == "link" for event in ring.events))
    cancels, closes = ring.completed("ASYNC_CANCEL"), ring.completed("CLOSE")
    c.equal("cancels that found what they named", ROUNDS * CLIENTS,
            sum(event["result"] == 0 for event in cancels),
            usually="-ENOENT: the user_data is another one than the RECV's. The generation is a part of it.")
    c.none("CLOSE requests that failed", [event.line for event in closes if event["result"] != 0])
    cancelled = [event for event in ring.completed("RECV") if event["result"] == requests.ECANCELED]
    c.equal("RECV requests that ended with -ECANCELED", ROUNDS * CLIENTS, len(cancelled))
    m3.stop(c, server)


def check_short(c):
    with m3.serving(c) as server:
        target = load.run(c, "echo", server, "--connections", 50, "--requests", SHORT, "--requests-per-connection", 1,
                          "--duration", "30s", "--warmup", "0")
        c.at_least("connections", SHORT, target["connections_opened"])
        c.wait_until(lambda: m3.counters(c, server)["closed"] >= target["connections_opened"], 10)
        seen = m3.counters(c, server)
        c.equal("accepted and closed", (target["connections_opened"],) * 2, (seen["accepted"], seen["closed"]))
        c.equal("stale completions", 0, seen["stale"],
                usually="A slot was given away before the last of its operations had ended.")


def check(c):
    check_order(c)
    check_short(c)
