"""While it serves, the server makes no system call but io_uring_enter: all that clients cause goes through the ring.

strace shows every call while clients come, talk, send more than they read, shut down their side, are silent for too
long, reset and leave. What is left besides is memory for more connections. (At the end of the server there is more: a
shutdown for each client that may be sending still.) With --direct-descriptors connections have no descriptor, either.
"""

import contextlib
import socket
import time

from epoll import limits
from epoll.clients import exchange, narrow, noise, push, read_to_end, reset, same_bytes
from m3 import requests
from m3 import server as m3

needs = ["strace"]
hint = "One io_uring_enter submits all that is prepared and waits for completions."

MEMORY = {"mmap", "munmap", "mremap", "brk", "madvise"}
CLIENTS = 20
SETTLES_S = 0.1  # until the last one that left is closed


def live(c, server):
    """What clients do. Returns how many descriptors more the server had with all of them than without any."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(c.connect(server)) for _ in range(CLIENTS)]
        requests.talk(c, clients, size=3000)
        more_fds = c.count_fds(server.pid) - server.fds_at_start
        same_bytes(c, "a large echo", noise(1 << 20), exchange(clients[0], noise(1 << 20)))
        push(narrow(clients[1]), noise(1 << 20), 8 << 20, quiet_s=0.2)
        reset(clients[1])
        for client in clients[2:10]:
            client.setblocking(True)
            client.sendall(b"goodbye")
            client.shutdown(socket.SHUT_WR)
            c.equal("the answer to a last word", b"goodbye", read_to_end(client))
    time.sleep(SETTLES_S)
    return more_fds


def be_silent(c, server):
    with c.connect(server) as client:
        read_to_end(client, "of a client that is silent for 200 ms")
    time.sleep(SETTLES_S)


def only_enters(c, shown, what, *options, live):
    with m3.serving(c, *options, strace_calls=limits.EVERY_CALL) as server:
        begin = time.time()
        result = live(c, server)
        seen = server.live_trace.read(since=begin)
    names = [call.name for call in seen]
    c.none(f"other system calls, {shown}, for {what}",
           [call.line for call in seen if call.name not in MEMORY | {"io_uring_enter"}],
           usually="Done beside the ring: an extra call, and it may block all other connections.")
    c.at_least("io_uring_enter calls", 1, names.count("io_uring_enter"))
    c.note(f"{shown}, {what}: " + ", ".join(f"{names.count(name)} {name}" for name in sorted(set(names))))
    return result


def check_form(c, shown, descriptors, *options):
    c.equal(f"descriptors for {CLIENTS} connections, {shown}", descriptors,
            only_enters(c, shown, "clients that talk", *options, live=live),
            usually="A direct descriptor is a place in the ring's table; any other is one of the process.")
    only_enters(c, shown, "a silent client", "--idle-timeout", "200ms", *options, live=be_silent)


def check(c):
    check_form(c, "by default", CLIENTS)
    if c.kernel >= (5, 19):
        check_form(c, "with --direct-descriptors", 0, "--direct-descriptors")
