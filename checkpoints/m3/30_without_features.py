"""On kernels that have less the server does the same with less: without each feature, and without all of them.

URING_DISABLE masks the features. Each time clients talk at once; and what was masked does not reach the kernel: the
tracepoints show no ring with such a flag, no such registration, and no request that goes on.
"""

from m3 import requests
from m3 import server as m3

needs = ["tracepoints"]
timeout = 120
hint = "Every use of a feature asks first, and has something to do without it."

# Where each of them shows: bits of io_uring_setup's flags, and opcodes of io_uring_register.
SETUP = {"cqsize": 3, "submit_all": 7, "coop_taskrun": 8, "single_issuer": 12, "defer_taskrun": 13, "no_sqarray": 16}
REGISTER = {"registered_ring": 20, "buffer_ring": 22}
MULTISHOT = {"multishot_accept": "ACCEPT", "multishot_recv": "RECV"}
UNSEEN = ["multishot_recv_limit", "direct_accept", "ext_arg", "submit_stable"]
ALL = [*SETUP, *REGISTER, *MULTISHOT, *UNSEEN]
CLIENTS, CROWDS = 8, 2


def reached_kernel(seen, ring):
    """Of the features above, those that this run has used: feature -> how."""
    made = seen.named("create")[-1]
    used = {name: made.line for name, bit in SETUP.items() if made["flags"] >> bit & 1}
    for event in ring.events:
        if event.name == "register":
            used.update({name: event.line for name, opcode in REGISTER.items() if event["opcode"] == opcode})
    for name, opcode in MULTISHOT.items():
        used.update({name: event.line for event in ring.completed(opcode) if event["cflags"] & requests.MORE})
    return used


def serve(c, masked):
    disabled = {"URING_DISABLE": ",".join(masked)}
    with requests.watched(c, env=disabled, events=["io_uring_register"]) as (server, seen):
        for _ in range(CROWDS):
            requests.talk_anew(c, server, CLIENTS, size=10_000)
    m3.stop(c, server)
    ring = requests.Requests(seen)
    return ring.opcodes(), reached_kernel(seen, ring)


def check(c):
    _, unmasked = serve(c, [])
    if c.kernel >= (6, 6):
        # COOP_TASKRUN is for kernels without DEFER_TASKRUN.
        c.none("features that even unmasked are not seen",
               [name for name in ALL if name not in unmasked and name not in [*UNSEEN, "coop_taskrun"]],
               usually="The server asks in another way than this checkpoint knows.")
    for masked in [[name] for name in ALL] + [ALL]:
        opcodes, used = serve(c, masked)
        c.none(f"masked features that reach the kernel, URING_DISABLE={','.join(masked)}",
               [f"{name}: {used[name]}" for name in masked if name in used],
               usually="A use that does not ask Features::has().")
        if "multishot_accept" in masked:
            c.equal(f"ACCEPT requests for {CROWDS * CLIENTS} connections without multishot", CROWDS * CLIENTS + 1,
                    opcodes["ACCEPT"])
        if "buffer_ring" in masked:
            c.at_least("PROVIDE_BUFFERS requests without buffer rings", 1, opcodes["PROVIDE_BUFFERS"])
    refused = c.run(m3.argv(c, "--direct-descriptors"), env={"URING_DISABLE": "direct_accept"})
    c.equal("exit status with --direct-descriptors where ACCEPT cannot fill the table", 2, refused.status)
    c.contains("its sentence", "direct-descriptors", refused.stderr)
