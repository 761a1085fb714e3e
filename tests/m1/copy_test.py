#!/usr/bin/env python3
"""m1_sq_cq copy, from outside: what is copied, what is refused, and what is left after a failure.

    copy_test.py M1_SQ_CQ [unittest arguments]
"""

import errno
import fcntl
import os
import pty
import resource
import select
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

M1_SQ_CQ = ""
MIB = 1 << 20
TIME_LIMIT_S = 60


class CopyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="m1_copy_test.")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, contents):
        with open(self.path(name), "wb") as file:
            file.write(contents)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def copy(self, *arguments, **options):
        return subprocess.run([M1_SQ_CQ, "copy", *arguments], capture_output=True, text=True,
                              timeout=TIME_LIMIT_S, check=False, **options)

    def start(self, *arguments, **options):
        process = subprocess.Popen([M1_SQ_CQ, "copy", *arguments], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def assert_copied(self, result, name, contents):
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")
        self.assertTrue(self.read(name) == contents, "the bytes differ")
        self.assert_no_new_files()

    def assert_refused(self, result, *words):
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def assert_no_new_files(self):
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith(".")], [])


class WholeFiles(CopyTest):
    def test_sizes_around_the_block_size(self):
        block = 64 * 1024
        for size in (0, 1, 4095, 4096, block - 1, block, block + 1, 4 * block, 9 * block + 17):
            with self.subTest(size=size):
                contents = os.urandom(size)
                source = self.make("source", contents)
                result = self.copy(source, self.path("copy"), "--block-size", "64K")
                self.assert_copied(result, "copy", contents)

    def test_default_blocks(self):
        contents = os.urandom(20 * MIB + 1)
        result = self.copy(self.make("source", contents), self.path("copy"))
        self.assert_copied(result, "copy", contents)

    def test_tiny_blocks_and_one_at_a_time(self):
        contents = os.urandom(3001)
        source = self.make("source", contents)
        for options in (["--block-size", "1"], ["--block-size", "7", "--depth", "3"],
                        ["--block-size=1000", "--depth=1"], ["--depth=256"]):
            with self.subTest(options=options):
                self.assert_copied(self.copy(source, self.path("copy"), *options), "copy", contents)

    def test_sparse_source(self):
        with open(self.path("source"), "wb") as file:
            file.truncate(10 * MIB)
            file.seek(5 * MIB)
            file.write(b"in the middle")
        contents = self.read("source")
        result = self.copy(self.path("source"), self.path("copy"))
        self.assert_copied(result, "copy", contents)

    def test_masked_kernel(self):
        contents = os.urandom(3 * MIB + 5)
        source = self.make("source", contents)
        masked = ("single_issuer,defer_taskrun,coop_taskrun,submit_all,cqsize,no_sqarray,ext_arg,"
                  "registered_ring,single_mmap,query")
        result = self.copy(source, self.path("copy"), env={**os.environ, "URING_DISABLE": masked})
        self.assert_copied(result, "copy", contents)


class SourcesWithoutSize(CopyTest):
    def test_procfs(self):
        with open("/proc/version", "rb") as file:
            contents = file.read()
        self.assertEqual(os.stat("/proc/version").st_size, 0)
        self.assert_copied(self.copy("/proc/version", self.path("copy")), "copy", contents)

    def test_procfs_longer_than_a_block(self):
        with open("/proc/kallsyms", "rb") as file:
            contents = file.read()
        self.assertGreater(len(contents), 64 * 1024)
        result = self.copy("/proc/kallsyms", self.path("copy"), "--block-size", "4K")
        self.assert_copied(result, "copy", contents)

    def test_sysfs_claims_more_than_it_has(self):
        name = "/sys/kernel/mm/transparent_hugepage/enabled"
        if not os.path.exists(name):
            self.skipTest("no " + name)
        with open(name, "rb") as file:
            contents = file.read()
        self.assertLess(len(contents), os.stat(name).st_size)
        self.assert_copied(self.copy(name, self.path("copy")), "copy", contents)

    def feed(self, pieces):
        os.mkfifo(self.path("fifo"))
        process = self.start(self.path("fifo"), self.path("copy"))
        with open(self.path("fifo"), "wb", buffering=0) as fifo:
            for piece in pieces:
                fifo.write(piece)
                time.sleep(0.02)
        return process.wait(TIME_LIMIT_S)

    def test_fifo_in_pieces(self):
        pieces = [os.urandom(size) for size in (1, 70000, 3, MIB, 5000)]
        self.assertEqual(self.feed(pieces), 0)
        self.assertTrue(self.read("copy") == b"".join(pieces))

    def test_fifo_with_nothing(self):
        self.assertEqual(self.feed([]), 0)
        self.assertEqual(self.read("copy"), b"")

    def test_standard_input_is_a_pipe(self):
        contents = os.urandom(300000)
        result = subprocess.run([M1_SQ_CQ, "copy", "/dev/stdin", self.path("copy")], input=contents,
                                capture_output=True, timeout=TIME_LIMIT_S, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(self.read("copy") == contents)

    def test_character_device(self):
        self.assert_copied(self.copy("/dev/null", self.path("copy")), "copy", b"")


class Destinations(CopyTest):
    def setUp(self):
        super().setUp()
        self.contents = os.urandom(2 * MIB + 3)
        self.source = self.make("source", self.contents)

    def test_directory(self):
        os.mkdir(self.path("into"))
        for name in ("into", "into/"):
            result = self.copy(self.source, self.path(name))
            self.assert_copied(result, "into/source", self.contents)
            self.assertIn("into/source", result.stdout)

    def test_current_directory_and_bare_names(self):
        os.mkdir(self.path("here"))
        self.assertEqual(self.copy("../source", ".", cwd=self.path("here")).returncode, 0)
        self.assertEqual(self.copy("source", "again", cwd=self.path("here")).returncode, 0)
        self.assertTrue(self.read("here/again") == self.contents)

    def test_existing_file_is_replaced_and_keeps_its_permissions(self):
        self.make("copy", b"old and longer than the new one" * 100000)
        os.chmod(self.path("copy"), 0o640)
        self.assert_copied(self.copy(self.source, self.path("copy")), "copy", self.contents)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("copy")).st_mode), 0o640)

    def test_new_file_takes_the_permissions_of_the_source(self):
        for mode, mask, expected in ((0o755, 0o022, 0o755), (0o666, 0o027, 0o640),
                                     (0o4755, 0o022, 0o755), (0o400, 0o022, 0o400)):
            with self.subTest(mode=oct(mode)):
                os.chmod(self.source, mode)
                result = self.copy(self.source, self.path("new"), umask=mask)
                self.assert_copied(result, "new", self.contents)
                self.assertEqual(stat.S_IMODE(os.stat(self.path("new")).st_mode), expected)
                os.unlink(self.path("new"))

    def test_owner_stays(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give files away")
        self.make("copy", b"old")
        os.chown(self.path("copy"), 1234, 2345)
        self.assert_copied(self.copy(self.source, self.path("copy")), "copy", self.contents)
        status = os.stat(self.path("copy"))
        self.assertEqual((status.st_uid, status.st_gid), (1234, 2345))

    def test_symbolic_links_are_followed(self):
        os.symlink("source", self.path("link to source"))
        self.make("target", b"old")
        os.symlink("target", self.path("link to target"))
        result = self.copy(self.path("link to source"), self.path("link to target"))
        self.assert_copied(result, "target", self.contents)
        self.assertTrue(os.path.islink(self.path("link to target")))

    def test_the_other_names_of_a_file_see_the_copy(self):
        self.make("copy", b"old")
        os.link(self.path("copy"), self.path("other name"))
        self.assert_copied(self.copy(self.source, self.path("copy")), "other name", self.contents)

    def test_fifo(self):
        os.mkfifo(self.path("fifo"))
        process = self.start(self.source, self.path("fifo"))
        with open(self.path("fifo"), "rb") as fifo:
            received = fifo.read()
        self.assertEqual(process.wait(TIME_LIMIT_S), 0)
        self.assertTrue(received == self.contents)
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path("fifo")).st_mode))

    def test_standard_output_is_a_pipe(self):
        result = subprocess.run([M1_SQ_CQ, "copy", self.source, "/dev/stdout"], capture_output=True,
                                timeout=TIME_LIMIT_S, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(result.stdout == self.contents, "only the bytes are in stdout")
        self.assertIn(b"2.0 MiB", result.stderr)

    def test_standard_output_is_a_file(self):
        with open(self.path("out"), "wb") as out:
            result = subprocess.run([M1_SQ_CQ, "copy", self.source, "/dev/stdout"], stdout=out,
                                    stderr=subprocess.PIPE, timeout=TIME_LIMIT_S, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(self.read("out") == self.contents)

    def test_null_device(self):
        result = self.copy(self.source, "/dev/null")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_longest_name(self):
        self.assert_copied(self.copy(self.source, self.path("n" * 255)), "n" * 255, self.contents)


class Refusals(CopyTest):
    def setUp(self):
        super().setUp()
        self.source = self.make("source", b"what is copied")

    def test_same_file(self):
        os.link(self.source, self.path("other name"))
        os.symlink("source", self.path("link"))
        for name in (self.source, self.path("other name"), self.path("link"), self.folder,
                     os.path.join(self.folder, ".", "source")):
            with self.subTest(name=name):
                self.assert_refused(self.copy(self.source, name), "same file")
                self.assertEqual(self.read("source"), b"what is copied")

    def test_missing_source(self):
        result = self.copy(self.path("missing"), self.path("copy"))
        self.assert_refused(result, "ENOENT", self.path("missing"))
        self.assertFalse(os.path.exists(self.path("copy")))

    def test_source_is_a_directory(self):
        self.assert_refused(self.copy(self.folder, self.path("copy")), "EISDIR", self.folder)

    def test_missing_directory(self):
        for name in ("missing/copy", "missing/"):
            self.assert_refused(self.copy(self.source, self.path(name)), "ENOENT", "missing")

    def test_a_file_as_directory(self):
        self.assert_refused(self.copy(self.source, self.path("source/copy")), "ENOTDIR")

    def test_dangling_link(self):
        os.symlink("nowhere", self.path("link"))
        self.assert_refused(self.copy(self.source, self.path("link")), "symbolic link")
        self.assertFalse(os.path.exists(self.path("nowhere")))

    def test_directory_that_has_such_a_directory(self):
        os.makedirs(self.path("into/source"))
        self.assert_refused(self.copy(self.source, self.path("into")), "EISDIR", "into/source")

    def test_name_too_long(self):
        self.assert_refused(self.copy(self.source, self.path("n" * 256)), "ENAMETOOLONG")

    def test_words(self):
        for words in ([self.source], [self.source, "a", "b"], [self.source, "a", "--depth", "0"],
                      [self.source, "a", "--block-size", "0"], [self.source, "a", "--depht", "2"]):
            with self.subTest(words=words):
                result = self.copy(*words)
                self.assertEqual(result.returncode, 2)
                self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)

    def test_write_protected_file(self):
        if os.geteuid() == 0:
            self.skipTest("root may write to every file")
        self.make("copy", b"old")
        os.chmod(self.path("copy"), 0o400)
        self.assert_refused(self.copy(self.source, self.path("copy")), "EACCES")
        self.assertEqual(self.read("copy"), b"old")

    def test_directory_where_nothing_may_be_made(self):
        if os.geteuid() == 0:
            self.skipTest("root may write to every directory")
        os.mkdir(self.path("locked"))
        self.make("locked/copy", b"old")
        os.chmod(self.path("locked"), 0o555)
        self.addCleanup(os.chmod, self.path("locked"), 0o755)
        self.assert_refused(self.copy(self.source, self.path("locked/new")), "EACCES")
        # The file that is there may be written to, so it is, in place.
        self.assert_copied(self.copy(self.source, self.path("locked/copy")), "locked/copy",
                           b"what is copied")


class Failures(CopyTest):
    @staticmethod
    def limit_file_size():
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))

    def test_no_space(self):
        source = self.make("source", os.urandom(MIB))
        self.assert_refused(self.copy(source, "/dev/full"), "ENOSPC", "/dev/full", "free some space")

    def test_file_size_limit_leaves_no_half_copy(self):
        source = self.make("source", os.urandom(5 * MIB))
        result = self.copy(source, self.path("copy"), preexec_fn=self.limit_file_size)
        self.assert_refused(result, "EFBIG", "No '" + self.path("copy"))
        self.assertEqual(os.listdir(self.folder), ["source"])

    def test_a_failure_leaves_the_old_destination(self):
        source = self.make("source", os.urandom(5 * MIB))
        self.make("copy", b"old")
        result = self.copy(source, self.path("copy"), preexec_fn=self.limit_file_size)
        self.assert_refused(result, "EFBIG", "is as it was")
        self.assertEqual(self.read("copy"), b"old")
        self.assert_no_new_files()

    def test_a_failure_in_place_says_what_is_left(self):
        source = self.make("source", os.urandom(5 * MIB))
        self.make("copy", b"old")
        os.link(self.path("copy"), self.path("other name"))
        result = self.copy(source, self.path("copy"), preexec_fn=self.limit_file_size)
        self.assert_refused(result, "EFBIG", "incomplete")

    def test_reader_of_a_fifo_goes_away(self):
        source = self.make("source", os.urandom(5 * MIB))
        os.mkfifo(self.path("fifo"))
        process = self.start(source, self.path("fifo"))
        with open(self.path("fifo"), "rb", buffering=0) as fifo:
            self.assertEqual(len(fifo.read(100)), 100)
        self.assertEqual(process.wait(TIME_LIMIT_S), 1)
        self.assertIn("EPIPE", process.stderr.read())

    def test_unreadable_source(self):
        # Nothing is mapped at address 0: the read fails, not the open.
        result = self.copy("/proc/self/mem", self.path("copy"))
        self.assert_refused(result, "EIO", "/proc/self/mem", "No '" + self.path("copy"))
        self.assertEqual(os.listdir(self.folder), [])

    def check_signal(self, number, name):
        os.mkfifo(self.path("fifo"))
        self.make("copy", b"old")
        process = self.start(self.path("fifo"), self.path("copy"))
        with open(self.path("fifo"), "wb", buffering=0) as fifo:
            fifo.write(b"the beginning")
            deadline = time.monotonic() + TIME_LIMIT_S
            while len(os.listdir(self.folder)) == 2 and time.monotonic() < deadline:
                time.sleep(0.005)
            self.assertEqual(len(os.listdir(self.folder)), 3, "the new file is there")
            # The read waits for more, which never comes: it must be cancelled.
            process.send_signal(number)
            self.assertEqual(process.wait(TIME_LIMIT_S), 1)
        error = process.stderr.read()
        self.assertIn(name, error)
        self.assertIn("is as it was", error)
        self.assertEqual(self.read("copy"), b"old")
        self.assert_no_new_files()

    def test_interrupt(self):
        self.check_signal(signal.SIGINT, "SIGINT")

    def test_terminate(self):
        self.check_signal(signal.SIGTERM, "SIGTERM")

    def test_interrupt_of_an_endless_copy(self):
        process = self.start("/dev/zero", "/dev/null")
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(TIME_LIMIT_S), 1)
        self.assertIn("SIGINT", process.stderr.read())

    def test_ignored_hangup_is_ignored(self):
        os.mkfifo(self.path("fifo"))
        process = self.start(self.path("fifo"), self.path("copy"),
                             preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        with open(self.path("fifo"), "wb", buffering=0) as fifo:
            fifo.write(b"before ")
            time.sleep(0.2)
            process.send_signal(signal.SIGHUP)
            time.sleep(0.2)
            fifo.write(b"and after")
        self.assertEqual(process.wait(TIME_LIMIT_S), 0)
        self.assertEqual(self.read("copy"), b"before and after")


class ChangingSources(CopyTest):
    def change_while_copying(self, change):
        """Into a FIFO that is read slowly, so that the change comes in the middle."""
        contents = os.urandom(5 * MIB)
        source = self.make("source", contents)
        os.mkfifo(self.path("fifo"))
        process = self.start(source, self.path("fifo"))
        with open(self.path("fifo"), "rb", buffering=0) as fifo:
            received = fifo.read(1000)
            change(source)
            while piece := fifo.read(65536):
                received += piece
        self.assertEqual(process.wait(TIME_LIMIT_S), 1)
        error = process.stderr.read()
        self.assertIn("changed while it was copied", error)
        return contents, received, error

    def test_it_shrinks(self):
        contents, received, error = self.change_while_copying(
            lambda source: os.truncate(source, 3 * MIB))
        self.assertTrue(received == contents[:3 * MIB])
        self.assertIn(str(5 * MIB), error)
        self.assertIn(str(3 * MIB), error)

    def test_it_grows(self):
        def grow(source):
            with open(source, "ab") as file:
                file.write(b"more" * 1000)

        contents, received, _ = self.change_while_copying(grow)
        self.assertTrue(received == contents + b"more" * 1000)

    def test_blocks_in_flight_beyond_the_new_end_are_cut_off(self):
        # Again and again: the truncation may come too early or too late.
        size = 64 * MIB
        contents = os.urandom(size)
        fell_into_a_copy = 0
        for round_number in range(12):
            source = self.make("source", contents)
            process = self.start(source, self.path("copy"), "--block-size", "64K", "--depth", "8")
            time.sleep(0.002 * round_number)
            os.truncate(source, size // 3)
            status = process.wait(TIME_LIMIT_S)
            copied = self.read("copy")
            self.assertIn(len(copied), range(size // 3, size + 1))
            self.assertTrue(copied == contents[:len(copied)], "a beginning of what was there")
            if status == 0:
                self.assertIn(len(copied), (size // 3, size))
            else:
                self.assertIn("while it was copied", process.stderr.read())
                fell_into_a_copy += 1
            self.assert_no_new_files()
        if fell_into_a_copy == 0:
            self.skipTest("no truncation fell into a copy")


class Terminal(CopyTest):
    def test_progress_is_drawn_and_erased(self):
        os.mkfifo(self.path("fifo"))
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        fcntl.fcntl(ours, fcntl.F_SETFL, os.O_NONBLOCK)
        process = subprocess.Popen([M1_SQ_CQ, "copy", self.path("fifo"), self.path("copy")],
                                   stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        with open(self.path("fifo"), "wb", buffering=0) as fifo:
            for _ in range(5):
                fifo.write(os.urandom(70000))
                time.sleep(0.12)
        self.assertEqual(process.wait(TIME_LIMIT_S), 0)
        shown = b""
        while select.select([ours], [], [], 0)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError as error:
                self.assertEqual(error.errno, errno.EIO)  # the other side is closed
                break
        self.assertIn(b"copying", shown)
        self.assertTrue(shown.endswith(b"\r\x1b[K") or shown.endswith(b"\x1b[2K"), shown[-20:])

    def test_no_progress_without_a_terminal(self):
        source = self.make("source", os.urandom(3 * MIB))
        self.assertEqual(self.copy(source, self.path("copy")).stderr, "")


class WithoutArguments(CopyTest):
    def test_demonstration(self):
        result = subprocess.run([M1_SQ_CQ, "copy"], capture_output=True, text=True,
                                timeout=TIME_LIMIT_S, check=False,
                                env={**os.environ, "TMPDIR": self.folder})
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("byte for byte", result.stdout)
        self.assertEqual(os.listdir(self.folder), [], "nothing is left behind")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: copy_test.py M1_SQ_CQ [unittest arguments]")
    M1_SQ_CQ = os.path.abspath(sys.argv.pop(1))
    unittest.main()
