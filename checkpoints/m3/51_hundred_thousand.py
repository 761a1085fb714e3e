"""100,000 connections that say one thing and go: descriptors, slots and buffers come back, and no memory is kept.

Then the same with direct descriptors, and with single shots.
"""

from m3 import churn

tier = "full"
timeout = 900
alone = True
hint = "Close, and free on the final completion: the slot, its timer, its buffers, its place in the table."


def check(c):
    for options in ([], ["--direct-descriptors"], ["--single-shot"]):
        churn.short_connections(c, 100_000, *options)
