"""How our servers end, and what they say while they run. `argv` is a server's command line, and `talk` what its clients
say (talks.py)."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import time

from epoll import servers
from epoll.clients import STALL_S, exchange, is_closed, narrow, noise, push, pushed, read_to_end, same_bytes, widen
from epoll.talks import Echo

DRAINS = "After SIGTERM: no new connection, what is under way to its end, the idle ones closed, then status 0."


def refused(server) -> bool:
    """Nobody listens there any more."""
    with socket.socket() as client:
        client.settimeout(5)
        return client.connect_ex((server.address, server.port)) == errno.ECONNREFUSED


def ends(c, server, what: str, within_s: float = 10) -> None:
    ended = server.wait(within_s)
    c.expect(ended, what, expected=f"it ends within {within_s:g} s", seen="it runs", usually=DRAINS)
    c.equal(f"exit status: {what}", 0, server.status, usually=server.stderr() or DRAINS)


def drain(c, argv) -> None:
    """SIGTERM to an echo server with an idle client, and one for whom bytes wait in the server."""
    server = c.start(argv)
    idle = c.connect(server)
    exchange(idle, b"hello")
    busy = narrow(c.connect(server))
    block = noise(1 << 20)
    sent = push(busy, block, 64 << 20)
    seen = servers.report(c, server).of(busy)
    c.expect(seen and seen.buffered > 0, "bytes that wait for a client", expected="some", seen=seen)
    server.signal(signal.SIGTERM)
    c.expect(c.wait_until(lambda: is_closed(idle), STALL_S), "an idle client", expected="it is closed at once",
             seen="it is open", usually=DRAINS)
    c.expect(c.wait_until(lambda: refused(server)), "a new client", expected="it is refused", seen="it is connected",
             usually=DRAINS)
    c.expect(server.status is None, "the server", expected="it waits for the client that still reads", seen="it ended",
             usually=DRAINS)
    data = read_to_end(widen(busy))
    busy.close()
    c.at_least("bytes sent back, of those that the server had received before SIGTERM", seen.received, len(data),
               usually=DRAINS)
    same_bytes(c, "those bytes", pushed(block, sent)[: len(data)], data)
    ends(c, server, "the end after the last byte")
    c.stop(server)


def drain_timeout(c, argv, talk=Echo()) -> None:
    """A client that never reads does not keep the server for longer than --drain-timeout."""
    server = c.start([*argv, *talk.options, "--drain-timeout", "500ms"])
    talk.go_deaf(c.connect(server))
    server.signal(signal.SIGTERM)
    ends(c, server, "the end after --drain-timeout")
    c.stop(server)


def second_signal(c, argv, talk=Echo()) -> None:
    """SIGTERM once more, or SIGINT: the drain is over."""
    for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT)):
        server = c.start([*argv, *talk.options, "--drain-timeout", "10min"])
        talk.go_deaf(c.connect(server))
        server.signal(first)
        c.expect(c.wait_until(lambda server=server: refused(server)), "a drain", expected="it has begun", seen="not")
        time.sleep(0.1)
        c.expect(server.status is None, "the drain", expected="it waits for a client", seen="it is over")
        server.signal(second)
        ends(c, server, f"the end after a second {signal.Signals(second).name}")
        c.stop(server)


COLUMNS = ["fd", "peer", "state", "ops", "received", "sent", "buffered", "age_ms", "closes_at_ns"]


def report(c, argv, counters: list[str], talk=Echo()) -> None:
    """SIGUSR1: the table of the connections, whose numbers are true, and the counters."""
    begun_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    server = c.start([*argv, *talk.options, "--idle-timeout", "60s"])
    with c.connect(server) as talks, c.connect(server) as silent, c.connect(server) as gone:
        talk.ask(c, gone)
        gone.close()
        moved = talk.ask(c, talks)
        with c.connect(server) as deaf:
            talk.go_deaf(deaf)
            seen = servers.wait_for_report(c, server, lambda seen: len(seen.connections) == 3)
            now_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            lines = seen.text.splitlines()
            c.equal("first lines", ["--- report", "connections 3"], lines[:2])
            c.equal("columns", COLUMNS, lines[2].split())
            c.equal("rows", 3, len(seen.connections), usually=seen.text)
            where = [(seen.of(client) or servers.Connection(0, "missing", "", None, 0, 0, 0, 0, 0))
                     for client in (talks, silent, deaf)]
            c.none("clients without a row", [one.peer for one in where if not one.state], usually=seen.text)
            c.equal("states", ["reading", "reading", talk.deaf_state], [one.state for one in where])
            c.equal("bytes received and sent", [moved, (0, 0)], [(one.received, one.sent) for one in where[:2]])
            c.at_least("bytes that wait for the one that does not read", 1, where[2].buffered)
            for one in where:
                c.expect(0 <= one.age_ms <= (now_ns - begun_ns) // 1_000_000, "age_ms",
                         expected=f"0 to {(now_ns - begun_ns) // 1_000_000}", seen=one.age_ms)
                c.expect(begun_ns + 60_000_000_000 <= one.closes_at_ns <= now_ns + 60_000_000_000, "closes_at_ns",
                         expected="60 s after its last byte, by CLOCK_MONOTONIC", seen=one.closes_at_ns)
                c.expect(os.readlink(f"/proc/{server.pid}/fd/{one.fd}").startswith("socket:"), "fd",
                         expected="a socket of the server", seen=one.fd)
            c.none("counters that are missing", [name for name in counters if name not in seen.counters],
                   usually=seen.text)
            c.equal("accepted and closed", (4, 1), (seen.counters["accepted"], seen.counters["closed"]))
            talk.check_deaf(c, where[2])
    talk.stop(c, server)


def statistics(c, argv, talk=Echo()) -> None:
    """--stats-interval 50ms, with the server stopped now and then for longer: the lines stay on the grid."""
    interval_s, lines = 0.05, []

    def read() -> list[float]:
        lines[:] = re.findall(r"^stats (\d+\.\d{9}) connections (\d+) accepted (\d+) received (\d+) sent (\d+)$",
                              server.stdout(), re.MULTILINE)
        return [float(line[0]) for line in lines]

    server = c.start([*argv, *talk.options, "--stats-interval", "50ms"])
    with c.connect(server) as client:
        moved = talk.ask(c, client)
        for _ in range(3):
            count = len(read())
            c.expect(c.wait_until(lambda count=count: len(read()) > count, STALL_S), "lines of --stats-interval",
                     expected="`stats SECONDS connections N accepted N received N sent N` every 50 ms",
                     seen="\n".join(server.stdout().splitlines()[-3:]))
            # Stopped right after a line, and for half an interval more than six: a timer that is set
            # from the time at which it ran would be half an interval off the grid from now on.
            server.signal(signal.SIGSTOP)
            time.sleep(6.5 * interval_s)
            count = len(read())
            server.signal(signal.SIGCONT)
            c.wait_until(lambda count=count: len(read()) >= count + 9, STALL_S)
            late_ms = sorted(1000 * (seconds % interval_s) for seconds in read()[count + 2 : count + 9])
            middle_ms = round(late_ms[len(late_ms) // 2], 1)
            c.at_most("milliseconds by which most lines are off the grid of 50 ms", 10, middle_ms,
                      usually="The next deadline is the last deadline plus the interval, not now plus the interval.")
        c.equal("the last line", ("1", "1", *map(str, moved)), lines[-1][1:])
    talk.stop(c, server)
