"""Runs the load client, and reads what it found."""

import json
import subprocess

from . import servers
from .failed import Failed

CONNECTIONS = 64


class Client:
    def __init__(self, program, cpu):
        self._program = program
        self._cpu = cpu

    def command(self, protocol, targets, options):
        return servers.pinned(self._cpu, [
            self._program, protocol, *(server.target() for server in targets),
            "--connections", CONNECTIONS, *options, "--json", "-"])  # fmt: skip

    def compare(self, protocol, targets, options, pairs, slice_ms):
        """The first of `targets` against each other one, in alternating slices."""
        options = [*options, "--pairs", pairs, "--slice", f"{slice_ms}ms"]
        slices_s = 2 * pairs * (len(targets) - 1) * slice_ms / 1000
        return run(self.command(protocol, targets, options), 60 + 3 * slices_s)


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
