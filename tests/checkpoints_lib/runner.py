"""Starts checkpoints/run's Python part on the fixtures."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
PROGRAMS = HERE / "fixtures/programs"


class Outcome:
    def __init__(self, done, document):
        self.status = done.returncode
        self.text = done.stdout
        self.errors = done.stderr
        self.last_line = done.stdout.rstrip().rpartition("\n")[2]
        self.document = document
        self.results = {r["name"]: r for r in document["checkpoints"]} if document else {}


def run_checkpoints(*options, only=None, env=None, checkpoints=HERE / "fixtures/checkpoints"):
    """The fixture checkpoints, or the one that is named."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        argv = [sys.executable, "-B", str(PROJECT / "checkpoints/lib"), "--checkpoints-dir", str(checkpoints)]
        argv += ["--build-dir", directory, "--json", str(report)]
        argv += (["--only", only] if only else []) + [str(option) for option in options]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={**os.environ, **(env or {})}, timeout=120, check=False)
        document = json.loads(report.read_text()) if report.exists() else None
    return Outcome(done, document)
