"""A client that sends and does not read is not received from any more, and is again when it reads.

The tracepoints show its RECV end when the server holds its share (--max-buffered), and no other one while the client
does not read. Linux 6.17 lets the request itself say after how many bytes it ends. On older kernels, and where that is
masked, it is cancelled, which comes late: so many buffers as the socket holds may come before. When the client reads it
gets every byte, and there is a RECV for it again.
"""

from epoll import servers
from epoll.clients import arriving, narrow, noise, push, pushed, same_bytes, widen
from m3 import requests
from m3 import server as m3

needs = ["tracepoints", "kernel>=6.0"]
hint = ["At the limit: no RECV is armed any more, and the one in flight is cancelled if it does not end by itself.",
        "Resume at half of the limit, from the completion of a SEND."]

LIMIT, SIZE = 64 << 10, 4096


def is_left_alone(row):
    """Not received from any more: the cancelled RECV has ended as well, and at most the wait for room is in flight."""
    return row.state == "stopped" and row.ops <= 1


def go_deaf(c, *, env=None):
    """What the ring did while the client sent and did not read, what it did afterwards, and the report in between."""
    block = noise(1 << 20)
    server = c.start(m3.argv(c, "--max-buffered", LIMIT, "--buffer-size", SIZE), env=env)
    with c.tracepoints(requests.OF_REQUESTS, own_threads=True) as deaf:
        client = narrow(c.connect(server))
        sent = push(client, block, 8 << 20)
        row = servers.wait_for_report(c, server, lambda seen: is_left_alone(seen.of(client))).of(client)
        c.equal("state of a client that does not read", "stopped", row.state)
    with c.tracepoints(requests.OF_REQUESTS, own_threads=True) as reading:
        same_bytes(c, "what it gets when it reads", pushed(block, sent), arriving(widen(client), sent),
                   usually="Receiving was stopped and is never begun again.")
        requests.talk(c, [client])
    client.close()
    m3.stop(c, server)
    return requests.Requests(deaf), requests.Requests(reading), row


def check_form(c, shown, has_limit, env=None):
    deaf, reading, row = go_deaf(c, env=env)
    last = requests.last_one(deaf.completed("RECV"))
    c.equal(f"RECV requests, all of which have ended, {shown}", len(deaf.submitted("RECV")), len(last),
            usually="A multishot RECV goes on until it is cancelled, also for a client whose bytes nobody takes.")
    if has_limit:
        c.at_least(f"RECV requests that ended by themselves, {shown}", 1, sum(event["result"] > 0 for event in last))
        c.at_most(f"bytes that wait, {shown}", LIMIT, row.buffered,
                  usually="The completion that reaches the limit of a multishot is not cut.")
    else:
        c.at_least(f"ASYNC_CANCEL requests, {shown}", 1, len(deaf.submitted("ASYNC_CANCEL")),
                   usually="A multishot RECV goes on until it is cancelled.")
    c.at_least(f"RECV requests when it reads, {shown}", 1, len(reading.submitted("RECV")))


def check(c):
    if c.kernel >= (6, 17):
        check_form(c, "with a limit in the request", has_limit=True)
    check_form(c, "without", has_limit=False, env={"URING_DISABLE": "multishot_recv_limit"})
