"""What our servers of files must keep to over time: slow requests, slow readers, the end. See limits.py."""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import time

from epoll import servers
from epoll.clients import STALL_S, difference, is_closed, narrow, same_bytes, widen
from epoll.http_client import HttpClient, make_file, request
from epoll.life import DRAINS, ends, refused
from epoll.limits import EVERY_CALL, SPIN, calls_during, falls_asleep, leave_descriptors, rss_bytes
from epoll.wire_http import HELLO, is_hello, serving, small_tree


def _until_closed(c, client, what: str, least_s: float, begin: float) -> bytes:
    """Whatever is said before the connection ends, which must be in time."""
    seen = client.rest(f"after {what}")
    c.at_least(f"seconds until {what} was closed", least_s, time.monotonic() - begin)
    c.at_most(f"seconds until {what} was closed", 5, time.monotonic() - begin,
              usually="The timer is set again by each byte, or was never set.")
    return seen


def slow_requests(c, argv) -> None:
    """--header-timeout 700ms: silence, half a head, and a head that comes byte by byte all end in time."""
    with serving(c, [*argv, "--header-timeout", "700ms"], small_tree(c)) as server:
        with HttpClient(c, server) as silent, HttpClient(c, server) as half, HttpClient(c, server) as drips, \
                HttpClient(c, server) as keeps, HttpClient(c, server) as second:
            begin = time.monotonic()
            half.send(b"GET /hello.txt HTTP/1.1\r\nHost: loc")
            is_hello(c, "at once", keeps.ask("/hello.txt"))
            is_hello(c, "before half a second request", second.ask("/hello.txt"))
            second_begin = time.monotonic()
            second.send(b"GET /hel")
            with contextlib.suppress(OSError):
                for byte in request("/hello.txt", "X: " + "x" * 1000):
                    if is_closed_for_writing(drips) or time.monotonic() - begin > 6:
                        break
                    drips.send(bytes([byte]))
                    time.sleep(0.05)
            for client, what, since in ((half, "half a head", begin), (drips, "a head in drips", begin),
                                        (second, "half a second head", second_begin)):
                seen = _until_closed(c, client, what, 0.6, since)
                c.expect(not seen or seen.startswith(b"HTTP/1.1 408 "), f"answer to {what}", expected="408, or none",
                         seen=seen[:100])
            _until_closed(c, silent, "a client that says nothing", 0.6, begin)
            is_hello(c, "after more than a header timeout of silence between requests", keeps.ask("/hello.txt"),
                     usually="The header timeout begins with a request's first byte; silence before it is idle time.")


def is_closed_for_writing(client: HttpClient) -> bool:
    client.socket.setblocking(False)
    try:
        return client.socket.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        client.socket.settimeout(STALL_S)


def slow_readers(c, argv) -> None:
    """Clients that ask for a large file and do not read it: no memory, no wake-up, no harm to others, no byte lost."""
    root = small_tree(c)
    data = make_file(root / "large", 24 << 20).read_bytes()
    server = c.start([*argv, "--root", root, "--idle-timeout", "10min"], strace_calls=EVERY_CALL)
    with HttpClient(c, server) as client:
        is_hello(c, "first", client.ask("/hello.txt"))
    before = rss_bytes(server.pid)
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(HttpClient(c, server)) for _ in range(20)]
        for client in slow:
            narrow(client.socket)
            client.send(request("/large") * 10)
        falls_asleep(c, server, "a server that waits for clients")
        c.none("system calls in a second in which nobody reads", [call.line for call in calls_during(c, server, 1)],
               usually=SPIN)
        c.at_most("bytes of memory for a client that does not read its file", 512 << 10,
                  (rss_bytes(server.pid) - before) // len(slow),
                  usually="The file is read into memory as a whole: send a piece, then read the next.")
        with HttpClient(c, server) as client:
            is_hello(c, "beside them", client.ask("/hello.txt"))
        reader = slow[0]
        widen(reader.socket)
        same_bytes(c, "the large file, read late", data, reader.response().body)
    servers.stop_files(c, server)


def drain(c, argv) -> None:
    """SIGTERM in the middle of an answer: it ends whole, with the connection; idle ones are closed at once."""
    root = small_tree(c)
    data = make_file(root / "large", 24 << 20).read_bytes()
    server = c.start([*argv, "--root", root, "--drain-timeout", "20s"])
    with HttpClient(c, server) as busy, HttpClient(c, server) as idle:
        is_hello(c, "first", idle.ask("/hello.txt"))
        narrow(busy.socket)
        busy.send(request("/large") + request("/hello.txt"))
        answer = busy.head()
        c.equal("status", 200, answer.status)
        server.signal(signal.SIGTERM)
        c.expect(c.wait_until(lambda: is_closed(idle.socket), STALL_S), "an idle client",
                 expected="it is closed at once", seen="it is open", usually=DRAINS)
        c.expect(c.wait_until(lambda: refused(server)), "a new client", expected="it is refused",
                 seen="it is connected", usually=DRAINS)
        widen(busy.socket)
        seen = busy.rest()
        c.expect(seen[: len(data)] == data, "the answer under way", expected=f"all {len(data)} bytes",
                 seen=difference(data, seen[: len(data)]), usually=DRAINS)
        c.expect(seen.count(HELLO) <= 1, "what follows it", expected="nothing, or the next answer",
                 seen=seen[len(data):][:200])
    ends(c, server, "the end after the last byte")
    c.stop(server)


def no_descriptor_for_a_file(c, argv) -> None:
    """A request for a file that cannot be opened for lack of descriptors: 503, and the connection goes on."""
    root = small_tree(c)
    with serving(c, argv, root) as server, HttpClient(c, server) as client:
        c.equal("status of what is not there", 404, client.ask("/missing").status)
        before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        leave_descriptors(server.pid, 0)
        for _ in range(3):
            answer = client.ask("/hello.txt")
            c.equal("status without a descriptor for the file", 503, answer.status,
                    usually="EMFILE says nothing about the file: neither 404 nor 500 is true.")
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
        is_hello(c, "when there are descriptors again", client.ask("/hello.txt"))
        # With a file open that nobody uses now, there is one to give up for another.
        leave_descriptors(server.pid, 0)
        c.equal("another file, for which the first is given up", b"<p>a page</p>\n",
                client.ask("/folder/page.html").body)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
