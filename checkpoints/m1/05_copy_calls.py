"""The copied bytes go through the ring, and through no other system call.

strace sees every call on the two descriptors: neither read nor write, neither sendfile nor copy_file_range, in none of
their forms, and no map of the file. What moves the bytes is io_uring_enter.
"""

from m1.lesson import make_file, sha256, strace_copy

needs = ["strace"]
tier = "quick"
timeout = 120
hint = "SQEs are invisible to strace: where the bytes arrive and it shows no read and no write, the ring moved them."

MOVERS = ["read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2",
          "sendfile", "copy_file_range", "splice", "tee", "vmsplice", "mmap"]
FD_ARGUMENTS = {"sendfile": (0, 1), "copy_file_range": (0, 2), "splice": (0, 2), "tee": (0, 1), "mmap": (4,)}
BLOCKS, BLOCK = 16, 1024 * 1024


def check(c):
    folder = c.temp_dir()
    source = make_file(folder / "source", BLOCKS * BLOCK)
    trace = strace_copy(c, source, folder / "copy", calls=["io_uring_setup", "io_uring_enter", *MOVERS])
    c.equal("SHA-256 of the copy", sha256(source), sha256(folder / "copy"))

    files = {call.result for call in trace.named("openat") if str(folder) in call.args[1] and call.errno is None}
    c.equal("files opened", 2, len(files))
    touched = [call.line for call in trace.named(*MOVERS)
               if any(call.number(place) in files for place in FD_ARGUMENTS.get(call.name, (0,)))]
    c.none("calls that move bytes beside the ring", touched,
           usually="A block was read or written by the system call of that name.")
    c.equal("rings", 1, trace.count("io_uring_setup"))
    taken = sum(call.result for call in trace.named("io_uring_enter") if call.errno is None)
    c.at_least("requests taken: a READ and a WRITE per block", 2 * BLOCKS, taken)
    c.at_most("io_uring_enter calls", 2 * BLOCKS + 8, trace.count("io_uring_enter"),
              usually="The wait is for one completion and the submit for all that is prepared: one call does both.")
