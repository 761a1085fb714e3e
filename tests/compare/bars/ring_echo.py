"""What is measured of the network server, milestone 3. Each comparison is a run of its own, with one
reference: the connections to a third server would be open, too, and silent ones are not free."""

from dataclasses import dataclass

from . import servers, workloads
from .workloads import Workload

MANY = 1000
PIPELINED = 16
LARGE_BYTES = 64 << 10

# The least ratio of messages per server-CPU second; for short connections, of connections.
EPOLL_BAR = 0.97
ASIO_BAR = 1.0
SHORT_BAR = 1.08
# System calls for a message on MANY connections, where it waits to batch; and what that may do to p50 and p99.
MOST_CALLS = 0.05
MOST_LATENCY = 1.05
BATCH_WAIT = ("--batch-wait", "30us")


@dataclass(frozen=True)
class Load:
    title: str
    connections: int = workloads.CONNECTIONS
    message_bytes: int = workloads.ECHO_BYTES
    options: tuple = ()

    def beside(self, ours, other, bar, **details):
        options = ["--size", self.message_bytes, *self.options]
        return Workload(f"{self.title}: {ours.name} and {other.name}", "echo", options, self.message_bytes, ours,
                        [other], bar, **{"counts_calls": False, "connections": self.connections, **details})


FEW_CLIENTS = Load(f"64 bytes, {workloads.CONNECTIONS} connections")
MANY_CLIENTS = Load(f"64 bytes, {MANY} connections", MANY)
PIPELINE = Load(f"64 bytes, {PIPELINED} in flight on each", options=("--pipeline", PIPELINED))
LARGE = Load("64 KiB", message_bytes=LARGE_BYTES)
SHORT = Load("a connection for each message", options=("--requests-per-connection", 1))

# A form of the server, by its options, and the loads under which it should differ.
FORMS = {
    "the_same_again": ((), (FEW_CLIENTS,)),  # what it takes to be told apart
    "single_shot": (("--single-shot",), (FEW_CLIENTS, MANY_CLIENTS, PIPELINE, SHORT)),
    "direct": (("--direct-descriptors",), (FEW_CLIENTS, MANY_CLIENTS, SHORT)),
    "send_buffers_1": (("--send-buffers", 1), (PIPELINE, LARGE)),
    "buffers_64": (("--buffers", 64), (MANY_CLIENTS, LARGE)),
    "buffers_4096": (("--buffers", 4096), (MANY_CLIENTS, LARGE)),
    "buffers_of_4K": (("--buffer-size", "4K", "--buffers", 2048), (FEW_CLIENTS, MANY_CLIENTS, LARGE)),
    "buffers_of_64K": (("--buffer-size", "64K", "--buffers", 128), (FEW_CLIENTS, MANY_CLIENTS, LARGE)),
}


def beside_epoll(programs, cpu, stack):
    references = workloads.epoll_echoes(programs, cpu, stack)
    ours = start(programs, "m3", (), cpu, stack)
    direct = start(programs, "m3_direct", ("--direct-descriptors",), cpu, stack)
    planned = []
    for reference in references:
        planned += [
            FEW_CLIENTS.beside(ours, reference, EPOLL_BAR),
            MANY_CLIENTS.beside(ours, reference, EPOLL_BAR, counts_calls=True),
            PIPELINE.beside(ours, reference, EPOLL_BAR),
            LARGE.beside(ours, reference, None),
            SHORT.beside(ours, reference, SHORT_BAR),
            SHORT.beside(direct, reference, SHORT_BAR),
        ]
    return planned


def beside_asio(programs, cpu, stack):
    asio = stack.enter_context(servers.start("asio_uring", [programs.library("asio_uring"), "--port", "0"], cpu))
    ours = start(programs, "m3", (), cpu, stack)
    planned = [load.beside(ours, asio, ASIO_BAR) for load in (FEW_CLIENTS, PIPELINE)]
    planned += [load.beside(ours, asio, None) for load in (LARGE, SHORT)]
    return [*planned, MANY_CLIENTS.beside(ours, asio, ASIO_BAR, counts_calls=True)]


def waiting_to_batch(programs, cpu, stack):
    """Beside the server as it is delivered, which does not wait."""
    waits = start(programs, "m3_batch_wait", BATCH_WAIT, cpu, stack)
    ours = start(programs, "m3", (), cpu, stack)
    judged = {"counts_calls": True, "most_calls": MOST_CALLS, "most_latency": MOST_LATENCY}
    return [MANY_CLIENTS.beside(waits, ours, None, **judged), FEW_CLIENTS.beside(waits, ours, None)]


def forms(programs, cpu, stack):
    """The server as it is delivered beside its other forms: a ratio above 1 is better for the former."""
    ours = start(programs, "m3", (), cpu, stack)
    planned = []
    for name, (options, loads) in FORMS.items():
        other = start(programs, f"m3_{name}", options, cpu, stack)
        planned += [load.beside(ours, other, None, counts_calls=load is MANY_CLIENTS) for load in loads]
    return planned


def start(programs, name, options, cpu, stack):
    return workloads.start_ours(name, [programs.network_server, *options], cpu, stack)
