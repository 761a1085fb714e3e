"""What is measured: the servers of each workload, the load, and the bar where there is one."""

from dataclasses import dataclass, field

from . import nginx, servers

CONNECTIONS = 64
LIBRARIES = ("libuv", "libevent", "asio")
ECHO_MODES = ("lt", "et")

# name -> (bytes, the least ratio of messages per server-CPU second, None where it is only shown)
FILES = {"1 KiB": (1 << 10, 1.0), "4 KiB": (4 << 10, None), "64 KiB": (64 << 10, None), "1 MiB": (1 << 20, None)}
ECHO_BYTES = 64
ECHO_BAR = 0.97

# The same for the file server on a ring.
RING_FILE_BARS = {"1 KiB": 1.2, "4 KiB": 1.2, "64 KiB": 1.0, "1 MiB": 1.0}
CALLS_FILE = "1 KiB"
MOST_CALLS = 0.2
SPLICED = ("64 KiB", "1 MiB")
# What the client's window does not take at once is sent later by the client's acknowledgements, on
# the client's CPU. How far the kernel opens the window differs from server to server; not with a
# receive buffer whose size is set.
FIXED_WINDOW = ("1 MiB",)
RECEIVE_BUFFER = "128K"


@dataclass
class Workload:
    title: str
    protocol: str  # of the load client
    options: list
    message_bytes: int
    ours: servers.Server
    others: list
    bar: float  # or None
    beside: list = field(default_factory=list)  # measured as well, and no part of the bar
    counts_calls: bool = True
    most_calls: float = None  # system calls of ours for a message, where that has a bar
    most_latency: float = None  # with it: p50 and p99 of ours over the other's
    connections: int = CONNECTIONS

    def targets(self):
        return [self.ours, *self.others, *self.beside]


def echo(programs, cpu, stack):
    """All echo servers are started; one workload for each mode of ours."""
    ours = epoll_echoes(programs, cpu, stack)
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
    root = make_files(folder)
    ours = start_ours("epoll_http", [programs.epoll_reference, "http", "--root", root], cpu, stack)
    others = [stack.enter_context(nginx.start(form, folder, root, cpu)) for form in nginx.FORMS]
    return [
        Workload(f"HTTP, {name}", "http", paths(root, size), size, ours, others, bar)
        for name, (size, bar) in FILES.items()
    ]


def files(programs, cpu, folder, stack):
    """The file server on a ring in two forms: a workload for each file, form and kind of window."""
    root = make_files(folder)
    forms = {"read": start_ours("m2_read", [programs.file_server, "--root", root], cpu, stack),
             "splice": start_ours("m2_splice", [programs.file_server, "--splice", "--root", root], cpu, stack)}
    beside = [start_ours("epoll_http", [programs.epoll_reference, "http", "--root", root], cpu, stack)]
    others = [stack.enter_context(nginx.start(form, folder, root, cpu)) for form in nginx.FORMS]

    def workload(name, form, window, options):
        size = FILES[name][0]
        return Workload(f"{name}, {form}{window}", "http", [*paths(root, size), *options], size, forms[form], others,
                        RING_FILE_BARS[name], beside, counts_calls=name == CALLS_FILE,
                        most_calls=MOST_CALLS if name == CALLS_FILE else None)  # fmt: skip

    planned = []
    for name in RING_FILE_BARS:
        for form in forms if name in SPLICED else ("read",):
            planned.append(workload(name, form, "", []))
            if name in FIXED_WINDOW:
                planned.append(workload(name, form, ", fixed window", ["--receive-buffer", RECEIVE_BUFFER]))
    return planned


def make_files(folder):
    root = folder / "root"
    root.mkdir()
    for size, _ in FILES.values():
        pattern = bytes(range(256))
        (root / str(size)).write_bytes(pattern * (size // len(pattern)))
    return root


def paths(root, size):
    return ["--paths", f"/{size}", "--root", root]


def epoll_echoes(programs, cpu, stack):
    """The epoll reference's echo, one for each of ECHO_MODES."""
    return [start_ours(f"epoll_{mode}", [programs.epoll_reference, "echo", "--mode", mode], cpu, stack)
            for mode in ECHO_MODES]  # fmt: skip


def start_ours(name, command, cpu, stack):
    # No connection is closed for idleness while others are measured; the timers run all the same.
    command = [*command, "--port", "0", "--idle-timeout", "1h"]
    return stack.enter_context(servers.start(name, command, cpu))
