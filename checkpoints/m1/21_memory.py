"""The whole tour makes no memory error, and leaves neither memory nor a descriptor behind.

valgrind runs all lessons. What the kernel writes through a ring it does not see; what our own code reads, frees and
forgets it does.
"""

import re

from m1.lesson import PROGRAM

needs = ["tool:valgrind"]
timeout = 300
hint = "valgrind --leak-check=full --track-fds=yes build/release/m1_sq_cq/m1_sq_cq LESSON shows where."


def check(c):
    log_path = c.temp_dir() / "valgrind"
    options = ["--leak-check=full", "--show-leak-kinds=all", "--errors-for-leak-kinds=all", "--track-fds=yes"]
    result = c.run(["valgrind", f"--log-file={log_path}", *options, c.program(PROGRAM)], timeout=240)
    log = log_path.read_text(errors="replace")
    unhandled = re.search(r"unhandled .*syscall: 42[567]", log)
    if unhandled:
        c.skip("this valgrind does not know io_uring's system calls")
    c.equal("exit status", 0, result.status, usually=result.stderr)
    c.contains("the tour", "everything was as they claim", result.stdout)
    summary = re.search(r"ERROR SUMMARY: (\d+) errors", log)
    c.expect(summary and int(summary.group(1)) == 0, "memory errors and leaks", expected="0", seen=log[-2000:],
             usually="Memory that was used after it was freed, or never freed.")
    descriptors = re.findall(r"Open (?:file descriptor|\w+ socket) .*\n.*", log)
    c.none("descriptors left open", [text for text in descriptors if "inherited from parent" not in text],
           usually="Each descriptor belongs to a guard that closes it (base::UniqueFd).")
    c.contains("valgrind counted descriptors", "FILE DESCRIPTORS:", log)
