"""Without descriptors the server waits instead of spinning, answers 503 for a file, and serves all in the end.

RLIMIT_NOFILE is lowered under the running server, and raised again. Clients beyond it stay in the backlog; a file that
is kept open and not in use is given up for one that is asked for.

An ACCEPT keeps to the limit of when it was submitted, a multishot for as long as it lives. So the clients come to a
server that is told to do without.
"""

from epoll import http_limits, limits
from epoll.talks import Files
from m2 import server

needs = ["strace"]
hint = "EMFILE, ENFILE from ACCEPT: arm it again when a connection has closed or some time has passed, not at once."


def check(c):
    limits.descriptors_run_out(c, server.argv(c), Files(c), armed=1, env={"URING_DISABLE": "multishot_accept"})
    http_limits.no_descriptor_for_a_file(c, server.argv(c))
