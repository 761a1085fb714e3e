"""The load client of this repository, as a checkpoint uses it: what it found, as its --json says."""

from __future__ import annotations

import json
import resource

PROGRAM = "load_client"


def descriptors(c, count: int) -> None:
    """Raises our limit on open files, which what we start inherits, or skips."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        c.skip(f"{count} open files are needed, and the hard limit is {hard} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def run(c, protocol: str, server, *options: object, timeout: float = 60) -> dict:
    """The result for one server, without any error. See checkpoints/load_client for the options."""
    path = c.temp_dir() / "result.json"
    host = f"[{server.address}]" if ":" in server.address else server.address
    argv = [c.program(PROGRAM), protocol, f"server={host}:{server.port}", "--json", path, *options]
    result = c.run(argv, timeout=timeout)
    c.expect(path.exists(), "the load client", expected="it writes its results", seen=result.stderr)
    target = json.loads(path.read_text())["targets"][0]
    c.none("errors that the load client counted",
           [f"{name}: {count}" for name, count in target["errors"].items() if count],
           usually=result.stderr or "A byte was lost, or a connection closed in the middle.")
    c.equal("exit status of the load client", 0, result.status, usually=result.stderr)
    c.at_least("messages", 1, target["messages"])
    return target
