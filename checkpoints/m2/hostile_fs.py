"""A filesystem that answers reads in pieces, late, or with errors: tests/hostile_fs over a folder.

    with hostile_fs.mounted(c, source, "--piece", 3000) as folder:
        with server.serving(c, folder) as running: ...
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from lib.model import Failure

PROGRAM = "hostile_fs"


@contextlib.contextmanager
def mounted(c, source: Path, *options: object) -> Iterator[Path]:
    """The folder where the files of `source` show, with these options of hostile_fs (its --help lists them). It
    is unmounted at the end, however the check ends. Skips the check where this cannot be had."""
    program = _program_or_skip(c)
    _unmount_dead_ones()
    place = c.temp_dir()
    process = c.start([program, source, place, *options], first_line=None)
    try:
        c.wait_until(lambda: "\n" in process.stdout() or process.status is not None)
        if process.status is not None:
            c.skip(f"FUSE cannot mount here: {process.stderr().strip()}")
        c.equal("the first line of hostile_fs", f"mounted on {place}\n", process.stdout())
        yield place
        c.stop(process, fds_may_differ="the kernel closes files in its own time")
    finally:
        if process.status is None:  # the check failed: nothing may stay behind all the same
            process.signal(signal.SIGTERM)
            process.wait(2)
        if os.path.ismount(place) or _is_dead(place):
            _unmount(place)


def _program_or_skip(c) -> str:
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        c.skip("/dev/fuse cannot be used here")
    if os.geteuid() != 0 and not shutil.which("fusermount3"):
        c.skip("needs root, or the program fusermount3 (package fuse3)")
    try:
        return c.program(PROGRAM)
    except Failure:
        c.skip("hostile_fs is not built: it needs libfuse3-dev and pkg-config")


def _unmount(place: str | Path) -> None:
    """At once, also when files are open there."""
    words = ["umount", "-l"] if os.geteuid() == 0 else ["fusermount3", "-u", "-z"]
    subprocess.run([*words, str(place)], stderr=subprocess.DEVNULL, check=False)


def _is_dead(place: str | Path) -> bool:
    """Mounted, and the process that served it is gone."""
    try:
        os.stat(place)
    except OSError as error:
        return error.errno == errno.ENOTCONN
    return False


def _unmount_dead_ones() -> None:
    """What is left of a run that was killed."""
    for line in Path("/proc/mounts").read_text().splitlines():
        device, place = line.split()[:2]
        if device == PROGRAM and _is_dead(place):
            _unmount(place)
