"""The table of features is complete and true.

Every name is in it. Those that setup, the features word or the opcode probe can tell are asked of the kernel once
more, by this checkpoint itself, without the program. Asked without IORING_REGISTER_QUERY the program must come to the
same answers by other evidence.
"""

import ctypes
import os
import re
import struct

from m1.lesson import argv, run_lesson

tier = "quick"
timeout = 120
hint = ["A flag that io_uring_setup refuses with EINVAL is unknown, or does not go with the others that were set.",
        "A version number proves nothing: distributions backport, containers take away."]

SYS_SETUP, SYS_REGISTER = 425, 427
REGISTER_PROBE, OP_SUPPORTED = 8, 1
# How the kernel is asked here: (setup flags to try), (bit of the features word), (opcode).
SETUP = {"cqsize": 1 << 3, "submit_all": 1 << 7, "coop_taskrun": 1 << 8, "taskrun_flag": 1 << 8 | 1 << 9,
         "single_issuer": 1 << 12, "defer_taskrun": 1 << 12 | 1 << 13, "no_sqarray": 1 << 16, "sqpoll": 1 << 1}
WORD = {"single_mmap": 0, "nodrop": 1, "submit_stable": 2, "ext_arg": 8, "buffer_update": 10, "cqe_skip": 11,
        "bundles": 14, "min_wait": 15}
OPCODE = {"openat2": 28, "msg_ring": 40, "send_zc": 47, "sendmsg_zc": 48, "futex": 51, "epoll_wait": 59}
OTHERS = {"registered_ring", "buffer_ring", "buffer_ring_inc", "multishot_accept", "multishot_recv",
          "multishot_recv_limit", "direct_accept", "cancel_fd", "registered_wait", "ring_resize", "clone_buffers", "query"}
ROW = re.compile(r"^  ([a-z_0-9]+) +([0-9]+\.[0-9]+) +(yes|no) +(query|feature word|probe|trial|masked) ", re.MULTILINE)

libc = ctypes.CDLL(None, use_errno=True)


def setup(flags):
    """The descriptor of a ring of 4 (or -1) and the kernel's features word."""
    params = ctypes.create_string_buffer(struct.pack("=IIIIII", 0, 8, flags, 0, 0, 0), 120)
    return libc.syscall(SYS_SETUP, 4, params), struct.unpack_from("=I", params, 20)[0]


def setup_allowed(flags):
    fd, _ = setup(flags)
    if fd >= 0:
        os.close(fd)
    return fd >= 0


def supported_opcodes(fd):
    probe = ctypes.create_string_buffer(16 + 8 * 256)
    if libc.syscall(SYS_REGISTER, fd, REGISTER_PROBE, probe, 256) < 0:
        return set()
    ops = (struct.unpack_from("=BBH", probe, 16 + 8 * i) for i in range(probe.raw[1]))
    return {op for op, _, flags in ops if flags & OP_SUPPORTED}


def truth():
    fd, word = setup(0)
    opcodes = supported_opcodes(fd)
    os.close(fd)
    answers = {name: setup_allowed(flags) for name, flags in SETUP.items()}
    answers |= {name: bool(word >> bit & 1) for name, bit in WORD.items()}
    return answers | {name: opcode in opcodes for name, opcode in OPCODE.items()}


def table(text):
    """name -> (here, known by)"""
    return {name: (here == "yes", known_by) for name, _, here, known_by in ROW.findall(text)}


def check(c):
    rows = table(run_lesson(c, "features").stdout)
    kernel = truth()
    c.none("features that are not in the table", sorted((kernel.keys() | OTHERS) - rows.keys()))
    c.none("rows that are not what this kernel does",
           [f"{name}: the table says {rows[name]}, the kernel {kernel[name]}"
            for name in kernel if rows[name][0] != kernel[name]])

    others = table(run_lesson(c, "features", env={"URING_DISABLE": "query"}).stdout)
    c.equal("query, masked", (False, "masked"), others.pop("query"))
    c.none("rows by QUERY although it is masked",
           [name for name, (_, known_by) in others.items() if known_by == "query"])
    c.none("rows that QUERY and the other evidence see differently",
           [f"{name}: {rows[name]} and {row}" for name, row in others.items() if rows[name][0] != row[0]])

    wrong = c.run(argv(c, "features"), env={"URING_DISABLE": "buffer_rong"})
    c.equal("exit status with an unknown name in URING_DISABLE", 2, wrong.status)
    c.equal("standard output then", "", wrong.stdout)
    c.equal("lines of the message", 1, wrong.stderr.count("\n"))
    c.contains("the message names the nearest", "'buffer_ring'", wrong.stderr)
