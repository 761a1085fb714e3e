"""A file that changes while it is served: each answer is one version, whole, or the connection ends early.

One file is renamed over all the time while it is asked for; one is truncated in the middle of its answer, and one
grows. Nothing is padded, nobody waits for ever, and soon the new file is served.
"""

from epoll import wire_http_changes
from m2 import server

judges = "wire"
hint = ["Length and bytes come from the same open file: a name may mean another one at the next read.",
        "A read of 0 before the end: close the connection, there is no other way to say it."]


def check(c):
    wire_http_changes.replaced_files(c, server.argv(c))
    wire_http_changes.truncated_file(c, server.argv(c))
    wire_http_changes.grown_file(c, server.argv(c))
