"""10,000 connections ask for 4,000 files a second: no error, and 99 of 100 answers come within 100 ms.

The load client asks at a fixed rate, counts the latency from the time at which each request was due, and compares
every byte.
"""

from epoll import load, servers

judges = "wire"
tier = "full"
timeout = 120
needs = ["io_uring"]
alone = True
hint = "An idle connection needs no buffer. sysctl net.core.somaxconn bounds how many can come at once."


def check(c):
    load.steady_files(c, servers.files(c), 10_000)
