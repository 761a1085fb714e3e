"""A completion for a connection that is gone reaches nobody, not even the connection that has its slot now.

No completion comes too late in a server that counts what is in flight, so this one is forged: the checkpoint borrows
the server's ring (pidfd_getfd) and sends it a message (MSG_RING), with the user_data that the RECV of an earlier
connection had, and the result of a stream that has ended. The server must count it as stale, and the connection that
has the slot now must be served as before.
"""

import ctypes
import os
import struct

from epoll import limits
from epoll.clients import exchange, same_bytes
from m3 import requests
from m3 import server as m3

needs = ["tracepoints", "kernel>=6.13"]
hint = "The slot alone does not say whose completion it is: its generation, a part of user_data, does."

SYS_IO_URING_REGISTER, REGISTER_SEND_MSG_RING = 427, 31
OP_MSG_RING = 40
SLOT = 0xFFFFFF  # of user_data


def forge_completion(c, server, user_data, result):
    """Makes the kernel post a completion to the server's ring. That takes no ring of our own."""
    try:
        ring = limits.borrowed_fd(server.pid, c.ring_fds(server.pid)[0])
    except OSError as error:
        c.skip(f"a descriptor of another process cannot be borrowed here: {error}")
    # struct io_uring_sqe: opcode, flags, ioprio, fd, off: the user_data to be, addr: a message, len: the result to be
    sqe = struct.pack("<BBHiQQI36x", OP_MSG_RING, 0, 0, ring, user_data, 0, result)
    done = ctypes.CDLL(None, use_errno=True).syscall(SYS_IO_URING_REGISTER, -1, REGISTER_SEND_MSG_RING, sqe, 1)
    os.close(ring)
    c.expect(done >= 0, "the message to the server's ring", expected="it is sent", seen=os.strerror(ctypes.get_errno()))


def check(c):
    with requests.watched(c) as (server, seen):
        with c.connect(server) as client:
            requests.talk(c, [client])
        c.wait_until(lambda: m3.counters(c, server)["closed"] == 1)
    of_the_first = requests.Requests(seen).submitted("RECV")[0]["user_data"]
    with c.tracepoints(requests.OF_REQUESTS, own_threads=True) as seen:
        client = c.connect(server)
        requests.talk(c, [client])
    with client:
        of_the_second = requests.Requests(seen).submitted("RECV")[0]["user_data"]
        c.equal("the slot of the second connection: that of the first", of_the_first & SLOT, of_the_second & SLOT)
        forge_completion(c, server, of_the_first, 0)
        c.wait_until(lambda: m3.counters(c, server)["stale"] == 1)
        c.equal("stale completions in the report", 1, m3.counters(c, server)["stale"],
                usually="It was taken for one of the connection that has the slot now.")
        same_bytes(c, "an echo behind it", b"still here?", exchange(client, b"still here?"),
                   usually="The end of another connection's stream was taken for the end of this one.")
    c.stop(server)
