"""With --splice the bodies go from the file to the socket through a pipe, and through no memory of the server.

The tracepoints show SPLICE requests, and no read of the files. Files of all sizes to 32 clients at once and random
ranges are right. A file that is truncated while it is sent, and one that is shorter than it says, end the connection
early, with nothing but their bytes; and clients that vanish leave nothing behind: no pipe and no other descriptor.
"""

import contextlib
import os

from epoll import servers
from epoll.clients import narrow, same_bytes, widen
from epoll.http_client import HttpClient, make_file, request
from m2 import hostile_fs, vanishing, whole
from m2 import server as m2

needs = ["tracepoints"]
hint = "A chain breaks behind a step that gave less than it was asked for: go on with what did get into the pipe."

ROUNDS, SIZE = 12, 16 << 20


def pipe_ends(server) -> int:
    found = 0
    for fd in os.listdir(f"/proc/{server.pid}/fd"):
        with contextlib.suppress(OSError):  # closed while we looked
            found += os.readlink(f"/proc/{server.pid}/fd/{fd}").startswith("pipe:")
    return found


def check_steps(c):
    root = c.temp_dir()
    data = make_file(root / "large", 1 << 20).read_bytes()
    with m2.serving(c, root, "--splice") as server:
        with c.tracepoints(["io_uring_submit_req", "io_uring_complete"]) as seen:
            with HttpClient(c, server) as client:
                same_bytes(c, "the large file", data, client.ask("/large").body)
        opcodes = [event["opcode"] for event in seen.named("submit_req")]
        c.at_least("SPLICE requests: into a pipe and out of it", 2, opcodes.count("SPLICE"))
        c.none("reads of the file", [opcode for opcode in opcodes if opcode in ("READ", "READ_FIXED")])


def cut_answer(c, server, target: str, data: bytes, what: str, cut=None) -> bool:
    """The bytes that come are the file's, and no more than its head has promised. True: all of them."""
    with HttpClient(c, server) as client:
        narrow(client.socket)
        client.send(request(target, "Connection: close"))
        head = client.head()
        c.equal(f"status of {what}", 200, head.status)
        if cut:
            cut()
        widen(client.socket)
        body = client.rest(f"in the middle of {what}")  # which fails if the connection stays open
    promised = int(head["content-length"])
    c.at_most(f"bytes of {what}", promised, len(body))
    same_bytes(c, f"what came of {what}", data[: len(body)], body,
               usually="A pipe that was given up with bytes in it went to the next answer.")
    return len(body) == promised


def check_truncated(c):
    root = c.temp_dir()
    data = make_file(root / "file", SIZE).read_bytes()
    sound = make_file(root / "sound", 300_000).read_bytes()
    with m2.serving(c, root, "--splice") as server:
        others = pipe_ends(server)
        ended_early = 0
        for number in range(ROUNDS):
            (root / "new").write_bytes(data)
            os.rename(root / "new", root / "file")
            ended_early += not cut_answer(c, server, "/file", data, "a file that is truncated while it is sent",
                                          lambda: os.truncate(root / "file", SIZE * 3 // 4 + 1000))
            with HttpClient(c, server) as client:
                same_bytes(c, "another file behind it", sound, client.ask("/sound").body,
                           usually="A pipe that was given up with bytes in it went to the next answer.")
        c.at_least("answers that ended early", 1, ended_early, usually="The file was not looked at again.")
        m2.all_buffers_free(c, server)
        # One client after the other: a pipe for each at a time, kept for the next.
        c.at_most(f"ends of pipes after {2 * ROUNDS} answers", 4, pipe_ends(server) - others,
                  usually="A connection that ended early kept its pipe.")
        c.equal("files open", 2, servers.wait_for_report(
            c, server, lambda seen: seen.counters["files_open"] == 2).counters["files_open"],
            usually="A file that was replaced is closed when its last answer has ended.")


def check_shorter(c):
    """A file system that says 300,000 of a file of 100,000 bytes: the first step gives less than it was asked for."""
    source = c.temp_dir()
    data = make_file(source / "short", 100_000).read_bytes()
    with hostile_fs.mounted(c, source, "--claim-size", 300_000) as folder:
        with m2.serving(c, folder, "--splice") as server:
            others = pipe_ends(server)
            for _ in range(ROUNDS):
                is_whole = cut_answer(c, server, "/short", data, "a file that is shorter than it says")
                c.expect(not is_whole, "its end", expected="before its Content-Length", seen="all of it came")
            c.at_most(f"ends of pipes after {ROUNDS} broken chains", 4, pipe_ends(server) - others)
            c.at_least("broken_off in the report", ROUNDS, m2.counters(c, server)["broken_off"])
            m2.all_buffers_free(c, server)


def check(c):
    check_steps(c)
    whole.at_once(c, m2.argv(c, "--splice"), 32)
    whole.random_ranges(c, m2.argv(c, "--splice"), 100)
    check_truncated(c)
    vanishing.clients(c, c.choose(default=40, full=400), "--splice")
    check_shorter(c)
