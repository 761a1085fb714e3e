"""Features that show only in SQEs are not tried either when URING_DISABLE names them.

The tracepoint io_uring_submit_req (or req_failed) shows each trial request. Unmasked they are there; masked, none is.
"""

from m1.lesson import ended_well, trace_lesson

needs = ["tracepoints"]
tier = "quick"
hint = "Features::detect() skips the trial of a masked row, and of every row that needs it."

# The request by which each feature is tried.
TRIALS = {"multishot_accept": "ACCEPT", "multishot_recv": "RECV", "cancel_fd": "ASYNC_CANCEL"}


def tried(events):
    return [event["opcode"] for event in events.named("submit_req", "req_failed")]


def check(c):
    unmasked = tried(trace_lesson(c, "features"))
    c.none("features that even unmasked are not tried",
           [f"{name}: {opcode}" for name, opcode in TRIALS.items() if opcode not in unmasked])
    for name, opcode in TRIALS.items():
        events = trace_lesson(c, "features", env={"URING_DISABLE": name})
        c.none(f"{opcode} requests with {name} masked", [seen for seen in tried(events) if seen == opcode],
               usually="The trial is made before anybody asks whether the feature is masked.")
        c.equal(f"other trials with {name} masked", sorted(seen for seen in unmasked if seen != opcode),
                sorted(tried(events)))
        ended_well(c, events.result)
