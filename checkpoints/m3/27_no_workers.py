"""No request of a connection goes to one of io_uring's worker threads, whatever the client does.

The tracepoint io_uring_queue_async_work shows each request that does. There is none while clients talk, and while some
read nothing and have shut down their side, with answers under way: to wait for such a client would take a thread for
each of them. /proc shows that the server has no thread but its own. When they read at last they get every byte.
"""

import os
import socket
import time
from pathlib import Path

from epoll import servers
from epoll.clients import STALL_S, narrow, noise, read_to_end, same_bytes, widen
from m3 import requests
from m3 import server as m3

needs = ["tracepoints"]
hint = ["MSG_DONTWAIT: a SEND that cannot send says EAGAIN, and a POLL_ADD waits in its place.",
        "A SEND that waits for a client that has shut down its side is never put to sleep: it gets a thread instead."]

CLIENTS, PIECE, MOST_PIECES, QUIET_S = 3, 128 << 10, 200, 0.05
EVENTS = ["io_uring_create", "io_uring_submit_req", "io_uring_queue_async_work"]


def threads(pid):
    return [Path(f"/proc/{pid}/task/{tid}/comm").read_text().strip() for tid in os.listdir(f"/proc/{pid}/task")]


def send_until_stuck(c, server, client):
    """Until the server has bytes for this client that do not leave, and none that it has not received. Returns them
    all."""
    sent = b""
    for number in range(MOST_PIECES):
        piece = noise(PIECE, seed=number)
        client.sendall(piece)
        sent += piece
        row = servers.wait_for_report(c, server, lambda seen: seen.of(client).received == len(sent)).of(client)
        c.equal("bytes received of a client that does not read", len(sent), row.received)
        if row.buffered > 0:
            time.sleep(QUIET_S)
            if servers.report(c, server).of(client).sent == row.sent:
                return sent
    c.expect(False, "a client that reads nothing", expected="bytes wait for it in the end", seen="none do")


def check(c):
    with c.tracepoints(EVENTS, own_threads=True) as seen:
        server = c.start(m3.argv(c, "--idle-timeout", "10min"))
        requests.talk_anew(c, server, 50, size=5000)
        deaf = [narrow(c.connect(server, timeout=STALL_S)) for _ in range(CLIENTS)]
        sent = [send_until_stuck(c, server, client) for client in deaf]
        for client in deaf:
            client.shutdown(socket.SHUT_WR)
        servers.wait_for_report(c, server, lambda seen: all(one.state == "closing" for one in seen.connections))
        c.wait_until(lambda: len(threads(server.pid)) > 1, 0.5)
        at_work = threads(server.pid)
        requests.talk_anew(c, server, 50)
        for client, data in zip(deaf, sent):
            same_bytes(c, "what a client gets that had shut down its side", data, read_to_end(widen(client)))
            client.close()
        m3.stop(c, server)
    c.none("requests that went to a worker thread", [event.line for event in seen.named("queue_async_work")],
           usually="A SEND without MSG_DONTWAIT waits for room, and waiting may mean a thread.")
    c.equal("threads of the server", 1, len(at_work), usually=", ".join(at_work))
    c.at_least("POLL_ADD requests: of clients that did not read", CLIENTS,
               requests.Requests(seen).opcodes()["POLL_ADD"])
