"""The server works on kernels that have less: without each feature that it can do without, and without all at once.

URING_DISABLE masks the features. Each time bytes of all sizes come back, and one that did not read for a while gets
everything.
"""

from epoll import wire_echo
from m3 import server

timeout = 180
hint = "Every use of a feature asks first, and has something to do without it."

OWN = ["buffer_ring", "multishot_accept", "multishot_recv", "multishot_recv_limit"]
RINGS = ["registered_ring", "defer_taskrun", "single_issuer", "coop_taskrun", "taskrun_flag", "ext_arg", "min_wait",
         "registered_wait", "cqe_skip", "no_sqarray", "submit_all", "cqsize", "single_mmap"]


def check(c):
    together = ",".join(OWN + RINGS)
    for masked in ["buffer_ring,multishot_recv_limit", together, *c.choose(default=[], full=OWN + RINGS)]:
        with server.serving(c, env={"URING_DISABLE": masked}) as running:
            wire_echo.byte_exact(c, running)
            wire_echo.slow_reader(c, running)
