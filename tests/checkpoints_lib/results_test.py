"""Each way in which a checkpoint can end, on small fixtures."""

import unittest
from pathlib import Path

from runner import PROGRAMS, run_checkpoints


def only_result(name):
    outcome = run_checkpoints(only=name)
    (result,) = outcome.results.values()
    return outcome, result


def running(command):
    """Is there a process with exactly this command line?"""
    wanted = command.replace(" ", "\0").encode() + b"\0"
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cmdline").read_bytes() == wanted:
                return True
        except OSError:
            pass
    return False


class Results(unittest.TestCase):
    def failure(self, name):
        outcome, result = only_result(name)
        self.assertEqual(result["status"], "fail")
        self.assertEqual(outcome.status, 1)
        self.assertEqual(outcome.last_line, "0 passed, 1 failed, 0 skipped")
        return outcome, result["failure"]

    def test_pass(self):
        outcome, result = only_result("01_passes")
        self.assertEqual((result["status"], result["checks"]), ("pass", 2))
        self.assertEqual(outcome.status, 0)
        self.assertEqual(outcome.last_line, "1 passed, 0 failed, 0 skipped")
        self.assertIn("The program `true` ends with status 0.", outcome.text)
        self.assertIn("measured: nothing", outcome.text)
        self.assertTrue(outcome.text.startswith("Linux "))

    def test_failure_says_expected_seen_and_the_usual_cause(self):
        outcome, failure = self.failure("02_fails")
        self.assertEqual((failure["what"], failure["expected"], failure["seen"]), ("exit status", "0", "3"))
        for text in ("expected  0", "seen      3", "usually   The wrong program was started.",
                     "said on stdout", "said on stderr", "02_fails.py:8"):
            self.assertIn(text, outcome.text)
        self.assertNotIn("Read what false(1) does.", outcome.text)

    def test_hint_is_printed_when_asked_for(self):
        outcome = run_checkpoints("--hint", only="02_fails")
        self.assertIn("Read what false(1) does.", outcome.text)
        self.assertIn("It never ends with 0.", outcome.text)

    def test_a_check_without_assertions_fails(self):
        _, failure = self.failure("03_asserts_nothing")
        self.assertEqual(failure["seen"], "the check asserted nothing")

    def test_a_skip_is_not_a_pass_and_has_its_reason(self):
        outcome, result = only_result("04_skips")
        self.assertEqual(result["status"], "skip")
        self.assertIn("needs Linux 999.0 for time travel", result["reason"])
        self.assertEqual(outcome.last_line, "0 passed, 0 failed, 1 skipped")
        self.assertEqual(outcome.status, 0)

    def test_a_need_that_is_not_met_skips(self):
        _, result = only_result("15_needs_a_tool")
        self.assertEqual((result["status"], result["reason"]), ("skip", "needs the program no-such-program-anywhere"))

    def test_a_check_that_hangs_is_stopped_where_it_stands(self):
        outcome, failure = self.failure("05_hangs")
        self.assertEqual(failure["seen"], "it was still running")
        self.assertIn("05_hangs.py:9", failure["at"])
        self.assertEqual(failure["ran"], "sleep 1000")
        self.assertFalse(running("sleep 1000"))

    def test_a_process_left_behind_is_stopped_and_reported(self):
        _, failure = self.failure("06_leaks")
        self.assertEqual(failure["what"], "processes after the check")
        self.assertIn("sleep 1234, pid ", failure["seen"])
        self.assertFalse(running("sleep 1234"))

    def test_an_exception_is_a_failure(self):
        _, failure = self.failure("07_raises")
        self.assertEqual(failure["seen"], "KeyError: 'missing key'")
        self.assertIn("07_raises.py:6", failure["at"])

    def test_a_check_whose_process_dies_is_a_failure(self):
        _, failure = self.failure("17_dies")
        self.assertEqual(failure["seen"], "its process ended without one")

    def test_a_server_that_was_not_stopped_is_reported(self):
        _, failure = self.failure("08_leaves")
        self.assertIn("c.stop() was not called", failure["seen"])

    def test_a_file_without_docstring_fails(self):
        _, failure = self.failure("09_without")
        self.assertIn("no docstring", failure["seen"])

    def test_a_descriptor_left_open_by_the_check_fails(self):
        _, failure = self.failure("10_leaks")
        self.assertEqual(failure["what"], "descriptors of the checkpoint itself")

    def test_an_unknown_need_fails(self):
        _, failure = self.failure("11_unknown")
        self.assertIn("unknown need 'magic'", failure["seen"])

    def test_a_server_that_keeps_descriptors_fails(self):
        _, failure = self.failure("13_server")
        self.assertIn("open descriptors", failure["what"])
        self.assertEqual(int(failure["seen"]), int(failure["expected"]) + 1)

    def test_a_server_that_ignores_sigterm_fails(self):
        _, failure = self.failure("16_server")
        self.assertEqual(failure["seen"], "it was still running, and was killed")


    def test_a_server_that_died_is_named(self):
        _, failure = self.failure("19_server")
        self.assertEqual((failure["expected"], failure["seen"]),
                         ("it runs, and accepts a connection", "it ended with status 7"))

    def test_a_server_that_died_in_an_exchange_is_named_beside_what_its_client_saw(self):
        _, failure = self.failure("20_server")
        self.assertEqual(failure["seen"], "b''\npython3: it ended with status 7")


class Selection(unittest.TestCase):
    def test_all_together(self):
        outcome = run_checkpoints("epoll")
        self.assertEqual(outcome.last_line, "3 passed, 14 failed, 2 skipped")
        self.assertNotIn("epoll/14_full", outcome.results)
        self.assertIn("Start with the first: ./checkpoints/run --only epoll/02_fails --hint", outcome.text)
        self.assertNotIn("\x1b", outcome.text)

    def test_full_tier(self):
        self.assertEqual(run_checkpoints("--full", only="14_full").results["epoll/14_full"]["status"], "pass")

    def test_nothing_fits(self):
        outcome = run_checkpoints(only="no such name")
        self.assertEqual(outcome.status, 2)
        self.assertIn("--list", outcome.errors)

    def test_list(self):
        outcome = run_checkpoints("--list")
        self.assertIn("epoll/12_echo", outcome.text)
        self.assertIn("An echo server sends back what it gets.", outcome.text)

    def test_unknown_milestone(self):
        outcome = run_checkpoints("m9")
        self.assertEqual(outcome.status, 2)
        self.assertIn("there is no milestone m9", outcome.errors)

    def test_json_has_the_machine_and_the_counts(self):
        document = run_checkpoints(only="01_passes").document
        self.assertEqual(document["counts"], "1 passed, 0 failed, 0 skipped")
        self.assertIn("kernel", document["machine"])
        self.assertIn("open_files_limit", document["machine"])


class LearnersServer(unittest.TestCase):
    def test_only_checkpoints_that_judge_the_wire_run(self):
        outcome = run_checkpoints("--server", f"python3 {PROGRAMS}/echo_server.py --port {{port}}", "epoll",
                                  only="_")
        self.assertEqual([r["status"] for n, r in outcome.results.items() if n == "epoll/12_echo"], ["pass"])
        self.assertNotIn("epoll/01_passes", outcome.results)

    def test_a_server_of_files_gets_its_folder(self):
        command = f"python3 {PROGRAMS}/file_server.py --port {{port}} --root {{root}}"
        outcome = run_checkpoints("--server", command, only="18_files")
        self.assertEqual([r["status"] for r in outcome.results.values()], ["pass"], outcome.text)

    def test_a_server_is_judged_only_as_what_it_is(self):
        echo = run_checkpoints("--server", "x {port}", only="18_files").results["epoll/18_files"]
        self.assertEqual(echo["status"], "skip")
        self.assertIn("has no {root}", echo["reason"])
        files = run_checkpoints("--server", "x {port} {root}", only="12_echo").results["epoll/12_echo"]
        self.assertEqual(files["status"], "skip")
        self.assertIn("it judges an echo server", files["reason"])

    def test_a_server_that_does_not_listen(self):
        outcome = run_checkpoints("--server", "sh -c 'exit {port}'", only="12_echo")
        failure = outcome.results["epoll/12_echo"]["failure"]
        self.assertEqual(failure["what"], "your server")
        self.assertIn("it ended with status", failure["seen"])

    def test_m1_is_not_a_server(self):
        outcome = run_checkpoints("m1", "--server", "x {port}")
        self.assertEqual(outcome.status, 2)
        self.assertIn("m1 is not a server", outcome.errors)

    def test_the_port_must_have_its_place(self):
        outcome = run_checkpoints("--server", "x --port 80")
        self.assertEqual(outcome.status, 2)
        self.assertIn("{port}", outcome.errors)


class Doctor(unittest.TestCase):
    def test_it_names_what_will_be_skipped(self):
        outcome = run_checkpoints("--doctor")
        for text in ("io_uring_disabled", "locked memory", "open files", "seccomp", "strace", "tracepoints",
                     "needs the program no-such-program-anywhere", "epoll/15_needs_a_tool", "Next"):
            self.assertIn(text, outcome.text)
        self.assertEqual(outcome.status, 0)
