"""--watch: rebuild and run again whenever a source file changes."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

_SUFFIXES = (".cpp", ".hpp", ".h", ".c", ".py", ".cmake", "CMakeLists.txt")
_IGNORED = {"build", ".git", "__pycache__"}
_PAUSE_S = 0.5


def snapshot(root: Path) -> dict[str, int]:
    """Path -> time of the last change, of every source file."""
    found = {}
    for folder, below, files in os.walk(root):
        below[:] = [name for name in below if name not in _IGNORED]
        for name in files:
            if name.endswith(_SUFFIXES):
                path = os.path.join(folder, name)
                try:
                    found[path] = os.stat(path).st_mtime_ns
                except FileNotFoundError:
                    pass  # an editor replaced it while we looked
    return found


def changed(before: dict[str, int], after: dict[str, int]) -> list[str]:
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def build(build_dir: Path) -> bool:
    print(f"\n--- cmake --build {build_dir}", flush=True)
    return subprocess.run(["cmake", "--build", str(build_dir)], check=False).returncode == 0


def watch(root: Path, build_dir: Path, run_once) -> None:
    """Calls run_once() now and after each change that builds. Ends with Ctrl-C."""
    before = snapshot(root)
    run_once()
    while True:
        print("\nWaiting for a change (Ctrl-C ends it).", flush=True)
        while snapshot(root) == before:
            time.sleep(_PAUSE_S)
        after = snapshot(root)
        for path in changed(before, after)[:5]:
            print(f"changed: {os.path.relpath(path, root)}")
        before = after
        if build(build_dir):
            run_once()
