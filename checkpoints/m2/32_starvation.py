"""Clients that do not read cannot keep the buffers: with 8 buffers and 32 such clients the others are served.

Some ask for a huge file, others thousands of times for a small one, and none reads. Then eight others get files of
1 KB and of 3 MB, whole, while the report shows that no connection holds more than its share. Slow ones that read at
last get their files to the last byte, each behind its head.
"""

import contextlib
import re

from epoll import servers
from epoll.clients import narrow, same_bytes, widen
from epoll.http_client import HttpClient, make_file, request, sha256_of
from m2 import server as m2
from m2 import whole

timeout = 400
hint = "A filled buffer that its socket does not take can be given to somebody else, and its bytes be read again later."

BUFFERS, SLOW, PIPELINED = 8, 32, 12
# A client that read nothing for N seconds may have to wait about N more: what its narrow socket had no room for is sent
# again after pauses that double.
LATE_S = 120
# Of each pipelined one: more than its socket holds, and mostly heads, so that it gets full in the middle of one.
REQUESTS, PAGE_BYTES = 20_000, 100


def check_answers(c, client, page):
    """All that one of the pipelined clients has asked for."""
    widen(client.socket)
    heads = client.rest("after many small answers", LATE_S).split(page)
    c.none("heads of small answers, read late, that are not whole",
           [head for head in set(heads[:-1]) if not re.fullmatch(rb"HTTP/1.1 200 OK\r\n.*\r\n\r\n", head, re.DOTALL)],
           usually="What was unsent of a head was lost when its buffer was given to another.")
    c.equal("small answers, read late", REQUESTS, len(heads) - 1)


def check(c):
    root = c.temp_dir()
    data = make_file(root / "huge", 48 << 20).read_bytes()
    page = make_file(root / "page", PAGE_BYTES).read_bytes()
    expected = {f"/{path.name}": sha256_of(path) for path in
                [make_file(root / "small", 1000), make_file(root / "medium", 3_000_000)]}
    with m2.serving(c, root, "--buffers", BUFFERS, "--idle-timeout", "10min") as server:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(HttpClient(c, server))
            narrow(first.socket)
            first.send(request("/huge"))
            first.head()
            seen = servers.wait_for_report(c, server, lambda seen: seen.counters["buffers_sending"] == 0)
            c.at_most("buffers that one slow client of a huge file holds", 4, BUFFERS - seen.counters["buffers_free"],
                      usually="--read-ahead bounds what one connection holds.")
            pipelined = [stack.enter_context(HttpClient(c, server)) for _ in range(PIPELINED)]
            for client in pipelined:
                narrow(client.socket)
                client.send(request("/page") * (REQUESTS - 1) + request("/page", "Connection: close"))
            for _ in range(SLOW - PIPELINED - 1):
                client = stack.enter_context(HttpClient(c, server))
                narrow(client.socket)
                client.send(request("/huge"))
            servers.wait_for_report(c, server, lambda seen: len(seen.connections) == SLOW)
            for _ in range(3):
                whole.download_all(c, server, expected, 8)
            widen(first.socket).settimeout(LATE_S)
            same_bytes(c, "the huge file, read late", data, first.some(len(data)))
            for client in pipelined[:6]:
                check_answers(c, client, page)
            c.at_least("buffers that were taken back, by the report", SLOW - BUFFERS,
                       m2.counters(c, server)["buffers_taken_back"])
        m2.all_buffers_free(c, server, BUFFERS)
