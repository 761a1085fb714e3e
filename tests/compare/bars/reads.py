"""Runs `m2_file_server bench read` and fio on the same file, and reads what they found."""

import shutil
import subprocess

from . import load, servers
from .failed import Failed

DEPTH = 64
RING = f"ring{DEPTH}-direct-buffers-files"
PREAD = "pread-direct"
THREADS = "threads-direct"

FIO = (
    "--name=read", "--readonly", "--ioengine=io_uring", "--direct=1", "--fixedbufs=1", "--registerfiles=1",
    f"--iodepth={DEPTH}", "--rw=randread", "--bs=4k", "--norandommap", "--randrepeat=0", "--time_based",
    "--output-format=json",
)  # fmt: skip
TIMEOUT_S = 60


def fio_version():
    if shutil.which("fio") is None:
        return "no fio"
    return subprocess.run(["fio", "--version"], capture_output=True, text=True, check=False).stdout.strip()


class Reader:
    def __init__(self, program, file, size, cpu):
        self._bench = [program, "bench", "read", "--file", file, "--size", size, "--json", "-"]
        self._file = file
        self._cpu = cpu

    def bench(self, names, pairs, slice_ms):
        """The bench's JSON for these contenders."""
        slices_s = pairs * len(names) * slice_ms / 1000
        command = [*self._bench, "--only", ",".join(names), "--pairs", pairs, "--slice", f"{slice_ms}ms"]
        result = load.run(servers.pinned(self._cpu, command), TIMEOUT_S + 3 * slices_s)
        if result["not_measured"]:
            raise Failed(result["not_measured"][0]["reason"])
        return result

    def ring(self, seconds):
        """(reads a second, CPU nanoseconds for each) of one run of the ring."""
        ours = self.bench([RING], 1, 1000 * seconds)["contenders"][0]
        return ours["reads_per_s"], ours["cpu_ns_per_read"]

    def fio(self, seconds):
        """The same of one run of fio."""
        if shutil.which("fio") is None:
            raise Failed("fio is not installed")
        command = ["fio", f"--filename={self._file}", f"--runtime={seconds}", *FIO]
        job = load.run(servers.pinned(self._cpu, command), TIMEOUT_S + 3 * seconds)["jobs"][0]
        reads_per_s = job["read"]["iops"]
        busy = (job["usr_cpu"] + job["sys_cpu"]) / 100
        return reads_per_s, busy * 1e9 / reads_per_s
