"""A file that is written over in place while it is served ends the connection: no answer has bytes of two versions.

A client gets the head and reads slowly; then all bytes of the file are replaced by others, without another file and
without another size. What comes are bytes of the old file, and then the end. The next answer is the new file.
"""

from epoll.clients import narrow, same_bytes, widen
from epoll.http_client import HttpClient, make_file, request
from m2 import server as m2

hint = ["The open file is the same one, and so is its size: only the time of its last change tells.",
        "After the last read, before the first byte leaves: is the file still the one that the head describes?"]

SIZE = 24 << 20
MIXED = "Bytes that were read after the file had changed went out under the old head."


def check_rewritten(c, *options: str):
    root = c.temp_dir()
    old = make_file(root / "file", SIZE).read_bytes()
    new = bytes(byte ^ 0xFF for byte in range(256)) * (SIZE // 256)
    with m2.serving(c, root, *options) as server:
        with HttpClient(c, server) as client:
            narrow(client.socket)
            client.send(request("/file", "Connection: close"))
            c.equal("Content-Length", str(SIZE), client.head()["content-length"])
            with open(root / "file", "r+b") as file:
                file.write(new)
            widen(client.socket)
            body = client.rest("after the file was written over")
        same_bytes(c, "the bytes that came of a file that was written over", old[: len(body)], body, usually=MIXED)
        c.at_most("their number", SIZE - 1, len(body))
        with HttpClient(c, server) as client:
            same_bytes(c, "the next answer", new, client.ask("/file").body, usually=MIXED)
        c.equal("broken_off in the report", 1, m2.counters(c, server)["broken_off"])
        m2.all_buffers_free(c, server)


def check(c):
    check_rewritten(c)
    check_rewritten(c, "--direct")
