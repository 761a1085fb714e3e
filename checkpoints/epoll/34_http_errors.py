"""Each kind of bad request gets its own status, a body whose length is right, and the right end.

400, 404, 405 with Allow, 413, 414, 431, 501, 505. After a request that was understood the connection goes on; where
nobody can know what follows, the answer says `Connection: close`, and it is closed.
"""

from epoll import servers, wire_http_hostile

judges = "wire"
hint = ["A server that closes while bytes of the client are unread resets the connection, and the answer may be lost:",
        "shut down the writing side, read what still comes for a moment, then close."]


def check(c):
    wire_http_hostile.errors(c, servers.files(c))
