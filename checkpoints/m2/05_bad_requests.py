"""Each kind of bad request gets its own status and the right end, and nothing behind it is taken for a request.

400, 404, 405, 413, 414, 431, 501, 505; requests that two readers may read differently; bodies that look like requests.
And behind a last answer comes the end, and no reset, also if the client has sent what nobody wants.
"""

from epoll import wire_http_hostile
from epoll.clients import STALL_S
from epoll.http_client import request
from epoll.wire_http import HELLO, serving, small_tree
from m2 import server

judges = "wire"
hint = ["A server that closes while bytes of the client are unread resets the connection, and the answer may be lost:",
        "shut down the writing side, read what still comes for a moment, then close."]


def check_end(c, argv):
    with serving(c, argv, small_tree(c)) as running, c.connect(running, timeout=STALL_S) as client:
        client.sendall(request("/hello.txt", "Connection: close") + b"x" * 60_000)
        seen, end = b"", "the end"
        try:
            while part := client.recv(1 << 16):
                seen += part
        except ConnectionResetError:
            end = "a reset"
    c.expect(seen.endswith(HELLO), "a last answer, with other bytes behind its request", expected="the file", seen=seen)
    c.equal("what follows it", "the end", end, usually="Closed over bytes that nobody had read.")


def check(c):
    wire_http_hostile.errors(c, server.argv(c))
    wire_http_hostile.smuggling(c, server.argv(c))
    wire_http_hostile.bodies(c, server.argv(c))
    check_end(c, server.argv(c))
