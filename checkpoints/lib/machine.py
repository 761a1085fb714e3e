"""What this machine allows: asked once, used by the header, by --doctor, and to decide skips."""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import platform
import re
import resource
import shutil
import subprocess
from pathlib import Path

from . import tracepoints

SYS_IO_URING_SETUP = 425  # the same number on every processor but Alpha


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


@functools.cache
def io_uring_refused() -> str | None:
    """None when io_uring_setup works here, else why not and which knob decides it."""
    libc = ctypes.CDLL(None, use_errno=True)
    params = ctypes.create_string_buffer(120)  # struct io_uring_params, all zero
    fd = libc.syscall(SYS_IO_URING_SETUP, 1, params)
    if fd >= 0:
        os.close(fd)
        return None
    error = ctypes.get_errno()
    name = errno.errorcode.get(error, str(error))
    disabled = _read("/proc/sys/kernel/io_uring_disabled")
    if disabled == "2":
        return "io_uring is off on this machine: sysctl kernel.io_uring_disabled=0 allows it"
    if disabled == "1" and os.geteuid() != 0:
        return "io_uring is off for this user: sysctl kernel.io_uring_disabled=0, or join the group kernel.io_uring_group"
    if name == "ENOSYS" and platform_kernel() < (5, 1):
        return f"io_uring needs Linux 5.10 here, this is {platform.release()}"
    if name in ("EPERM", "ENOSYS"):
        return (f"io_uring_setup gives {name}: a seccomp filter refuses it, as containers' default profiles do "
                "(docker run --security-opt seccomp=unconfined)")
    return f"io_uring_setup gives {name} ({os.strerror(error)})"


def platform_kernel() -> tuple[int, int]:
    major, minor = re.match(r"(\d+)\.(\d+)", platform.release()).groups()
    return int(major), int(minor)


@functools.cache
def strace_refused() -> str | None:
    if not shutil.which("strace"):
        return "strace is not installed (apt-get install strace)"
    trial = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    if trial.returncode != 0:
        said = trial.stderr.strip().splitlines()
        return f"strace may not trace here: {said[-1] if said else 'no reason given'} (a container without SYS_PTRACE?)"
    return None


@functools.cache
def perf_refused() -> str | None:
    if not shutil.which("perf"):
        return "perf is not installed (Debian: linux-perf, Ubuntu: linux-tools-generic)"
    trial = subprocess.run(["perf", "--version"], capture_output=True, text=True, check=False)
    return None if trial.returncode == 0 else "the perf installed does not fit this kernel"


def root_refused() -> str | None:
    if os.geteuid() == 0:
        return None
    return "needs root (sudo ./checkpoints/run --build-dir build/release)"


@functools.cache
def tracepoints_refused() -> str | None:
    return tracepoints.why_unavailable()


# The names that a checkpoint's `needs` may hold; each gives None or the reason for a skip.
NEEDS = {
    "io_uring": io_uring_refused,  # implied for every milestone but epoll
    "root": root_refused,
    "strace": strace_refused,
    "tracepoints": tracepoints_refused,  # c.perf_trace() and c.tracepoints()
    "perf": perf_refused,  # the perf program itself
}


def why_skipped(needs: list[str]) -> str | None:
    """The first reason why a checkpoint with these needs cannot run here."""
    for need in needs:
        if need.startswith("kernel>="):
            version = tuple(int(part) for part in need.removeprefix("kernel>=").split("."))
            reason = None if platform_kernel() >= version else f"needs Linux {need[8:]}, this is {platform.release()}"
        elif need.startswith("tool:"):
            tool = need.removeprefix("tool:")
            reason = None if shutil.which(tool) else f"needs the program {tool}"
        else:
            reason = NEEDS[need]()
        if reason:
            return reason
    return None


def distribution() -> str:
    match = re.search(r'^PRETTY_NAME="?([^"\n]*)', _read("/etc/os-release"), re.MULTILINE)
    return match.group(1) if match else "unknown distribution"


def container() -> str:
    """"docker", "podman", ... or "" when this does not look like a container."""
    if os.path.exists("/run/.containerenv"):
        return "podman"
    if os.path.exists("/.dockerenv"):
        return "docker"
    return _read("/run/systemd/container")


def seccomp() -> str:
    match = re.search(r"^Seccomp:\s+(\d)", _read("/proc/self/status"), re.MULTILINE)
    return {"0": "no filter", "1": "strict", "2": "a filter is on"}.get(match.group(1) if match else "", "unknown")


def cpus() -> int:
    return len(os.sched_getaffinity(0))


def _size(number: int) -> str:
    if number == resource.RLIM_INFINITY:
        return "unlimited"
    return f"{number // 1024} KiB" if number < 16 << 20 else f"{number >> 20} MiB"


def memlock() -> str:
    return _size(resource.getrlimit(resource.RLIMIT_MEMLOCK)[0])


def nofile() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def tool_version(name: str, *options: str) -> str:
    """The first line of `name --version`, or "" when there is no such program."""
    if not shutil.which(name):
        return ""
    done = subprocess.run([name, *(options or ("--version",))], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines and done.returncode == 0 else "(does not run)"


def facts() -> dict[str, object]:
    """What the header prints and --json keeps."""
    soft, hard = nofile()
    return {
        "kernel": platform.release(),
        "processor": platform.machine(),
        "distribution": distribution(),
        "cpus": cpus(),
        "user": "root" if os.geteuid() == 0 else "not root",
        "container": container(),
        "io_uring": io_uring_refused() or "allowed",
        "io_uring_disabled": _read("/proc/sys/kernel/io_uring_disabled") or "(no such knob before Linux 6.6)",
        "seccomp": seccomp(),
        "open_files_limit": soft,
        "open_files_limit_hard": hard,
        "locked_memory_limit": memlock(),
        "strace": strace_refused() or "works",
        "tracepoints": tracepoints_refused() or "readable",
        "perf": perf_refused() or "works",
        "perf_event_paranoid": _read("/proc/sys/kernel/perf_event_paranoid"),
        "ptrace_scope": _read("/proc/sys/kernel/yama/ptrace_scope") or "(no Yama)",
    }


def header() -> str:
    known = facts()
    container_note = f", in {known['container']}" if known["container"] else ""
    seen = [("strace", known["strace"] == "works"), ("tracepoints", known["tracepoints"] == "readable")]
    watch = ", ".join(f"{name} {'yes' if works else 'no'}" for name, works in seen)
    return (
        f"Linux {known['kernel']} {known['processor']}, {known['cpus']} CPUs, {known['distribution']}, "
        f"{known['user']}{container_note}\n"
        f"io_uring {known['io_uring']}; open files {known['open_files_limit']}, "
        f"locked memory {known['locked_memory_limit']}; {watch}"
    )
