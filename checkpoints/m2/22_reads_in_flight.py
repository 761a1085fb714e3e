"""At least 64 reads are in flight at one moment, for many clients as well as for a few with large files.

From a file system that takes 100 ms for each read 80 clients ask for a file each, while the server is stopped; then the
tracepoints show 64 reads that were submitted and none of them completed. With --read-ahead 16, five clients get as many
for a large file.
"""

import contextlib

from epoll import servers
from epoll.downloads import Download, drive
from epoll.http_client import HttpClient, make_file, sha256_of
from m2 import hostile_fs
from m2 import server as m2

needs = ["tracepoints"]
hint = "One wait for all: submit what can be submitted, then wait for whatever completes first."

READS_AT_ONCE, CLIENTS, DELAY_MS = 64, 80, 100
READS = ("READ", "READ_FIXED")


def most_at_once(events):
    """The largest number of reads that were submitted and not yet completed."""
    flying, most = set(), 0
    for event in events:
        if event.name == "submit_req" and event["opcode"] in READS:
            flying.add(event["req"])
            most = max(most, len(flying))
        elif event.name == "complete":
            flying.discard(event["req"])
    return most


def check_flight(c, what, server, targets, expected):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(HttpClient(c, server)) for _ in targets]
        for client, target in zip(clients, targets):
            client.ask(target, method="HEAD")  # the files are open then
        with c.tracepoints(["io_uring_submit_req", "io_uring_complete"]) as seen:
            with servers.held(server):
                downloads = [Download(client.socket, target) for client, target in zip(clients, targets)]
            drive(downloads)
    c.none(f"answers to {what} that are wrong",
           [one.target for one in downloads if not one.whole or one.sha256 != expected[one.target]])
    most = most_at_once(seen)
    c.at_least(f"reads in flight at one moment for {what}", READS_AT_ONCE, most,
               usually="Each read was waited for before the next one was started.")
    c.at_least(f"reads_in_flight_max in the report, after {what}", READS_AT_ONCE,
               m2.counters(c, server)["reads_in_flight_max"])
    c.note(f"{most} reads in flight for {what}")


def check(c):
    source = c.temp_dir()
    paths = [make_file(source / f"{number}", 60_000) for number in range(CLIENTS)]
    paths.append(make_file(source / "large", 1 << 20))
    expected = {f"/{path.name}": sha256_of(path) for path in paths}
    with hostile_fs.mounted(c, source, "--delay-ms", DELAY_MS) as root:
        with m2.serving(c, root) as server:
            check_flight(c, f"{CLIENTS} clients", server, list(expected)[:CLIENTS], expected)
        with m2.serving(c, root, "--read-ahead", 16) as server:
            check_flight(c, "five clients", server, ["/large"] * 5, expected)
