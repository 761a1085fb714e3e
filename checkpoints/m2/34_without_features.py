"""The server works on kernels that have less: without each feature that it can do without, and without all at once.

URING_DISABLE masks the features. Each time 16 clients get files of all sizes at once, one asks for ranges in a
pipeline, and SIGTERM ends it.
"""

from epoll.http_client import HttpClient, make_file, sha256_of
from m2 import server as m2
from m2 import whole

timeout = 180
hint = "Every use of a feature asks first, and has something to do without it."

FEATURES = ["registered_ring", "defer_taskrun", "single_issuer", "coop_taskrun", "taskrun_flag", "ext_arg", "min_wait",
            "registered_wait", "cqe_skip", "sparse_buffers", "buffer_update", "no_sqarray", "submit_all", "cqsize",
            "single_mmap"]


def check(c):
    root = c.temp_dir()
    data = make_file(root / "data", 300_000).read_bytes()
    expected = {f"/{path.name}": sha256_of(path) for path in
                [make_file(root / f"{size}.bin", size) for size in (0, 1, 65_537, 1_000_000)]}
    together = ",".join(FEATURES)
    for masked in [together, "defer_taskrun,coop_taskrun,single_issuer", *c.choose(default=[], full=FEATURES)]:
        with m2.serving(c, root, env={"URING_DISABLE": masked}) as server:
            whole.download_all(c, server, expected, 16)
            with HttpClient(c, server) as client:
                whole.check_random_ranges(c, client, "/data", data, 32)
            m2.all_buffers_free(c, server)
