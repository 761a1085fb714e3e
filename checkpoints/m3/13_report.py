"""SIGUSR1 prints the connections and the counters, and what it prints is true.

Three clients (one that talked, a silent one, one that does not read) are found in the table by their ports, with the
bytes that they sent, their state, and the time at which the idle timeout will close them.
"""

from epoll import life
from m3 import server

hint = "Signals are read through the ring, so that the table is not printed in the middle of a change."
COUNTERS = ["accepted", "closed", "accepts", "receives", "received_buffers", "receives_ended", "receive_cancels",
            "buffer_waits", "sends", "short_sends", "sends_blocked", "sent_buffers", "replenishes",
            "urgent_replenishes", "batch_waits", "spills", "buffers_with_kernel", "buffers_held", "buffers_held_max",
            "buffer_waiters", "turns", "completions", "stale"]


def check(c):
    life.report(c, server.argv(c), COUNTERS, server.Ring())
