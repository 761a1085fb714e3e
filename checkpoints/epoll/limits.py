"""What our servers must keep to when something is scarce: memory, descriptors, time. `argv` is a server's command line,
and `talk` what its clients say (talks.py).

They look into the server from outside (strace, /proc) and take its options and its report for granted, so they are for
the servers of this repository; those on the ring keep to the same.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import resource
import socket
import time
from pathlib import Path

from epoll import servers
from epoll.clients import STALL_S, arriving, exchange, is_closed, narrow, noise, push, pushed, same_bytes, widen
from epoll.talks import Echo

EVERY_CALL = ["/."]  # of strace: all names with at least a letter
SPIN = "An event that stays true and is not handled comes again at once: take it out of what is waited for."
SYS_PIDFD_GETFD = 438  # the same number on every processor but Alpha


def rss_bytes(pid: int) -> int:
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def calls_during(c, server, seconds: float) -> list:
    """The system calls that began in the next seconds. One that blocks all the time is not among them."""
    begin = time.time()
    time.sleep(seconds)
    return list(server.live_trace.read(since=begin))


def wait_until_quiet(c, server, within_s: float = STALL_S, quiet_s: float = 0.5) -> bool:
    """True once the server has made no system call for a while."""

    def is_quiet() -> bool:
        before = server.live_trace.size()
        time.sleep(quiet_s)
        return server.live_trace.size() == before

    return c.wait_until(is_quiet, within_s)


def falls_asleep(c, server, what: str, usually: str = SPIN) -> None:
    if wait_until_quiet(c, server, within_s=5):
        c.expect(True, what)
        return
    c.equal(f"system calls in a tenth of a second of {what}", 0, len(calls_during(c, server, 0.1)), usually=usually)


def memory_bounded(c, argv, clients: int = 40, limit: int = 128 << 10) -> None:
    """Clients that send and never read: the server keeps at most its limit for each."""
    server = c.start([*argv, "--max-buffered", str(limit), "--idle-timeout", "10min"])
    exchange_once(c, server)
    before = rss_bytes(server.pid)
    block = noise(1 << 20)
    with contextlib.ExitStack() as stack:
        slow = [narrow(stack.enter_context(c.connect(server))) for _ in range(clients)]
        for client in slow[:2]:
            push(client, block, 64 << 20)
        for client in slow[2:]:
            push(client, block, 8 << 20, quiet_s=0.05)
        seen = servers.wait_for_report(c, server, lambda seen: all(
            one.state == "stopped" for one in seen.connections), 5)
        c.none("clients that read nothing and are read from",
               [f"{one.peer} {one.state}, {one.buffered} bytes wait" for one in seen.connections
                if one.state != "stopped"], usually="At the limit nothing more is read from this client.")
        c.equal("connections in the report", clients, len(seen.connections))
        c.at_most("bytes that wait for one client", limit, max(one.buffered for one in seen.connections),
                  usually="Read only as much as there is room for: what was read can not be put back.")
        c.at_most("bytes of memory for a client that does not read", 2 * limit,
                  (rss_bytes(server.pid) - before) // clients,
                  usually="The buffer grew beyond its limit, or keeps what was sent long ago.")
        exchange_once(c, server)
    c.stop(server)


def exchange_once(c, server) -> None:
    with c.connect(server) as client:
        same_bytes(c, "echo", b"hello", exchange(client, b"hello"))


def sleeps(c, argv, seconds: int, talk=Echo()) -> None:
    """Silent clients of an echo server, and one that reads a byte a second: none of them wakes the server."""
    server = c.start([*argv, *talk.options, "--idle-timeout", "10min"], strace_calls=EVERY_CALL)
    block = noise(1 << 20)
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(c.connect(server)) for _ in range(20)]
        slow = narrow(stack.enter_context(c.connect(server)))
        sent = push(slow, block, 64 << 20)
        falls_asleep(c, server, "a server that waits for a client")
        begin, seen = time.time(), b""
        for _ in range(seconds):
            seen += arriving(slow, 1)
            time.sleep(1)
        c.equal("bytes that the slow client read", seconds, len(seen))
        c.none(f"system calls in {seconds} s in which a client read {seconds} bytes",
               [call.line for call in server.live_trace.read(since=begin)], usually=SPIN)
        # And when everything has been read it sleeps again.
        widen(slow)
        seen += arriving(slow, sent - seconds)
        same_bytes(c, "what the slow client got in the end", pushed(block, sent), seen)
        falls_asleep(c, server, "a server with nothing to do",
                     "EPOLLOUT is armed although nothing waits: it is true nearly always, and comes at once.")
        for client in (silent[0], slow):
            talk.ask(c, client)
    talk.stop(c, server)


def _answered(talk, clients: list[socket.socket]) -> list[socket.socket]:
    """Those whose message has been answered by now; each has sent it already."""
    return [client for client in clients if talk.is_answered(client)]


def _one_after_another(c, talk, clients: list[socket.socket], what: str) -> None:
    """Each answered client leaves, which must let another one in, until all have been served."""
    waiting, served = list(clients), 0
    while waiting:
        c.wait_until(lambda: _answered(talk, waiting), STALL_S)
        answered = _answered(talk, waiting)
        c.expect(answered, what, expected=f"all {len(clients)} are served, as others leave",
                 seen=f"{served} were, and {len(waiting)} wait for ever",
                 usually="Accepting was paused, and not resumed when a connection closed.")
        for client in answered:
            waiting.remove(client)
            client.close()
        served += len(answered)


def leave_descriptors(pid: int, spare: int) -> None:
    """Lowers the limit so that the process can open so many more. It bounds their numbers, not how many are open."""
    used = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
    free = [number for number in range(len(used) + spare + 1) if number not in used]
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free[spare], hard))


def _wait_until_without_clients(c, server) -> None:
    c.wait_until(lambda: servers.sockets(server.pid) == 1)


def descriptors_run_out(c, argv, talk=Echo(), armed: int = 0, env: dict | None = None) -> None:
    """With RLIMIT_NOFILE lowered under it the server serves whom it can, does not spin, and goes on later. `armed`:
    so many accepts wait in the kernel, which keep to the limit of when they were prepared."""
    server = c.start([*argv, *talk.options], env, strace_calls=EVERY_CALL)
    with c.connect(server) as client:
        talk.ask(c, client)
    _wait_until_without_clients(c, server)
    before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    leave_descriptors(server.pid, 5)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(c.connect(server)) for _ in range(20)]
        for client in clients:
            talk.send(client)
        wait_until_quiet(c, server, within_s=2)
        c.at_most("system calls in a second without descriptors", 30, len(calls_during(c, server, 1)),
                  usually="EMFILE leaves the connection in the backlog, so the listener stays readable: " + SPIN)
        served = len(_answered(talk, clients))
        c.expect(1 <= served <= 5, "clients served with 5 descriptors to spare", expected="1 to 5", seen=served)
        _one_after_another(c, talk, clients, "clients that came when no descriptor was left")
    # With no connection of its own, only time can tell that there are descriptors again.
    _wait_until_without_clients(c, server)
    leave_descriptors(server.pid, 0)
    for _ in range(armed):
        with c.connect(server) as client:
            talk.ask(c, client)
    _wait_until_without_clients(c, server)
    with c.connect(server) as client:
        talk.send(client)
        c.at_most("system calls in half a second with no descriptor and no connection", 60,
                  len(calls_during(c, server, 0.5)), usually=SPIN)
        c.equal("clients served without a descriptor", [], _answered(talk, [client]))
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
        c.wait_until(lambda: _answered(talk, [client]), STALL_S)
        c.equal("clients served when the limit was raised again", 1, len(_answered(talk, [client])),
                usually="No connection of its own will close and wake it: it must try again after a while.")
    talk.stop(c, server)


def most_connections(c, argv, talk=Echo()) -> None:
    """Beyond --max-connections clients wait in the backlog, at no cost, and are served as others leave."""
    server = c.start([*argv, *talk.options, "--max-connections", "5"], strace_calls=EVERY_CALL)
    with contextlib.ExitStack() as stack:
        with servers.held(server):  # so that it finds all of them at once
            clients = [stack.enter_context(c.connect(server)) for _ in range(20)]
            for client in clients:
                talk.send(client)
        c.wait_until(lambda: len(_answered(talk, clients)) == 5, STALL_S)
        wait_until_quiet(c, server, within_s=2)
        c.equal("clients served with --max-connections 5", 5, len(_answered(talk, clients)))
        c.at_most("system calls in a second while 15 wait", 10, len(calls_during(c, server, 1)),
                  usually="The listener stays readable while somebody waits: " + SPIN)
        _one_after_another(c, talk, clients, "clients that came when the server was full")
        late = []
        for _ in range(2):  # the second five come when accepting has been paused for the first
            for _ in range(5):
                late.append(stack.enter_context(c.connect(server)))
                talk.send(late[-1])
            c.wait_until(lambda: len(_answered(talk, late)) == 5, STALL_S)
        _one_after_another(c, talk, late, "clients that came when it was full again")
    talk.stop(c, server)


def idle_timeout(c, argv, talk=Echo()) -> None:
    """A silent client is closed in time, one that talks is not, and one that does not read is silent."""
    server = c.start([*argv, *talk.options, "--idle-timeout", "1s"])
    with c.connect(server) as silent, c.connect(server) as talks, c.connect(server) as deaf:
        begin = time.monotonic()
        talk.ask(c, talks)
        talk.go_deaf(deaf)
        deaf_since = time.monotonic()
        closed_after = None
        while time.monotonic() - begin < 2.5:
            talk.ask(c, talks, usually="Its idle timeout was not moved by what it said.")
            if closed_after is None and is_closed(silent):
                closed_after = time.monotonic() - begin
            time.sleep(0.05)
        c.wait_until(lambda: is_closed(silent), 5)
        c.expect(is_closed(silent), "a silent client with --idle-timeout 1s", expected="it is closed",
                 seen="it is open after 7 s")
        if closed_after is not None:
            c.at_least("seconds until it was closed", 0.9, closed_after)
        c.wait_until(lambda: servers.report(c, server).of(deaf) is None, 5)
        c.expect(servers.report(c, server).of(deaf) is None, "a client that has not read for long",
                 expected="it is closed", seen=f"it is open after {time.monotonic() - deaf_since:.1f} s",
                 usually="Bytes that wait are no activity: only bytes that move are.")
    talk.stop(c, server)


def borrowed_fd(pid: int, fd: int) -> int:
    """A descriptor of ours for what `fd` is in that process. The caller closes it."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    try:
        copy = libc.syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)
    finally:
        os.close(pidfd)
    if copy < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return copy


def no_delay(c, argv, talk=Echo()) -> None:
    """The accepted socket itself, borrowed from the server, says that Nagle's algorithm is off."""
    server = c.start([*argv, *talk.options])
    with c.connect(server) as client:
        talk.ask(c, client)
        asked = 0
        for fd in os.listdir(f"/proc/{server.pid}/fd"):
            if not os.readlink(f"/proc/{server.pid}/fd/{fd}").startswith("socket:"):
                continue
            try:
                copy = socket.socket(fileno=borrowed_fd(server.pid, int(fd)))
            except OSError as error:
                c.skip(f"a descriptor of another process cannot be borrowed here: {error}")
            with copy, contextlib.suppress(OSError):  # the listener has no peer
                if copy.getpeername() == client.getsockname():
                    asked += 1
                    c.equal("TCP_NODELAY of the accepted socket", 1,
                            copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY),
                            usually="Set it on the listener: the sockets that are accepted from it inherit it.")
        c.equal("accepted sockets of the client", 1, asked)
    talk.stop(c, server)


def ipv6(c, argv, talk=Echo()) -> None:
    if not Path("/proc/net/if_inet6").exists() or "::1" not in _ipv6_addresses():
        c.skip("this machine has no IPv6 on its loopback interface")
    server = c.start([*argv, *talk.options, "--bind", "::1"])
    c.equal("address in the first line", f"listening on [::1]:{server.port}", server.stdout().splitlines()[0])
    with c.connect(server) as client:
        talk.ask(c, client)
        c.expect(servers.report(c, server).of(client), "the report", expected="it has the client as [::1]:PORT",
                 seen=servers.report(c, server).text)
    talk.stop(c, server)


def _ipv6_addresses() -> list[str]:
    lines = Path("/proc/net/if_inet6").read_text().splitlines()
    return [socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line.split()[0])) for line in lines]


def refuses(c, argv, *words: str, says: str) -> None:
    """It does not start: status 2, and one sentence on standard error that contains `says`."""
    shown = " ".join(words)
    result = c.run([*argv, *words])
    c.equal(f"exit status with {shown}", 2, result.status)
    c.equal(f"standard output with {shown}", "", result.stdout, usually="What went wrong belongs on standard error.")
    c.equal(f"lines on standard error with {shown}", 1, len(result.stderr.splitlines()),
            usually=result.stderr or "It says nothing.")
    c.contains(f"the sentence for {shown}", says, result.stderr)


def impossible_starts(c, argv) -> None:
    """`argv` has no --port yet."""
    refuses(c, argv, "--no-such-option", says="no-such-option")
    refuses(c, argv, "--port", "70000", says="port")
    refuses(c, argv, "--port", "http", says="port")
    refuses(c, argv, "--port", "0", "--idle-timeout", "soon", says="idle-timeout")
    refuses(c, argv, "--port", "0", "--max-connections", "0", says="max-connections")
    refuses(c, argv, "--port", "0", "--bind", "nowhere", says="nowhere")
    refuses(c, argv, "--port", "0", "--bind", "192.0.2.1", says="192.0.2.1")  # no address of this machine
    server = c.start([*argv, "--port", "0"])
    refuses(c, argv, "--port", str(server.port), says=str(server.port))
    c.stop(server)
