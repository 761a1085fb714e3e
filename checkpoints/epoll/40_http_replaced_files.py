"""A file that changes while it is served: each answer is one version, whole, or the connection ends early.

One file is renamed over all the time while it is asked for; another one is truncated in the middle of its answer, which
then ends with the bytes that were there: nothing is padded, and nobody waits for ever. A third one grows.
"""

from epoll import servers, wire_http_changes

judges = "wire"
hint = ["Length and bytes come from the same open descriptor.",
        "A read of 0 before the end: close the connection, there is no other way to say it."]


def check(c):
    wire_http_changes.replaced_files(c, servers.files(c))
    wire_http_changes.truncated_file(c, servers.files(c))
    wire_http_changes.grown_file(c, servers.files(c))
