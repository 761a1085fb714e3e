"""10,000 connections ask for 4,000 files a second: no error, and 99 of 100 answers come within 100 ms.

The load client asks at a fixed rate, counts the latency from the time at which each request was due, and compares
every byte.
"""

from epoll import load, servers
from epoll.http_client import make_file
from epoll.wire_http import serving

judges = "wire"
tier = "full"
timeout = 120
needs = ["io_uring"]
hint = "An idle connection needs no buffer. sysctl net.core.somaxconn bounds how many can come at once."

CONNECTIONS = 10_000


def check(c):
    load.descriptors(c, CONNECTIONS + 1000)
    root = c.temp_dir()
    make_file(root / "page.html", 1024)
    make_file(root / "picture.png", 30_000)
    argv = servers.files(c, "--max-connections", 2 * CONNECTIONS)
    with serving(c, argv, root) as server:
        target = load.run(c, "http", server, "--connections", CONNECTIONS, "--rate", 4000, "--duration", "8s",
                          "--warmup", "2s", "--paths", "/page.html,/picture.png", "--root", root, timeout=100)
        latency = target["latency_ns"]
        c.at_least("connections", CONNECTIONS, target["connections_opened"])
        c.at_most("p99 in ms", 100, round(latency["p99"] / 1e6, 2))
        c.note(f"{target['messages']} files, p50 {latency['p50'] / 1e6:.2f} ms, p99 {latency['p99'] / 1e6:.2f} ms")
