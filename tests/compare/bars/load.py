"""Runs the load client, and reads what it found."""

import json
import subprocess

from . import servers
from .failed import Failed


# For each server: until all of its memory has been touched once.
WARMUP_S = 1


class Client:
    def __init__(self, program, cpu):
        self._program = program
        self._cpu = cpu

    def command(self, workload, targets, options):
        """What puts the workload's load on these of its servers; `options` come on top of its own."""
        return servers.pinned(self._cpu, [
            self._program, workload.protocol, *(server.target() for server in targets),
            "--connections", workload.connections, *workload.options, *options, "--json", "-"])  # fmt: skip

    def compare(self, workload, pairs, slice_ms):
        """The workload's server of ours against each other one, in alternating slices."""
        targets = workload.targets()
        slices_s = 2 * pairs * (len(targets) - 1) * slice_ms / 1000
        timing = ["--warmup", f"{WARMUP_S}s", "--pairs", pairs, "--slice", f"{slice_ms}ms"]
        command = self.command(workload, targets, timing)
        return run(command, 60 + 3 * slices_s)


def run(command, timeout_s):
    """The JSON on stdout of a command that ends with the load client."""
    return json.loads(output(command, timeout_s))


def output(command, timeout_s):
    """What a command that ends by itself writes to stdout."""
    child = servers.launch(command)
    try:
        text, said = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise Failed(f"still running after {timeout_s:.0f} s") from None
    finally:
        servers.stop(child)
    if child.returncode != 0:
        raise Failed(f"status {child.returncode}: {said.strip()[-500:]}")
    return text
