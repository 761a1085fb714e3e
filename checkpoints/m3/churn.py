"""Short connections: connect, one message, close; and nothing of them stays."""

from __future__ import annotations

from epoll import load, servers
from epoll.limits import rss_bytes
from m3 import server as m3

GROWTH = 256 << 10  # of memory, between the first quarter and the end


def short_connections(c, count: int, *options: str) -> None:
    """So many, after which all is as it was before."""

    def come_and_go(number):
        return load.run(c, "echo", server, "--connections", 64, "--requests", number, "--requests-per-connection", 1,
                        "--warmup", "0", "--duration", "10min", timeout=600)["messages"]

    with m3.serving(c, *options) as server:
        done = come_and_go(count // 4)
        before = rss_bytes(server.pid)
        done += come_and_go(count - count // 4)
        grown = rss_bytes(server.pid) - before
        c.at_least("short connections", count, done)
        seen = servers.wait_for_report(c, server, lambda seen: not seen.connections)
        c.equal("connections that are left", 0, len(seen.connections))
        c.at_least("connections accepted", count, seen.counters["accepted"])
        c.equal("connections closed, of those accepted", seen.counters["accepted"], seen.counters["closed"],
                usually="A connection was forgotten.")
        c.at_most(f"bytes of memory more than after a quarter of {count} connections", GROWTH, grown,
                  usually="Something is kept for each connection that was.")
        c.note(f"{' '.join(options) or 'by default'}: {seen.counters['accepted']} connections, "
               f"{grown // 1024} KiB more")
