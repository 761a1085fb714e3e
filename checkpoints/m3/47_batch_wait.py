"""With --batch-wait a busy server waits for many completions in one enter; who talks alone waits for nobody.

400 clients are busy with a server that shares their CPU. The tracepoints show for how many completions each wait is:
for many with --batch-wait 100us, and never for more than one without the option, nor where the kernel does not know how
long to wait for the many (min_wait masked). Then one client talks beside 400 silent ones, and no wait is for others.
"""

import contextlib
import time

from epoll import load
from epoll.clients import STALL_S, same_bytes
from m3 import server as m3

needs = ["tracepoints", "kernel>=6.12"]
hint = ["min_wait_usec of io_uring_getevents_arg: after that time one completion is enough.",
        "The SENDs of a turn complete with the submit: wait for them and for the clients.",
        "Look often at how many clients are busy: those that were may have fallen silent."]

CONNECTIONS, MESSAGES, ALONE = 400, 16_000, 200
LOAD = ["--connections", CONNECTIONS, "--requests", MESSAGES, "--warmup", "0", "--duration", "10s"]
PERIOD_S = 0.02  # in which the server counts who is busy, at most
PART = 32  # a 32nd of the busy clients is waited for


@contextlib.contextmanager
def waits(c, server):
    """For how many completions each wait is that begins in the block, until the last client has its answer. A wait for
    what is there already is none."""
    numbers = []
    with c.tracepoints(["io_uring_cqring_wait", "io_uring_submit_req"], own_threads=True) as seen:
        yield numbers
    events = [event for event in seen if event.tid == server.pid]
    last = max((at for at, event in enumerate(events) if event.fields.get("opcode") in ("SEND", "SENDMSG")), default=0)
    numbers += [event["min_events"] for event in events[:last] if event.name == "cqring_wait"]


def waits_under_load(c, server):
    with waits(c, server) as numbers:
        target = load.run(c, "echo", server, *LOAD)
    c.at_least("messages", MESSAGES, target["messages"])
    return numbers


def waits_for_one(c, server):
    """Of a server to which one client talks, when it has seen that all others are silent."""
    with contextlib.ExitStack() as stack:
        *_, client = [stack.enter_context(c.connect(server, timeout=STALL_S)) for _ in range(CONNECTIONS + 1)]

        def say(times):
            for _ in range(times):
                client.sendall(b"hello")
                same_bytes(c, "the answer to one who talks alone", b"hello", client.recv(10))

        say(1)
        time.sleep(2 * PERIOD_S)
        say(1)
        with waits(c, server) as numbers:
            say(ALONE)
    return numbers


def many(c, numbers):
    c.at_least(f"completions that a wait is for at most, with {CONNECTIONS} clients and the SENDs for some of them",
               CONNECTIONS // PART + 1, max(numbers, default=0),
               usually="The SENDs of the turn complete with the submit: who does not count them waits for nobody else.")
    c.at_least(f"waits for more than one completion, of {len(numbers)}", max(10, len(numbers) // 2),
               sum(number > 1 for number in numbers))
    c.note(f"{len(numbers)} waits, half of them for {sorted(numbers)[len(numbers) // 2]} completions or more")


def one(c, numbers):
    c.equal("completions that a wait is for at most, under load", 1, max(numbers, default=1),
            usually="Where nothing ends a wait for many before they are there, it is for one.")


def served(c, judge, *words, masked=""):
    shown = " ".join(words) + (f" without {masked}" if masked else "") or "by default"
    with m3.serving(c, *words, env={"URING_DISABLE": masked}) as server:
        judge(c, waits_under_load(c, server))
        c.note(f"{m3.counters(c, server)['turns'] / MESSAGES:.3f} enters for each message, {shown}")
        numbers = waits_for_one(c, server)
    c.at_least(f"waits for one who talks alone, {shown}", ALONE // 2, len(numbers))
    c.equal(f"completions that such a wait is for at most, {shown}", 1, max(numbers),
            usually="What was right for many clients was kept when they had fallen silent.")


def check(c):
    load.descriptors(c, CONNECTIONS + 200)
    load.share_a_cpu()
    served(c, many, "--batch-wait", "100us")
    served(c, one)
    served(c, one, "--batch-wait", "100us", masked="min_wait")
