"""How many system calls a server makes for a message: counted by perf from outside, which disturbs
it little; by strace, which slows it down a lot, where perf may not."""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from . import load, servers
from .failed import Failed

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "checkpoints"))
from lib.tracepoints import why_unavailable as why_no_tracepoints  # it mounts tracefs, where that is missing  # noqa: E402

MESSAGES = 20000  # fewer of large ones, more on many connections
MESSAGES_PER_CONNECTION = 200
BYTES = 2 << 30
TIMEOUT_S = 60

# The ones that are told apart. What a server calls besides is in the total.
NAMES = (
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "read", "readv", "pread64", "recvfrom",
    "recvmsg", "write", "writev", "sendto", "sendmsg", "sendfile64", "setsockopt", "openat", "openat2",
    "newfstatat", "newfstat", "statx", "close", "timerfd_settime", "io_uring_enter", "io_uring_register",
)  # fmt: skip
SHOWN_FROM = 0.005  # calls per message


def per_message(client, workload, server):
    """(who counted, {name: calls per message, "total": ...}) of a run against `server` alone. The
    calls for connecting and closing are among them: a few for each of the connections."""
    requests = min(max(MESSAGES, MESSAGES_PER_CONNECTION * workload.connections), BYTES // workload.message_bytes)
    options = ["--requests", requests, "--duration", f"{TIMEOUT_S // 2}s", "--warmup", "0"]
    command = client.command(workload, [server], options)
    with tempfile.NamedTemporaryFile("r", prefix="bars.") as counts:
        if perf_works():
            counter, calls, result = "perf", *by_perf(server.pid, command, counts)
        else:
            counter, calls, result = "strace", *by_strace(server.pid, command, counts)
    messages = result["targets"][0]["messages"]
    return counter, {name: count / messages for name, count in calls.items()}


def tracepoints():
    for tracing in (Path("/sys/kernel/tracing"), Path("/sys/kernel/debug/tracing")):
        try:
            return {entry.name for entry in (tracing / "events" / "syscalls").iterdir()}
        except OSError:
            continue
    return set()


def perf_works():
    return shutil.which("perf") is not None and why_no_tracepoints() is None and bool(tracepoints())


def by_perf(pid, command, counts):
    """perf counts the events of `pid` for as long as the command runs."""
    known = tracepoints()
    events = ["raw_syscalls:sys_enter"]
    events += [f"syscalls:sys_enter_{name}" for name in NAMES if f"sys_enter_{name}" in known]
    result = load.run(
        ["perf", "stat", "-x", ",", "-o", counts.name, "-e", ",".join(events), "-p", str(pid), "--",
         *command], TIMEOUT_S)  # fmt: skip
    calls = {}
    for line in counts:
        found = re.match(r"(\d+),[^,]*,(?:raw_syscalls:sys_enter|syscalls:sys_enter_(\w+)),", line)
        if found:
            calls[found[2] or "total"] = int(found[1])
    if "total" not in calls:
        raise Failed("perf counted nothing")
    return calls, result


def by_strace(pid, command, counts):
    if shutil.which("strace") is None:
        raise Failed("system calls are counted with perf (as root) or strace: neither works here")
    tracer = subprocess.Popen(
        ["strace", "-f", "-c", "-o", counts.name, "-p", str(pid)],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)  # fmt: skip
    try:
        if "attached" not in tracer.stderr.readline():
            raise Failed("strace may not trace here")
        result = load.run(command, TIMEOUT_S)
    finally:
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)  # it detaches and writes its table
        tracer.wait(servers.STOP_TIMEOUT_S)
        tracer.stderr.close()
    calls = {}
    for line in counts:
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d*\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found:
            calls[found[2]] = int(found[1])
    return calls, result
