"""One RECV takes the messages of a connection, however many; with --single-shot each message takes one.

A client says 1,000 small things, each when the last has come back. The tracepoints show a completion with a buffer for
each of them, and hardly a RECV; or a RECV for each, and one that waits.
"""

from epoll.clients import STALL_S, same_bytes
from m3 import requests
from m3 import server as m3

needs = ["tracepoints", "kernel>=6.0"]
hint = "IORING_RECV_MULTISHOT with IOSQE_BUFFER_SELECT; arm it again only when F_MORE is missing."

MESSAGES, HANDFUL = 1000, 5


def requests_of(c, *options):
    with requests.watched(c, *options) as (server, seen):
        with c.connect(server, timeout=STALL_S) as client:
            for number in range(MESSAGES):
                message = b"%4d " % number + b"." * 59
                client.sendall(message)
                same_bytes(c, f"echo number {number}", message, client.recv(100))
        reported = m3.counters(c, server)
    ring = requests.Requests(seen)
    c.equal("receives in the report", len(ring.submitted("RECV")), reported["receives"])
    with_buffer = [event for event in ring.completed("RECV") if event["cflags"] & requests.BUFFER
                   and event["result"] > 0]
    c.equal(f"completions of RECV with a buffer, for {MESSAGES} messages", MESSAGES, len(with_buffer))
    m3.stop(c, server)
    return len(ring.submitted("RECV"))


def check(c):
    c.at_most(f"RECV requests for {MESSAGES} messages", HANDFUL, requests_of(c),
              usually="It was armed again for each message, or it is no multishot.")
    c.equal(f"RECV requests for {MESSAGES} messages with --single-shot", MESSAGES + 1, requests_of(c, "--single-shot"))
