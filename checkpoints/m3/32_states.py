"""With --log-states each connection tells its life: from accepted to closed, one state after the other, none left out.

Clients live in different ways: one talks and leaves, one is silent for too long, one does not read for a while, one
shuts down its side with everything unread, and a crowd has to share two buffers. A line names the state before and
after; each life has to be a way through the diagram of the states.
"""

import contextlib
import re
import signal
import socket

from epoll.clients import arriving, narrow, noise, push, pushed, read_to_end, same_bytes, widen
from m3 import requests
from m3 import server as m3

hint = "The README of m3_network_server says what each state means, and connection_state.cpp which one is which."

# What may follow each state.
DIAGRAM = {
    "accepted": "receiving waiting",
    "receiving": "sending stopped waiting ending lingering closing",
    "sending": "receiving stopped waiting ending closing",
    "stopped": "sending receiving waiting ending closing",
    "waiting": "receiving sending stopped ending lingering closing",
    "ending": "lingering closing",
    "lingering": "closing",
    "closing": "closed",
}
TALKED = "accepted receiving sending receiving ending closing closed"
SILENT = "accepted receiving closing closed"
HALF_CLOSED = "accepted receiving sending ending closing closed"


def lives(c, server):
    """The states of each connection, in the order of their ends."""
    running, ended = {}, []
    for line in server.stdout().splitlines():
        match = re.fullmatch(r"connection (\d+\.\d+): (\w+) -> (\w+)", line)
        if not match:
            continue
        name, before, after = match.groups()
        life = running.setdefault(name, ["accepted"])
        c.equal(f"state of connection {name} before it is {after}", life[-1], before,
                usually="A change without a line, or two connections under one name.")
        life.append(after)
        if after == "closed":
            ended.append(running.pop(name))
    c.equal("connections whose life has no end", {}, running)
    c.none("changes that the diagram does not have",
           sorted({f"{before} -> {after}" for life in ended for before, after in zip(life, life[1:])
                   if after not in DIAGRAM.get(before, "").split()}))
    return [" ".join(life) for life in ended]


def one_life(c, *options, live):
    with m3.serving(c, "--log-states", *options) as server:
        with c.connect(server) as client:
            live(c, client)
    found = lives(c, server)
    c.equal("connections that told their life", 1, len(found))
    return found[0]


def talk(c, client):
    requests.talk(c, [client])


def be_silent(c, client):
    read_to_end(client, "of a client that is silent for 200 ms")


def be_deaf(c, client):
    block = noise(1 << 20)
    sent = push(narrow(client), block, 16 << 20, quiet_s=0.2)
    same_bytes(c, "what a client gets that reads late", pushed(block, sent), arriving(widen(client), sent))


def shut_down(c, client):
    client.sendall(b"goodbye")
    client.shutdown(socket.SHUT_WR)
    c.equal("the answer to a last word", b"goodbye", read_to_end(client))


def check_crowd(c):
    with m3.serving(c, "--log-states", "--buffers", "2") as server:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(c.connect(server)) for _ in range(50)]
            for _ in range(3):
                requests.talk(c, clients)
    found = lives(c, server)
    c.equal("lives of a crowd", len(clients), len(found))
    c.at_least("of them, lives in which a buffer was waited for", 1, sum("waiting" in life for life in found))


def check_drain(c):
    server = c.start(m3.argv(c, "--log-states"))
    with c.connect(server) as client:
        requests.talk(c, [client])
        server.signal(signal.SIGTERM)
        read_to_end(client, "after SIGTERM")
    c.expect(server.wait(10), "the end after SIGTERM", expected="it comes", seen="the server runs")
    c.stop(server)
    c.equal("life of a client whose server is ended",
            ["accepted receiving sending receiving lingering closing closed"], lives(c, server))


def check(c):
    c.equal("life of a client that talks and leaves", TALKED, one_life(c, live=talk))
    c.equal("life of a silent client", SILENT, one_life(c, "--idle-timeout", "200ms", live=be_silent))
    deaf = one_life(c, live=be_deaf)
    c.contains("life of a client that does not read for a while", "sending stopped sending", deaf)
    last = one_life(c, live=shut_down)
    c.expect(last in (TALKED, HALF_CLOSED), "life of a client that shuts down its side", expected=HALF_CLOSED,
             seen=last)
    check_crowd(c)
    check_drain(c)
