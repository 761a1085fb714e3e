"""10,000 connections, 5,000 messages a second: no error, and 99 of 100 answers come within 100 ms.

The load client sends at a fixed rate, and counts the latency from the time at which each message was due.
"""

from epoll import load, servers

judges = "wire"
tier = "full"
timeout = 120
needs = ["io_uring"]
alone = True
hint = "What a turn does must not grow with the connections: only with the events that came."


def check(c):
    load.steady_echo(c, servers.echo(c), 10_000)
