#!/usr/bin/env python3
"""hostile_fs: that it misbehaves as it says, for pread(2) and for a READ through a ring.

    hostile_fs_test.py HOSTILE_FS RING_READ [unittest arguments]
"""

import concurrent.futures
import contextlib
import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HOSTILE_FS = RING_READ = ""
TIME_LIMIT_S = 30
CANNOT_START = 2
SKIPPED = 77
KIB = 1 << 10
CONTENT = bytes(range(251)) * 400  # 100,400 bytes


class Mounted:
    """hostile_fs over a folder with one file, "file"."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory(prefix="hostile_fs_test.")
        self.source, self.mountpoint = (os.path.join(self.folder.name, name) for name in ("source", "mount"))
        os.mkdir(self.source)
        os.mkdir(self.mountpoint)
        with open(os.path.join(self.source, "file"), "wb") as file:
            file.write(CONTENT)
        self.process = subprocess.Popen([HOSTILE_FS, self.source, self.mountpoint, *map(str, options)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.first_line = self.process.stdout.readline()
        self.file = os.path.join(self.mountpoint, "file")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        try:
            self.said = self.process.communicate(timeout=TIME_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.said = self.process.communicate()
        if os.path.ismount(self.mountpoint):
            subprocess.run(["umount", "-l", self.mountpoint], check=False)
        self.folder.cleanup()
        return self.process.returncode


@contextlib.contextmanager
def mounted(*options):
    filesystem = Mounted(*options)
    try:
        yield filesystem
    finally:
        filesystem.end()


@contextlib.contextmanager
def opened(path, flags=os.O_RDONLY):
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        os.close(fd)


def ring_read(path, offset, size):
    done = subprocess.run([RING_READ, path, "--offset", str(offset), "--bytes", str(size)], capture_output=True,
                          text=True, timeout=TIME_LIMIT_S, check=True)
    return int(done.stdout)


class HostileFsTest(unittest.TestCase):
    def assert_errno(self, number, call, *arguments):
        with self.assertRaises(OSError) as seen:
            call(*arguments)
        self.assertEqual(errno.errorcode[seen.exception.errno], errno.errorcode[number])

    def test_without_faults_it_shows_what_is_there(self):
        with mounted() as filesystem:
            self.assertEqual(filesystem.first_line, f"mounted on {filesystem.mountpoint}\n")
            self.assertEqual(os.listdir(filesystem.mountpoint), ["file"])
            with open(filesystem.file, "rb") as file:
                self.assertEqual(file.read(), CONTENT)
            self.assertEqual(ring_read(filesystem.file, 0, 64 * KIB), 64 * KIB)
            self.assert_errno(errno.ENOENT, os.stat, filesystem.file + "s")
            self.assert_errno(errno.EROFS, os.open, filesystem.file, os.O_RDWR)

    def test_a_change_of_the_source_shows_at_once(self):
        with mounted() as filesystem:
            os.stat(filesystem.file)
            os.truncate(os.path.join(filesystem.source, "file"), 7)
            self.assertEqual(os.stat(filesystem.file).st_size, 7)

    def test_reads_in_pieces(self):
        with mounted("--piece", 3000) as filesystem, opened(filesystem.file) as fd:
            for offset in (0, 3000, 4096):
                self.assertEqual(os.pread(fd, 64 * KIB, offset), CONTENT[offset:offset + 3000])
            self.assertEqual(os.pread(fd, 2999, 0), CONTENT[:2999])
            self.assertEqual(os.pread(fd, 64 * KIB, len(CONTENT) - 10), CONTENT[-10:])
            self.assertEqual(os.pread(fd, 64 * KIB, len(CONTENT)), b"")

    def test_a_ring_gets_the_pieces_too(self):
        with mounted("--piece", 3000) as filesystem:
            self.assertEqual(ring_read(filesystem.file, 0, 64 * KIB), 3000)
            self.assertEqual(ring_read(filesystem.file, len(CONTENT) - 10, 64 * KIB), 10)

    def test_late_reads_wait_beside_each_other(self):
        with mounted("--delay-ms", 300) as filesystem, opened(filesystem.file) as fd:
            start = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                sizes = list(pool.map(lambda i: len(os.pread(fd, 100, i)), range(16)))
            took_s = time.monotonic() - start
            self.assertEqual(sizes, [100] * 16)
            self.assertGreaterEqual(took_s, 0.3)
            self.assertLess(took_s, 16 * 0.3 / 2, "they waited one behind the other")

    def test_an_error_in_the_middle(self):
        with mounted("--error-at", 5000) as filesystem, opened(filesystem.file) as fd:
            self.assertEqual(os.pread(fd, 4096, 0), CONTENT[:4096])
            self.assertEqual(os.pread(fd, 4096, 4096), CONTENT[4096:5000], "up to the bad place")
            self.assert_errno(errno.EIO, os.pread, fd, 4096, 5000)
            self.assertEqual(ring_read(filesystem.file, 4096, 4096), 904)
            self.assertEqual(ring_read(filesystem.file, 5000, 4096), -errno.EIO)

    def test_a_size_that_is_too_large(self):
        with mounted("--claim-size", 200_000) as filesystem, opened(filesystem.file) as fd:
            self.assertEqual(os.stat(filesystem.file).st_size, 200_000)
            self.assertEqual(os.fstat(fd).st_size, 200_000)
            self.assertEqual(os.pread(fd, 200_000, 0), CONTENT)
            self.assertEqual(ring_read(filesystem.file, len(CONTENT), 4096), 0)

    def test_a_size_that_is_too_small(self):
        with mounted("--claim-size", 1000) as filesystem, opened(filesystem.file) as fd:
            self.assertEqual(os.fstat(fd).st_size, 1000)
            self.assertEqual(os.pread(fd, 64 * KIB, 0), CONTENT[:64 * KIB])
            self.assertEqual(os.pread(fd, 4096, 50_000), CONTENT[50_000:54_096])
            # The kernel asks for what a ring's read begins below the size, and answers the others itself: 0.
            self.assertEqual(ring_read(filesystem.file, 999, 64 * KIB), 64 * KIB)

    def test_direct_opens_can_be_refused(self):
        with mounted() as filesystem, opened(filesystem.file, os.O_RDONLY | os.O_DIRECT) as fd:
            self.assertEqual(os.pread(fd, 100, 50), CONTENT[50:150])
        with mounted("--refuse-direct") as filesystem:
            self.assert_errno(errno.EINVAL, os.open, filesystem.file, os.O_RDONLY | os.O_DIRECT)
            with opened(filesystem.file) as fd:
                self.assertEqual(os.pread(fd, 100, 50), CONTENT[50:150])

    def test_a_signal_unmounts_and_ends_it(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            filesystem = Mounted()
            self.assertEqual(filesystem.end(number), 0, filesystem.said)
            self.assertNotIn(filesystem.mountpoint, read_mounts())

    def test_it_unmounts_below_an_open_file(self):
        filesystem = Mounted()
        fd = os.open(filesystem.file, os.O_RDONLY)
        self.assertEqual(filesystem.end(), 0, filesystem.said)
        self.assert_errno(errno.ENOTCONN, os.pread, fd, 100, 0)
        self.assert_errno(errno.ENOTCONN, os.close, fd)  # it is closed all the same
        self.assertNotIn(filesystem.mountpoint, read_mounts())

    def test_what_it_cannot_start_with(self):
        for words in (["/no/such/folder", "/tmp"], ["/tmp"], ["/tmp", "/no/such/folder"], ["/tmp", "/tmp", "--piece", "0"]):
            done = subprocess.run([HOSTILE_FS, *words], capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False)
            self.assertEqual(done.returncode, CANNOT_START, done.stderr)
            self.assertNotEqual(done.stderr, "")


def read_mounts():
    with open("/proc/mounts", encoding="utf-8") as mounts:
        return mounts.read()


def why_not_here():
    """None, or why nothing can be mounted on this machine."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse cannot be used here"
    filesystem = Mounted()
    started = filesystem.first_line != ""
    filesystem.end()
    return None if started else f"FUSE cannot mount here: {filesystem.said[1].strip()}"


if __name__ == "__main__":
    HOSTILE_FS, RING_READ = sys.argv[1:3]
    reason = why_not_here()
    if reason is not None:
        print(f"Skipped: {reason}")
        sys.exit(SKIPPED)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
