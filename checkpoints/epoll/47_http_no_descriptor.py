"""Without a descriptor for the file the answer is 503, and the connection goes on.

RLIMIT_NOFILE is lowered to what the server has open, and raised again. A file that is kept open and not in use is
given up for one that is asked for.
"""

from epoll import http_limits, servers

hint = "503 says: another time. A cache of open files is the first place to find a descriptor."


def check(c):
    http_limits.no_descriptor_for_a_file(c, servers.files(c))
