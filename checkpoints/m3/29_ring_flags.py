"""The ring is set up with what makes it cheap, as far as this kernel has it, and entered by its registered index.

strace shows the flags of the ring that serves: one thread submits (SINGLE_ISSUER), which works off completions when it
waits for them (DEFER_TASKRUN); a bad request does not stop those behind it (SUBMIT_ALL), the CQ has the size that was
asked for (CQSIZE), and no array stands between the SQ and its entries (NO_SQARRAY). Each io_uring_enter names the ring
by its index (REGISTERED_RING).
"""

from m3 import requests
from m3 import server as m3

needs = ["strace"]
hint = "Ask for all of them, and leave out what the kernel does not have: see Features::allowed_setup_flags()."

# IORING_SETUP_*: the bit, and the first kernel that has it.
SETUP = {"CQSIZE": (3, (5, 5)), "SUBMIT_ALL": (7, (5, 18)), "SINGLE_ISSUER": (12, (6, 0)),
         "DEFER_TASKRUN": (13, (6, 1)), "NO_SQARRAY": (16, (6, 6))}
REGISTER_RING_FDS, ENTER_REGISTERED_RING = 20, 4
COMES_WITH = {"registered ring": (5, 18)}
CALLS = ["io_uring_setup", "io_uring_register", "io_uring_enter"]


def check(c):
    with m3.serving(c, strace_calls=CALLS) as server:
        requests.talk_anew(c, server, 10)
        seen = requests.of_last_ring(server.live_trace.read())
    flags = seen[0].field(1, "flags")
    c.none("flags that the ring does not have, and this kernel does",
           [f"IORING_SETUP_{name}" for name, (bit, since) in SETUP.items()
            if c.kernel >= since and not flags >> bit & 1])
    sq, cq = seen[0].field(1, "sq_entries"), seen[0].field(1, "cq_entries")
    c.at_least("places in the CQ, for those in the SQ", 2 * sq, cq)
    c.note(f"flags 0x{flags:x}, SQ {sq}, CQ {cq}")
    if c.kernel >= COMES_WITH["registered ring"]:
        registered = [call for call in seen if call.name == "io_uring_register" and call.number(1) == REGISTER_RING_FDS]
        c.equal("registrations of the ring's descriptor", 1, len(registered))
        c.none("io_uring_enter calls by the descriptor",
               [call.line for call in seen if call.name == "io_uring_enter"
                and call.time > registered[0].time and not call.number(3) >> ENTER_REGISTERED_RING & 1],
               usually="Each of them looks the descriptor up, and takes and drops a reference to its file.")
