"""Under churn no byte is wrong: connections come, exchange ten messages, and go, as fast as they can.

The load client keeps 100 connections busy with messages of 64 bytes to 64 KiB, closes each after ten, connects anew,
and compares every byte.
"""

from epoll import load, servers

judges = "wire"
needs = ["io_uring"]
hint = "A connection's memory and descriptor are used again: nothing of the last client may be left in them."


def check(c):
    server = c.serve(servers.echo(c))
    target = load.run(c, "echo", server, "--connections", 100, "--size-mix", "64:80,4K:15,64K:5",
                      "--requests-per-connection", 10, "--duration", c.choose(default="2s", full="20s"))
    c.at_least("connections", 200, target["connections_opened"], usually="Accepting is slow, or stops.")
    c.note(f"{target['messages']} messages on {target['connections_opened']} connections")
    c.stop(server)
