"""An interrupted wait loses nothing: the copy enters again, and submits what was not taken.

A copy that waits for a FIFO is stopped and continued (as Ctrl-Z and fg do), which ends its wait with EINTR. Then strace
makes every second enter of a copy fail with EINTR before the kernel has taken anything. Both times all bytes arrive.
"""

import os
import signal
from pathlib import Path

from m1.lesson import argv, make_file, sha256, strace_copy

needs = ["strace"]
tier = "quick"
timeout = 120
hint = ["EINTR comes from a wait even with SA_RESTART, and when nothing was submitted. It is no failure: wait again.",
        "SQEs that the kernel did not take are still in the queue: the next to_submit counts them once more."]


def check_stop_and_continue(c):
    folder = c.temp_dir()
    os.mkfifo(folder / "fifo")
    copying = c.start(argv(c, "copy", folder / "fifo", folder / "copy"), first_line=None,
                      strace_calls=["io_uring_enter"])

    def seen(text):
        read = copying.live_trace.read()
        return sum(text in line for line in [*read.others, *(call.line for call in read)])

    def wait_for(condition):
        c.wait_until(lambda: copying.status is not None or condition(), 20)

    def sleeps():
        return Path(f"/proc/{copying.pid}/stat").read_text().rpartition(") ")[2].startswith("S")

    sent = os.urandom(50_000)
    with open(folder / "fifo", "wb", buffering=0) as fifo:
        fifo.write(sent[:1000])
        c.expect(c.wait_until(lambda: 1000 in [path.stat().st_size for path in folder.iterdir()], 20),
                 "the first bytes", expected="they are copied", seen="they are not")
        for number in range(1, 5):
            wait_for(sleeps)
            copying.signal(signal.SIGSTOP)
            wait_for(lambda number=number: seen("stopped by SIGSTOP") >= number)
            copying.signal(signal.SIGCONT)
        wait_for(sleeps)
        c.expect(copying.status is None, "a copy that was stopped and continued", expected="it waits again",
                 seen=f"it ended with status {copying.status}",
                 usually="EINTR was taken for a failure: " + copying.stderr())
        fifo.write(sent[1000:])
    c.expect(copying.wait(20), "the end of the copy", expected="it ends with its source", seen="it still runs")
    c.stop(copying)
    c.at_least("waits that the kernel ended with EINTR", 1, seen("EINTR"))
    c.expect(sent == (folder / "copy").read_bytes(), "the copy", expected="all bytes of the FIFO", seen="others")


def check_injected(c):
    folder = c.temp_dir()
    source = make_file(folder / "source", 8 << 20)
    calls = ["io_uring_enter", "openat"]
    whole = c.strace(argv(c, "copy", source, folder / "copy"), calls=calls).calls
    opened = next(place for place, call in enumerate(whole) if call.name == "openat" and str(source) in call.args[1])
    trials = sum(call.name == "io_uring_enter" for call in whole[:opened])

    os.unlink(folder / "copy")
    trace = strace_copy(c, source, folder / "copy", calls=["io_uring_enter"],
                        inject=[f"io_uring_enter:error=EINTR:when={trials + 1}+2"])
    enters = trace.named("io_uring_enter")
    refused = [place for place, call in enumerate(enters) if call.injected]
    c.at_least("enters made to fail", 5, len(refused))
    pairs = [(enters[place].number(1), enters[place + 1].number(1)) for place in refused if place + 1 < len(enters)]
    c.equal("to_submit of the enters after them", [first for first, _ in pairs], [second for _, second in pairs],
            usually="What the kernel did not take was given up: to_submit must count it again.")
    c.equal("SHA-256 of the copy", sha256(source), sha256(folder / "copy"))


def check(c):
    check_stop_and_continue(c)
    check_injected(c)
