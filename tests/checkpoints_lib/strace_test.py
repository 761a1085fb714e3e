"""Reading strace's output: lines that are easy to get wrong, and a real run."""

import time
import unittest

from lib import machine, strace
from nops_case import NopsCase


def parse_one(line):
    (call,), _ = strace.parse(line + "\n")
    return call


class Parsing(unittest.TestCase):
    def test_plain_call(self):
        call = parse_one("12 1700000000.123456 io_uring_enter(3, 4, 4, 0x1 /* IORING_ENTER_GETEVENTS */, NULL, 0) = 4")
        self.assertEqual((call.name, call.pid, call.time, call.result, call.errno),
                         ("io_uring_enter", 12, 1700000000.123456, 4, None))
        self.assertEqual([call.number(i) for i in range(6)], [3, 4, 4, 1, 0, 0])

    def test_nested_structs_stay_one_argument(self):
        call = parse_one("1 1.5 io_uring_setup(8, {flags=0x3000 /* IORING_SETUP_??? */, sq_off={head=0, tail=4}, "
                         "cq_off={head=8, flags=40}}) = 3")
        self.assertEqual(len(call.args), 2)
        self.assertEqual(call.field(1, "flags"), 0x3000)
        self.assertEqual(call.field(1, "tail"), 4)
        self.assertEqual(call.result, 3)

    def test_a_string_may_hold_anything(self):
        call = parse_one(r'1 1.5 write(1, "a, b) = 7 \", {[( <unfinished ...>"..., 300) = 300')
        self.assertEqual(call.args, ["1", r'"a, b) = 7 \", {[( <unfinished ...>"...', "300"])
        self.assertEqual(call.result, 300)

    def test_a_string_that_ends_with_a_backslash(self):
        call = parse_one(r'1 1.5 openat(-100 /* AT_FDCWD */, "C:\\", 0) = -1 ENOENT (No such file or directory)')
        self.assertEqual(call.args, ["-100 /* AT_FDCWD */", r'"C:\\"', "0"])
        self.assertEqual((call.number(0), call.result, call.errno), (-100, -1, "ENOENT"))

    def test_a_comment_may_hold_commas_and_brackets(self):
        call = parse_one("1 1.5 f(0x3 /* A, (B} */, 0644) = 0")
        self.assertEqual([call.number(0), call.number(1)], [3, 0o644])

    def test_array_of_structs(self):
        call = parse_one('1 1.5 writev(1, [{iov_base="x, y", iov_len=4}, {iov_base="]", iov_len=1}], 2) = 5')
        self.assertEqual(len(call.args), 3)

    def test_no_arguments_and_an_address_as_result(self):
        self.assertEqual(parse_one("1 1.5 getpid() = 7").args, [])
        self.assertEqual(parse_one("1 1.5 mmap(NULL, 4096) = 0x7f0000001000").result, 0x7F0000001000)

    def test_result_with_flags_in_words(self):
        self.assertEqual(parse_one("1 1.5 fcntl(3, 3 /* F_GETFL */) = 0x8002 /* O_RDWR */ (flags O_RDWR)").result, 0x8002)

    def test_interrupted_and_exit(self):
        call = parse_one("1 1.5 io_uring_enter(3, 0, 1, 0x1, NULL, 8) = ? ERESTARTSYS (To be restarted)")
        self.assertEqual((call.result, call.errno), (None, "ERESTARTSYS"))
        self.assertIsNone(parse_one("1 1.5 exit_group(0) = ?").result)

    def test_injected(self):
        call = parse_one("1 1.5 io_uring_enter(3, 1, 1, 0x1, NULL, 8) = -1 EINTR (Interrupted system call) (INJECTED)")
        self.assertTrue(call.injected)
        self.assertEqual(call.errno, "EINTR")

    def test_unfinished_and_resumed_are_one_call_where_it_began(self):
        calls, _ = strace.parse(
            "1 1.0 io_uring_enter(3, 0, 1, 0x1, NULL, 8 <unfinished ...>\n"
            "2 2.0 write(1, \"x\", 1) = 1\n"
            "2 2.5 read(0,  <unfinished ...>\n"
            "1 3.0 <... io_uring_enter resumed>) = 1\n"
            "2 4.0 <... read resumed>\"a, b\", 9) = 4\n"
        )
        self.assertEqual([(c.name, c.pid, c.time, c.result) for c in calls],
                         [("io_uring_enter", 1, 1.0, 1), ("write", 2, 2.0, 1), ("read", 2, 2.5, 4)])
        self.assertEqual(calls[2].args, ["0", '"a, b"', "9"])

    def test_a_call_that_never_returned_is_still_one(self):
        calls, others = strace.parse("1 1.0 pause( <unfinished ...>\n1 2.0 +++ killed by SIGKILL +++\n")
        self.assertEqual([(c.name, c.result) for c in calls], [("pause", None)])
        self.assertEqual(len(others), 1)

    def test_resumed_and_cut_off_again(self):
        calls, _ = strace.parse("1 1.0 exit_group(0 <unfinished ...>\n1 2.0 <... exit_group resumed>) = ?\n")
        self.assertEqual([(c.name, c.result) for c in calls], [("exit_group", None)])

    def test_signals_are_no_calls(self):
        calls, others = strace.parse("1 1.0 --- SIGTERM {si_signo=15 /* SIGTERM */, si_code=0} ---\n")
        self.assertEqual((calls, len(others)), ([], 1))

    def test_a_line_that_is_still_written_is_left_out(self):
        calls, _ = strace.parse("1 1.0 getpid() = 1\n1 2.0 write(1, \"ab")
        self.assertEqual(len(calls), 1)


@unittest.skipIf(machine.strace_refused(), machine.strace_refused() or "")
@unittest.skipIf(machine.io_uring_refused(), machine.io_uring_refused() or "")
class RealRuns(NopsCase):
    def test_counts_and_numbers(self):
        trace = self.c.strace([*self.nops, "5"], calls=["io_uring_setup", "io_uring_enter"])
        self.assertEqual(trace.result.status, 0)
        self.assertEqual(trace.result.stdout, "submitted 5, completed 5\n")
        (setup,), (enter,) = trace.named("io_uring_setup"), trace.named("io_uring_enter")
        self.assertEqual((setup.number(0), setup.field(1, "flags")), (64, 0))
        self.assertEqual((enter.number(0), enter.number(1), enter.number(3), enter.result), (setup.result, 5, 1, 5))

    def test_calls_that_are_not_asked_for_do_not_stop_the_program(self):
        # With the filter strace is not told of them, which /proc/self/status of the program shows.
        trace = self.c.strace(["grep", "Seccomp:", "/proc/self/status"], calls=["io_uring_enter"])
        self.assertEqual(trace.result.stdout.split(), ["Seccomp:", "2"])
        self.assertEqual(trace.count("read"), 0)

    def test_fault_injection(self):
        trace = self.c.strace([*self.nops, "5"], calls=["io_uring_enter"], inject=["io_uring_enter:error=EBUSY:when=1"])
        (enter,) = trace.named("io_uring_enter")
        self.assertEqual((enter.errno, enter.injected), ("EBUSY", True))
        self.assertIn("submitted -1", trace.result.stdout)

    def test_a_server_under_strace_keeps_its_pid_and_status(self):
        server = self.c.start([*self.nops, "3", "--stay"], strace_calls=["io_uring_enter", "%signal"],
                              first_line=r"submitted (\d+)")
        self.assertEqual(self.c.ring_fds(server.pid)[0], 3)
        self.assertEqual(server.live_trace.read().count("io_uring_enter"), 1)
        self.assertEqual(server.live_trace.read(since=time.time() - 60).count("io_uring_enter"), 1)
        self.assertEqual(server.live_trace.read(since=time.time() + 1).count("io_uring_enter"), 0)
        size = server.live_trace.size()
        self.assertGreater(size, 0)
        self.c.stop(server, status=-15)
        self.assertTrue(any("killed by SIGTERM" in line for line in server.live_trace.read().others))
        self.assertGreater(server.live_trace.size(), size)


if __name__ == "__main__":
    unittest.main()
