"""What is measured: the servers of each workload, the load, and the bar where there is one."""

from dataclasses import dataclass

from . import nginx, servers

LIBRARIES = ("libuv", "libevent", "asio")
ECHO_MODES = ("lt", "et")

# name -> (bytes, the least ratio of messages per server-CPU second, None where it is only shown)
FILES = {"1 KiB": (1 << 10, 1.0), "4 KiB": (4 << 10, None), "64 KiB": (64 << 10, None), "1 MiB": (1 << 20, None)}
ECHO_BYTES = 64
ECHO_BAR = 0.97


@dataclass
class Workload:
    title: str
    protocol: str  # of the load client
    options: list
    message_bytes: int
    ours: servers.Server
    others: list
    bar: float  # or None

    def targets(self):
        return [self.ours, *self.others]


def echo(programs, cpu, stack):
    """All echo servers are started; one workload for each mode of ours."""
    # No connection is closed for idleness while others are measured; the timers run all the same.
    ours = [
        stack.enter_context(servers.start(
            f"epoll_{mode}",
            [programs.epoll_reference, "echo", "--mode", mode, "--port", "0", "--idle-timeout", "1h"],
            cpu))
        for mode in ECHO_MODES
    ]  # fmt: skip
    others = [
        stack.enter_context(servers.start(name, [programs.library(name), "--port", "0"], cpu))
        for name in LIBRARIES
    ]
    return [
        Workload(f"echo, {ECHO_BYTES} bytes, {mode}", "echo", ["--size", ECHO_BYTES], ECHO_BYTES,
                 server, others, ECHO_BAR)
        for mode, server in zip(ECHO_MODES, ours)
    ]


def http(programs, cpu, folder, stack):
    """One workload for each file, over the same servers."""
    root = folder / "root"
    root.mkdir()
    for size, _ in FILES.values():
        pattern = bytes(range(256))
        (root / str(size)).write_bytes(pattern * (size // len(pattern)))
    ours = stack.enter_context(servers.start(
        "epoll_http",
        [programs.epoll_reference, "http", "--root", root, "--port", "0", "--idle-timeout", "1h"], cpu))  # fmt: skip
    others = [stack.enter_context(nginx.start(form, folder, root, cpu)) for form in nginx.FORMS]
    return [
        Workload(f"HTTP, {name}", "http", ["--paths", f"/{size}", "--root", root], size, ours, others, bar)
        for name, (size, bar) in FILES.items()
    ]
