"""File systems for a checkpoint alone, and what of a file lies in the page cache.

The mounts are made in a mount namespace of the checkpoint's own process, which the programs that it starts share: they
are gone with it, however it ends.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000

_libc = ctypes.CDLL(None, use_errno=True)


def _own_mounts(c) -> None:
    if _libc.unshare(CLONE_NEWNS) != 0 or _libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        c.skip(f"a mount namespace is not allowed here: {os.strerror(ctypes.get_errno())}")


def disk(c, sector_bytes: int, megabytes: int = 64) -> Path:
    """An ext4 file system on a loop device with sectors of this size."""
    _own_mounts(c)
    image, folder = c.temp_dir() / "image", c.temp_dir()
    with open(image, "wb") as file:
        file.truncate(megabytes << 20)
    found = c.run(["losetup", "--find", "--show", "--sector-size", sector_bytes, "--direct-io=on", image])
    if found.status != 0:
        c.skip(f"no loop device with sectors of {sector_bytes} bytes: {found.stderr.strip()}")
    device = found.stdout.strip()
    try:
        c.run_ok(["mkfs.ext4", "-q", "-b", "4096", device])
        mounted = c.run(["mount", "-t", "ext4", device, folder])
    finally:
        c.run(["losetup", "--detach", device])  # which happens when it is unmounted
    if mounted.status != 0:
        c.skip(f"a loop device cannot be mounted here: {mounted.stderr.strip()}")
    return folder


def without_direct_io(c) -> Path:
    """A file system that refuses O_DIRECT."""
    _own_mounts(c)
    folder = c.temp_dir()
    mounted = c.run(["mount", "-t", "ramfs", "none", folder])
    if mounted.status != 0:
        c.skip(f"ramfs cannot be mounted here: {mounted.stderr.strip()}")
    return folder


def takes_direct_io(path: Path) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_DIRECT))
    except OSError:
        return False
    return True


def cached_bytes(path: Path) -> int:
    """How much of a file lies in the page cache."""
    size = path.stat().st_size
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), size) as memory:
        pages = (size + mmap.PAGESIZE - 1) // mmap.PAGESIZE
        found = (ctypes.c_ubyte * pages)()
        view = ctypes.c_char.from_buffer(memory)
        try:
            if _libc.mincore(ctypes.c_void_p(ctypes.addressof(view)), ctypes.c_size_t(size), found) != 0:
                raise OSError(ctypes.get_errno(), "mincore")
        finally:
            del view
    return sum(page & 1 for page in found) * mmap.PAGESIZE


def make_cold(c, path: Path) -> None:
    """Takes a file out of the page cache."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if cached_bytes(path) > 0:
        c.skip("this file system does not let a file out of the page cache")
