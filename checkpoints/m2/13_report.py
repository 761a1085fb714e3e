"""SIGUSR1 prints connections, counters and open files, and what it prints is true; --stats-interval keeps its grid.

Three clients are found in the table by their ports, with their bytes, their state, and the time at which the idle
timeout will close them. The file that is being sent is in the file table, in use and with its place.
"""

from epoll import life, servers
from epoll.clients import narrow
from epoll.http_client import HttpClient, make_file, request
from epoll.talks import Files
from m2 import server as m2

hint = "Signals are read through the ring, so that the table is not printed in the middle of a change."
COUNTERS = ["accepted", "closed", "requests", "status_2xx", "status_4xx", "file_bytes", "broken_off", "bodies_skipped",
            "reads", "short_reads", "reads_in_flight", "reads_in_flight_max", "buffer_waits", "buffers_free",
            "buffers_reading", "buffers_filled", "buffers_sending", "cache_hits", "cache_misses", "cache_evictions",
            "cache_rechecks", "cache_replaced", "files_open", "files_registered", "direct_fallbacks", "turns",
            "completions"]


def check_files(c):
    """Two files: one is asked for and not read, one was sent."""
    root = c.temp_dir()
    make_file(root / "large", 16 << 20)
    make_file(root / "small", 1000)
    with m2.serving(c, root) as server:
        with HttpClient(c, server) as client, HttpClient(c, server) as deaf:
            for _ in range(3):
                client.ask("/small")
            client.ask("/missing")
            narrow(deaf.socket)
            deaf.send(request("/large"))
            deaf.head()
            report = servers.report(c, server)
            rows = {path: (slot, uses, size) for slot, uses, size, path in m2.file_table(report)}
            c.equal("files in the table", {"small", "large"}, set(rows), usually=report.text)
            c.equal("sizes", (1000, 16 << 20), (rows["small"][2], rows["large"][2]))
            c.expect(rows["small"][1] == 0 and rows["large"][1] > 0, "uses of the files",
                     expected="none of the small one, some of the large one", seen=rows)
            c.expect(rows["small"][0] != rows["large"][0] and None not in (rows["small"][0], rows["large"][0]),
                     "places of the files", expected="two, one for each", seen=rows)
            seen = report.counters
            c.equal("files open and registered", (2, 2), (seen["files_open"], seen["files_registered"]))
            c.equal("hits and misses", (2, 3), (seen["cache_hits"], seen["cache_misses"]), usually=report.text)
            c.equal("requests, by their status", (5, 4, 1),
                    (seen["requests"], seen["status_2xx"], seen["status_4xx"]))
        m2.all_buffers_free(c, server)


def check(c):
    life.report(c, m2.argv(c, "--header-timeout", 0), COUNTERS, Files(c))
    check_files(c)
    life.statistics(c, m2.argv(c), Files(c))
