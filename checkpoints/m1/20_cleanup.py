"""Everything that was registered is unregistered, every map of a ring unmapped, every ring closed.

strace pairs the calls of every lesson, trial rings included. Then the cleanup lesson is held at its end, and /proc
shows the descriptors and maps that it still has: those that it began with.
"""

from collections import Counter

from m1.lesson import TIMEOUT_S, Held, argv, ended_well, lessons

needs = ["strace"]
tier = "quick"
timeout = 120
hint = ["The guards run in the reverse order of their making: buffers and files go before the ring is closed.",
        "A descriptor that was registered with IORING_REGISTER_RING_FDS keeps the ring alive until the thread ends."]

# What io_uring_register undoes what: the opcodes, by number, since strace knows only those of its time.
PAIRS = {"RING_FDS": ({20}, 21), "BUFFERS": ({0, 15}, 1), "FILES": ({2, 13}, 3), "PBUF_RING": ({22}, 23)}


def ring_maps_left(trace):
    """The maps of ring descriptors that were never unmapped."""
    rings, left = set(), {}
    for call in trace.calls:
        if call.errno is not None or call.result is None:
            continue
        if call.name == "io_uring_setup":
            rings.add(call.result)
        elif call.name == "close":
            rings.discard(call.number(0))
        elif call.name == "mmap" and call.number(4) in rings:
            left[call.result] = call
        elif call.name == "munmap" and call.number(0) in left and call.number(1) == left[call.number(0)].number(1):
            del left[call.number(0)]
    return [call.line for call in left.values()]


def check_lesson(c, lesson):
    """Returns how often it registered what."""
    trace = c.strace(argv(c, lesson), timeout=TIMEOUT_S,
                     calls=["io_uring_setup", "io_uring_register", "mmap", "munmap", "close"])
    calls = Counter(call.number(1) for call in trace.named("io_uring_register") if call.errno is None)
    registered = Counter({name: sum(calls[opcode] for opcode in begin) for name, (begin, _) in PAIRS.items()})
    for name, (_, end) in PAIRS.items():
        c.equal(f"{lesson}: registrations of {name} undone", registered[name], calls[end],
                usually="The guard that unregisters was released, or never made.")
    made = Counter(call.result for call in trace.named("io_uring_setup") if call.errno is None)
    closed = Counter(call.number(0) for call in trace.named("close") if call.errno is None)
    c.at_least(f"{lesson}: rings made", 1, sum(made.values()))
    c.none(f"{lesson}: ring descriptors that were never closed", [fd for fd in made if closed[fd] < made[fd]])
    c.none(f"{lesson}: maps of a ring that were never unmapped", ring_maps_left(trace),
           usually="Closing the descriptor does not unmap: the ring lives on until munmap.")
    ended_well(c, trace.result)
    return registered


def check(c):
    registered = sum((check_lesson(c, lesson) for lesson in lessons(c)), Counter())
    c.none("what no lesson registers", sorted(PAIRS.keys() - registered.keys()))

    with Held(c, "cleanup") as program:
        program.until("cleanup: ")
        before = c.count_fds(program.pid)
        c.equal("rings before the lesson", ([], []), (c.ring_fds(program.pid), c.ring_maps(program.pid)))
        program.until("A read waits on one end")
        c.equal("rings in the middle of it", 1, len(c.ring_fds(program.pid)))
        program.until("The balance")
        c.equal("rings at the end", ([], []), (c.ring_fds(program.pid), c.ring_maps(program.pid)),
                usually="A map or a descriptor of a ring is still there.")
        c.equal("open descriptors at the end", before, c.count_fds(program.pid),
                usually="Each descriptor belongs to a guard that closes it (base::UniqueFd).")
