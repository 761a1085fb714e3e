"""SIGUSR1 prints the connections and the counters, and what it prints is true.

Three clients (one that talked, a silent one, one that does not read) are found in the table by their ports, with the
bytes that they sent, their state, and the time at which the idle timeout will close them.
"""

from epoll import life, servers

hint = "A signal is read from a signalfd between callbacks, so that the table is not printed in the middle of a change."
COUNTERS = ["accepted", "closed", "turns", "events", "epoll_ctl_calls", "stale_events", "timers_expired"]


def check(c):
    life.report(c, servers.echo(c), COUNTERS)
