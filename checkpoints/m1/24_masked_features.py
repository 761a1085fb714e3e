"""A feature that URING_DISABLE names never reaches the kernel, not even to find out whether it is there.

strace sees the setup flags, enter flags and register calls by which each feature would show. Without a mask they are
there (so the check can see them); masked, every lesson works and makes none of them.
"""

from m1.lesson import TIMEOUT_S, argv, lessons

needs = ["strace"]
tier = "quick"
timeout = 180
hint = "Every use asks Features::has() first, and so does every trial: a row that needs a masked one is not tried."

# Bits of params.flags, bits of io_uring_enter's flags, opcodes of io_uring_register.
SETUP = {"cqsize": 3, "sqpoll": 1, "submit_all": 7, "coop_taskrun": 8, "taskrun_flag": 9, "single_issuer": 12,
         "defer_taskrun": 13, "no_sqarray": 16}
ENTER = {"ext_arg": 3, "registered_wait": 6}
REGISTER = {"sparse_buffers": 15, "registered_ring": 20, "buffer_ring": 22, "sync_cancel": 24, "clone_buffers": 30,
            "send_msg_ring": 31, "ring_resize": 33}
QUERY = {"query": 35}


def traces_of(trace):
    """feature -> the calls that bring it to the kernel."""
    seen = {name: [] for name in SETUP | ENTER | REGISTER | QUERY}
    for call in trace.calls:
        for name, bit in SETUP.items():
            if call.name == "io_uring_setup" and call.field(1, "flags") >> bit & 1:
                seen[name].append(call.line)
        for name, bit in ENTER.items():
            if call.name == "io_uring_enter" and call.number(3) >> bit & 1:
                seen[name].append(call.line)
        for name, opcode in (REGISTER | QUERY).items():
            if call.name == "io_uring_register" and call.number(1) == opcode:
                seen[name].append(call.line)
    return seen


def check(c):
    calls = ["io_uring_setup", "io_uring_enter", "io_uring_register"]

    def traced(command, masked):
        trace = c.strace(command, calls=calls, timeout=TIMEOUT_S, env={"URING_DISABLE": ",".join(masked)})
        c.equal(f"exit status with URING_DISABLE={','.join(masked)}", 0, trace.result.status,
                usually=trace.result.stderr)
        return traces_of(trace)

    # With QUERY masked too, setup flags are found out by trying them.
    tried = traced(argv(c, "features"), masked=["query"])
    tried["query"] = traced(argv(c, "features"), masked=[])["query"]
    c.none("features that even unmasked are not seen", [name for name, lines in tried.items() if not lines],
           usually="The program asks in another way than this checkpoint knows.")

    everything = [*SETUP, *ENTER, *REGISTER]
    for masked in (everything, [*everything, "query"]):
        for lesson in lessons(c):
            seen = traced(argv(c, lesson), masked)
            for name in masked:
                c.none(f"{lesson}: calls that bring {name} to the kernel, masked", seen[name],
                       usually="A trial, or a use, does not ask whether the feature is masked.")
