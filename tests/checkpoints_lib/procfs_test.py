"""Reading /proc of a program that holds a ring."""

import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lib import machine, procfs
from lib.context import Context
from lib.model import Skip
from runner import PROGRAMS

TEXT = """\
pos:\t0
flags:\t02000002
mnt_id:\t17
SqMask:\t0x7
SqHead:\t3
SqTail:\t5
SQEs:\t2
   3: opcode:RECV, fd:7, flags:0, off:0, addr:0x0, rw_flags:0x0, buf_index:0 user_data:9
   4: opcode:NOP, fd:0, flags:0, off:0, addr:0x0, rw_flags:0x0, buf_index:0 user_data:10
SqThread:\t-1
UserFiles:\t2
    0: index.html
UserBufs:\t0
PollList:
  op=13, task_works=0
  op=27, task_works=1
CqOverflowList:
NAPI:\tdisabled
"""


class Parsing(unittest.TestCase):
    def setUp(self):
        self.info = procfs.parse_fdinfo(TEXT)

    def test_numbers(self):
        self.assertEqual([self.info.number(name) for name in ("SqMask", "SqHead", "SqTail", "SqThread", "UserFiles")],
                         [7, 3, 5, -1, 2])
        self.assertEqual(self.info.number("flags"), 0o2000002)

    def test_lists(self):
        self.assertEqual(self.info.lines("UserFiles"), ["0: index.html"])
        self.assertEqual(len(self.info.lines("SQEs")), 2)
        self.assertEqual(self.info.lines("CqOverflowList"), [])
        self.assertEqual(self.info.poll_ops(), [13, 27])

    def test_what_a_kernel_does_not_show_is_a_skip(self):
        with self.assertRaisesRegex(Skip, "no CqTail"):
            self.info.number("CqTail")
        with self.assertRaisesRegex(Skip, "no Personalities"):
            self.info.lines("Personalities")

    def test_maps(self):
        (mapping,) = procfs.parse_maps(
            "7fcfc288f000-7fcfc2891000 rw-s 10000000 00:10 28784                      anon_inode:[io_uring]\n")
        self.assertEqual((mapping.size, mapping.rights, mapping.offset, mapping.path),
                         (0x2000, "rw-s", 0x10000000, "anon_inode:[io_uring]"))


class BusyRing(unittest.TestCase):
    def test_is_asked_again(self):
        # While the kernel works on a ring its fdinfo says nothing of it.
        shown = [procfs.RingInfo({"flags": 2}), procfs.RingInfo({"SqTail": 7, "UserFiles": 0})]
        with (tempfile.TemporaryDirectory() as directory, mock.patch.object(procfs, "ring_fds", return_value=[5]),
              mock.patch.object(procfs, "fdinfo", side_effect=shown)):
            self.assertEqual(Context(Path("."), Path(directory)).fdinfo(1).number("SqTail"), 7)


@unittest.skipIf(machine.io_uring_refused(), machine.io_uring_refused() or "")
class RealRuns(unittest.TestCase):
    def test_a_ring(self):
        with tempfile.TemporaryDirectory() as directory:
            c = Context(Path("."), Path(directory))
            program = c.start([sys.executable, PROGRAMS / "nops.py", "3", "--stay"], first_line=r"submitted (\d+)")
            # Python keeps a duplicate of the descriptor for each mapping.
            self.assertEqual(c.ring_fds(program.pid), [3, 4, 5])
            info = c.fdinfo(program.pid)
            self.assertEqual([info.number(name) for name in ("SqTail", "CqHead", "CqTail")], [3, 0, 3])
            self.assertEqual({mapping.offset for mapping in c.ring_maps(program.pid)}, {0, 0x10000000})
            self.assertEqual(c.count_fds(program.pid), 6)
            c.stop(program, status=-15)


if __name__ == "__main__":
    unittest.main()
