"""A read that fails ends the connection: nothing is made up for what could not be read.

A file system gives EIO from an offset on. What came before it are the file's bytes, and then the connection ends before
its Content-Length. A file of which nothing can be read, and one that is shorter than stat says, are told apart from
whole ones as well; others are served.
"""

from epoll.clients import same_bytes
from epoll.http_client import HttpClient, make_file, request
from m2 import hostile_fs
from m2 import server as m2

hint = "The head with the length may have left: then closing is the only way to say that something went wrong."

FAILS_AT = 200_000


def broken_answer(c, server, target, data, sound, what) -> bool:
    """The answer is an error, or ends early with nothing but bytes of the file. True: the latter."""
    with HttpClient(c, server) as client:
        client.send(request(target, "Connection: close"))
        start = b"HTTP/1.1 "
        seen = client.rest(f"after a request for {what}")
    if not seen.startswith(start + b"200"):
        c.expect(not seen or seen.startswith(start + b"5"), f"the answer for {what}", expected="5xx, or an early end",
                 seen=seen[:100])
        return False
    _, _, body = seen.partition(b"\r\n\r\n")
    c.at_most(f"bytes of {what}", sound, len(body), usually="What could not be read was filled with something.")
    same_bytes(c, f"the first bytes of {what}", data[: len(body)], body, usually="Zeros or old bytes of the buffer.")
    return True


def check(c):
    source = c.temp_dir()
    data = make_file(source / "long", 1 << 20).read_bytes()
    short = make_file(source / "short", 100_000).read_bytes()
    with hostile_fs.mounted(c, source, "--error-at", FAILS_AT) as folder, m2.serving(c, folder) as server:
        broken = 0
        for _ in range(20):
            broken += broken_answer(c, server, "/long", data, FAILS_AT, "a file that cannot be read to its end")
            with HttpClient(c, server) as client:
                same_bytes(c, "a file before the broken place", short, client.ask("/short").body)
        c.equal("broken_off in the report", broken, m2.counters(c, server)["broken_off"])
        c.at_least("answers that ended early", 1, broken)  # the read that fails may also be the first to end: 500
        m2.all_buffers_free(c, server)
    with hostile_fs.mounted(c, source, "--error-at", 0) as folder, m2.serving(c, folder) as server:
        broken_answer(c, server, "/short", short, 0, "a file of which nothing can be read")
        m2.all_buffers_free(c, server)
    with hostile_fs.mounted(c, source, "--claim-size", 300_000) as folder, m2.serving(c, folder) as server:
        broken_answer(c, server, "/short", short, len(short), "a file that is shorter than it says")
        m2.all_buffers_free(c, server)
