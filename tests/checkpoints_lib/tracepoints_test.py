"""Reading the io_uring tracepoints: the text of several kernels, and a real run (as root)."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

from lib import machine, tracepoints
from lib.context import Context
from nops_case import NopsCase
from runner import PROGRAMS

OURS, FOREIGN = "00000000aaaaaaaa", "00000000bbbbbbbb"


def line(tid, event, text, comm="some-name"):
    return f"       {comm}-{tid}    [001] d..2.   670.260069: {event}: {text}"


class Fields(unittest.TestCase):
    def test_submit(self):
        fields = tracepoints.parse_fields(
            "ring 0x1f, req 00000000465f65cc, user_data 0x64, opcode READ_FIXED, flags 0x4, sq_thread 0")
        self.assertEqual(fields, {"ring": 0x1F, "req": 0x465F65CC, "user_data": 100, "opcode": "READ_FIXED",
                                  "flags": 4, "sq_thread": 0})

    def test_complete(self):
        fields = tracepoints.parse_fields("ring 0x1, req 0x2, user_data 0x3, result -104, cflags 0x2 extra1 0 extra2 7 ")
        self.assertEqual((fields["result"], fields["cflags"], fields["extra1"], fields["extra2"]), (-104, 2, 0, 7))

    def test_names_of_two_words(self):
        fields = tracepoints.parse_fields("ring 0x1, fd 3 sq size 8, cq size 16, flags 0x3000")
        self.assertEqual((fields["fd"], fields["sq_size"], fields["cq_size"], fields["flags"]), (3, 8, 16, 0x3000))

    def test_worker_queue(self):
        fields = tracepoints.parse_fields(
            "ring 0x1, request 0x2, user_data 0x3, opcode FSYNC, flags 0x0, hashed queue, work 0x9")
        self.assertEqual((fields["req"], fields["queue"], fields["work"]), (2, "hashed", 9))

    def test_mask_is_hexadecimal_without_a_prefix(self):
        self.assertEqual(tracepoints.parse_fields("ring 0x1, opcode RECV, mask 41")["mask"], 0x41)
        self.assertEqual(tracepoints.parse_fields("ring 0x1, opcode RECV, mask c3, events 0x41")["mask"], 0xC3)

    def test_failed_request(self):
        fields = tracepoints.parse_fields("ring 0x1, req 0x2, user_data 0x3, opcode NOP, flags 0x0, prio=0, off=5, "
                                          "len=6, rw_flags=0x1, addr3=ff, error=-22")
        self.assertEqual((fields["off"], fields["rw_flags"], fields["addr3"], fields["error"]), (5, 1, 255, -22))

    def test_register_has_short_names(self):
        fields = tracepoints.parse_fields("ring 0x1, opcode 2, nr_user_files 4, nr_user_bufs 5, ret 0")
        self.assertEqual((fields["opcode"], fields["files"], fields["buffers"]), (2, 4, 5))


class Ownership(unittest.TestCase):
    def events(self, *lines):
        return [(e.name, e.tid) for e in tracepoints.parse("\n".join(lines), {100})]

    def test_rings_of_others_are_left_out(self):
        self.assertEqual(self.events(
            line(100, "io_uring_create", f"ring {OURS}, fd 3 sq size 8, cq size 16, flags 0x0"),
            line(200, "io_uring_create", f"ring {FOREIGN}, fd 3 sq size 8, cq size 16, flags 0x0"),
            line(200, "io_uring_submit_req", f"ring {FOREIGN}, req 0x1, user_data 0x1, opcode NOP, flags 0x0, sq_thread 0"),
        ), [("create", 100)])

    def test_an_event_of_our_ring_counts_whoever_raised_it(self):
        self.assertEqual(self.events(
            line(100, "io_uring_create", f"ring {OURS}, fd 3 sq size 8, cq size 16, flags 0x0"),
            line(999, "io_uring_task_add", f"ring {OURS}, req 0x1, user_data 0x1, opcode RECV, mask 1", comm="client"),
        ), [("create", 100), ("task_add", 999)])

    def test_children_are_ours(self):
        self.assertEqual(self.events(
            line(100, "sched_process_fork", "comm=a pid=100 child_comm=a child_pid=101"),
            line(300, "sched_process_fork", "comm=b pid=300 child_comm=b child_pid=301"),
            line(101, "io_uring_create", f"ring {OURS}, fd 3 sq size 8, cq size 16, flags 0x0"),
            line(301, "io_uring_create", f"ring {FOREIGN}, fd 3 sq size 8, cq size 16, flags 0x0"),
        ), [("create", 101)])

    def test_memory_of_a_closed_ring_may_be_used_by_others(self):
        self.assertEqual(self.events(
            line(100, "io_uring_create", f"ring {OURS}, fd 3 sq size 8, cq size 16, flags 0x0"),
            line(200, "io_uring_create", f"ring {OURS}, fd 3 sq size 8, cq size 16, flags 0x0"),
            line(200, "io_uring_complete", f"ring {OURS}, req 0x1, user_data 0x1, result 0, cflags 0x0 extra1 0 extra2 0 "),
        ), [("create", 100)])

    def test_a_ring_that_was_there_before_is_ours_once_we_use_it(self):
        self.assertEqual(self.events(
            line(100, "io_uring_cqring_wait", f"ring {OURS}, min_events 1"),
            line(999, "io_uring_complete", f"ring {OURS}, req 0x1, user_data 0x1, result 0, cflags 0x0 extra1 0 extra2 0 "),
        ), [("cqring_wait", 100), ("complete", 999)])

    def test_names_of_older_kernels(self):
        self.assertEqual(self.events(
            line(100, "io_uring_submit_sqe", f"ring {OURS}, req 0x1, op 0, data 0x1, flags 0, non block 1, sq_thread 0"),
        ), [("submit_req", 100)])

    def test_names_of_commands_with_spaces_and_dashes(self):
        self.assertEqual(self.events(
            "  a b-c-100     [000] .....   1.5: io_uring_create: ring 0x1, fd 3 sq size 8, cq size 16, flags 0x0",
            "  x-100     (    100) [000] .....   1.5: io_uring_create: ring 0x2, fd 3 sq size 8, cq size 16, flags 0x0",
        ), [("create", 100), ("create", 100)])


@unittest.skipIf(machine.tracepoints_refused(), machine.tracepoints_refused() or "")
@unittest.skipIf(machine.io_uring_refused(), machine.io_uring_refused() or "")
class RealRuns(NopsCase):
    def test_a_program(self):
        seen = self.c.perf_trace([*self.nops, "5"])
        self.assertEqual(seen.result.stdout, "submitted 5, completed 5\n")
        self.assertEqual([e["user_data"] for e in seen.named("submit_req")], [100, 101, 102, 103, 104])
        self.assertEqual([e["result"] for e in seen.named("complete")], [0] * 5)
        self.assertEqual((seen.count("create"), seen.named("create")[0]["sq_size"]), (1, 64))

    def test_a_program_started_by_the_program(self):
        seen = self.c.perf_trace(["sh", "-c", f"{sys.executable} {PROGRAMS}/nops.py 2; true"])
        self.assertEqual(seen.count("complete"), 2)

    def test_only_the_events_asked_for(self):
        seen = self.c.perf_trace([*self.nops, "2"], events=["io_uring:io_uring_complete"])
        self.assertEqual({e.name for e in seen}, {"complete"})

    def test_a_foreign_program_is_not_seen(self):
        with self.c.tracepoints() as seen:
            foreign = Context(Path("."), self.c.temp_dir())
            foreign.run([*self.nops, "3"])
            self.c.run([*self.nops, "2"])
        self.assertEqual(seen.count("complete"), 2)

    def test_only_what_some_threads_raise(self):
        other = subprocess.Popen(["sh", "-c", f"read line; exec {sys.executable} {PROGRAMS}/nops.py 3"],
                                 stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        with tracepoints.Session(["io_uring:*"], raised_by={os.getpid()}) as session:
            other.communicate(b"go\n")
            ours = self.c.run([*self.nops, "2"])
            seen = tracepoints.Events(session.read({ours.pid, other.pid}))
        self.assertEqual(seen.count("complete"), 2)

    def test_own_threads(self):
        with self.c.tracepoints(own_threads=True) as seen:
            self.c.run([*self.nops, "2"])
        self.assertEqual((seen.count("create"), seen.count("complete")), (1, 2))

    def test_nothing_is_left_in_tracefs(self):
        self.c.perf_trace([*self.nops, "1"])
        # Ours only: another run of checkpoints may be under way.
        ours = f"checkpoints_{os.getpid()}_*"
        self.assertEqual(list((tracepoints.TRACEFS / "instances").glob(ours)), [])


if __name__ == "__main__":
    unittest.main()
