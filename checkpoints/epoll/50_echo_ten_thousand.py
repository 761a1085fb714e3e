"""10,000 connections, 5,000 messages a second: no error, and 99 of 100 answers come within 100 ms.

The load client sends at a fixed rate, and counts the latency from the time at which each message was due.
"""

from epoll import load, servers

judges = "wire"
tier = "full"
timeout = 120
needs = ["io_uring"]
hint = "What a turn does must not grow with the connections: only with the events that came."

CONNECTIONS = 10_000


def check(c):
    load.descriptors(c, CONNECTIONS + 1000)
    server = c.serve(servers.echo(c, "--max-connections", 2 * CONNECTIONS))
    target = load.run(c, "echo", server, "--connections", CONNECTIONS, "--rate", 5000, "--duration", "8s",
                      "--warmup", "2s", timeout=100)
    latency = target["latency_ns"]
    c.at_least("connections", CONNECTIONS, target["connections_opened"])
    c.at_most("p99 in ms", 100, round(latency["p99"] / 1e6, 2))
    c.note(f"{target['messages']} messages, p50 {latency['p50'] / 1e6:.2f} ms, p99 {latency['p99'] / 1e6:.2f} ms")
    c.stop(server)
