"""The buffers that a connection has received leave together, in one SENDMSG; with --send-buffers 1 each by itself.

A client sends 64 KiB, which are 16 buffers of 4 KiB, to a server that is stopped, so that they are there together. The
tracepoints show the operations that sent them back.
"""

from epoll import servers
from epoll.clients import STALL_S, arriving, noise, same_bytes
from m3 import requests
from m3 import server as m3

needs = ["tracepoints"]
hint = "Send when the turn's completions have been looked at, not for each of them."

ROUNDS, BUFFER = 20, 4096
SIZE = 16 * BUFFER


def sent_by(c, *options):
    """The operations that sent, and how many buffers they had to send."""
    with requests.watched(c, "--buffer-size", BUFFER, *options) as (server, seen):
        with c.connect(server, timeout=STALL_S) as client:
            for number in range(ROUNDS):
                data = noise(SIZE, seed=number)
                with servers.held(server):
                    client.sendall(data)
                same_bytes(c, "echo", data, arriving(client, SIZE))
        reported = m3.counters(c, server)
    m3.stop(c, server)
    ring = requests.Requests(seen)
    received = [event for event in ring.completed("RECV") if event["cflags"] & requests.BUFFER and event["result"] > 0]
    c.equal("received_buffers in the report", len(received), reported["received_buffers"])
    c.equal("sent_buffers in the report", len(received), reported["sent_buffers"])
    return ring, len(received)


def check(c):
    ring, buffers = sent_by(c)
    sends = ring.submitted("SEND", "SENDMSG")
    c.at_least(f"buffers for {ROUNDS} messages of {SIZE} bytes", ROUNDS * SIZE // BUFFER, buffers)
    c.at_most(f"operations that sent these {buffers} buffers", buffers // 4, len(sends),
              usually="A SEND for each buffer: a SENDMSG takes a list of them.")
    c.at_least("SENDMSG among them", 1, len(ring.submitted("SENDMSG")))
    c.note(f"{len(sends)} operations sent {buffers} buffers")

    ring, buffers = sent_by(c, "--send-buffers", "1")
    c.none("SENDMSG with --send-buffers 1", ring.submitted("SENDMSG"))
    c.at_least(f"SEND for {buffers} buffers with --send-buffers 1", buffers, len(ring.submitted("SEND")))
