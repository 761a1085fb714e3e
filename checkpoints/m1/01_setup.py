"""A ring is one io_uring_setup and two maps, and its CQ is at least twice its SQ.

strace shows what the kernel wrote into params, and the mmap calls on the ring's descriptor. Then the program is
held in the middle of the lesson, and the kernel itself says (fdinfo, maps) what it made.
"""

from m1.lesson import Held, ended_well, strace_lesson

needs = ["strace"]
tier = "quick"
timeout = 120
hint = ["Without IORING_SETUP_CQSIZE the kernel makes the CQ twice the SQ. With it, cq_entries is yours to give: "
        "a CQ of the SQ's size overflows as soon as more than one batch is in flight.",
        "The offsets in params count from the start of the map; the last array of each ring tells its size."]

SQE_BYTES, CQE_BYTES = 64, 16
OFF_SQ_RING, OFF_CQ_RING, OFF_SQES = 0, 0x8000000, 0x10000000


def ring_maps(trace, setup):
    """offset -> bytes of the maps of this setup's descriptor, until that is closed."""
    found = {}
    for call in trace.calls[trace.calls.index(setup) + 1 :]:
        if call.name == "close" and call.number(0) == setup.result:
            break
        if call.name == "mmap" and call.number(4) == setup.result:
            found[call.number(5)] = call.number(1)
    return found


def nop_ring(c, env):
    """The one ring that the nop lesson makes, and its maps."""
    trace = strace_lesson(c, "nop", calls=["io_uring_setup", "mmap", "close"], env=env)
    ended_well(c, trace.result)
    c.equal("io_uring_setup calls", 1, trace.count("io_uring_setup"))
    setup = trace.named("io_uring_setup")[0]
    return setup, ring_maps(trace, setup)


def check(c):
    trace = strace_lesson(c, "setup", calls=["io_uring_setup", "mmap", "close"])
    made = [call for call in trace.named("io_uring_setup") if call.errno is None]
    c.at_least("rings made by the lesson", 3, len(made))
    c.none("rings with a CQ smaller than twice their SQ",
           [call.line for call in made if call.field(1, "cq_entries") < 2 * call.field(1, "sq_entries")],
           usually="With IORING_SETUP_CQSIZE, cq_entries was set to the size of the SQ.")
    refused = [call.errno for call in trace.named("io_uring_setup") if call.errno]
    c.expect(refused and set(refused) == {"EINVAL"}, "sizes out of range", expected="EINVAL", seen=refused)
    asked = [call for call in made if call.number(0) == 6 and call.field(1, "cq_entries") == 32]
    c.at_least("rings asked for with an SQ of 6 and a CQ of 20", 1, len(asked))
    c.equal("their SQ", {8}, {call.field(1, "sq_entries") for call in asked})

    setup, maps = nop_ring(c, env={})
    c.equal("offsets mapped", [OFF_SQ_RING, OFF_SQES], sorted(maps),
            usually="IORING_FEAT_SINGLE_MMAP: the CQ lies in the SQ's map, a third map is not needed.")
    c.at_least("bytes mapped of the rings", setup.field(1, "cqes") + CQE_BYTES * setup.field(1, "cq_entries"),
               maps[OFF_SQ_RING], usually="The size of the larger ring: the CQ ends with its array of CQEs.")
    c.equal("bytes mapped of the SQEs", SQE_BYTES * setup.field(1, "sq_entries"), maps[OFF_SQES])

    setup, maps = nop_ring(c, env={"URING_DISABLE": "single_mmap"})
    c.equal("offsets mapped without single_mmap", [OFF_SQ_RING, OFF_CQ_RING, OFF_SQES], sorted(maps))
    c.at_least("bytes mapped of the CQ ring", setup.field(1, "cqes") + CQE_BYTES * setup.field(1, "cq_entries"),
               maps[OFF_CQ_RING])

    setup, _ = nop_ring(c, env={"URING_DISABLE": "cqsize"})
    c.equal("setup flags CQSIZE when it is masked", 0, setup.field(1, "flags") & 0x8)
    c.equal("the kernel's own choice of the CQ", 2 * setup.field(1, "sq_entries"), setup.field(1, "cq_entries"))

    ended_well(c, trace.result)
    with Held(c, "setup") as program:
        program.until("What lies where: sq_off")
        c.equal("rings open", 1, len(c.ring_fds(program.pid)))
        c.equal("offsets in /proc/PID/maps", [OFF_SQ_RING, OFF_SQES],
                sorted(mapping.offset for mapping in c.ring_maps(program.pid)))
        numbers = c.fdinfo(program.pid).numbers
        if "CqMask" in numbers:  # not on older kernels
            c.equal("the kernel's masks", (7, 31), (numbers["SqMask"], numbers["CqMask"]))
