"""A table of fixed buffers is registered once, serves many requests, and is unregistered.

strace shows the io_uring_register calls of the lesson and that nobody reads or writes its file beside the ring. Held
with the table registered, the kernel itself says (fdinfo) that it has two buffers.
"""

import re

from m1.lesson import Held, ended_well, strace_lesson

needs = ["strace"]
tier = "quick"
timeout = 120
hint = ["Registering pins the pages. To do it for each operation costs more than not to do it at all.",
        "A ring has one table: a second registration is EBUSY. Slots of a sparse table are updated instead."]

REGISTER, UNREGISTER, REGISTER_SPARSE = 0, 1, 15
MOVERS = ["read", "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2", "readv", "writev"]


def check(c):
    trace = strace_lesson(c, "fixed-buffers", calls=["io_uring_register", "io_uring_enter", "openat", *MOVERS])
    tables = [call for call in trace.named("io_uring_register")
              if call.number(1) in (REGISTER, REGISTER_SPARSE, UNREGISTER)]
    refused = [call for call in tables if call.errno]
    c.equal("registrations refused", ["EBUSY"], [call.errno for call in refused],
            usually="The lesson shows one: a second table while there is one.")
    done = [call for call in tables if not call.errno]
    begun, ended = done[0::2], done[1::2]
    c.expect(all(call.number(1) != UNREGISTER for call in begun) and all(call.number(1) == UNREGISTER for call in ended)
             and len(begun) == len(ended), "tables", expected="each is registered, then unregistered",
             seen=[call.number(1) for call in done])
    c.expect(1 <= len(begun) <= 3, "tables registered", expected="one a part of the lesson, 3 at most", seen=len(begun),
             usually="The buffers are registered for each operation: that is what registering is to avoid.")
    c.equal("buffers of the first table", 2, begun[0].number(3))
    served = sum(call.result for call in trace.named("io_uring_enter") if begun[0].time < call.time < ended[0].time)
    c.at_least("requests served by the first table", 5, served)
    addresses = [int(text, 16) for text in re.findall(r"iov_base=(0x[0-9a-f]+)", begun[0].args[2])]
    c.none("buffers of the first table that happen to be page-aligned", [hex(at) for at in addresses if at % 4096 == 0])
    data = next(call.result for call in trace.named("openat") if "O_RDWR" in call.args[2])
    c.none("reads and writes of the file beside the ring",
           [call.line for call in trace.named("write", *MOVERS) if call.number(0) == data])

    with Held(c, "fixed-buffers") as program:
        program.until("WRITE_FIXED from slot 0")
        c.equal("UserBufs of the ring", 2, c.fdinfo(program.pid).number("UserBufs"))
    ended_well(c, trace.result)
