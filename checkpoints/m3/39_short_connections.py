"""5,000 connections that say one thing and go: descriptors, slots and buffers come back, and no memory is kept.

Then the same with direct descriptors. The load client compares every byte; 51 does it with 100,000.
"""

from m3 import churn

hint = "Close, and free on the final completion: the slot, its timer, its buffers, its place in the table."


def check(c):
    churn.short_connections(c, 5000)
    churn.short_connections(c, 5000, "--direct-descriptors")
