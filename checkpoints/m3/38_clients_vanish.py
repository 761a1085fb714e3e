"""Clients that are gone in the middle of everything leave nothing behind: descriptors, slots and buffers come back.

Hundreds come and go: before they are accepted, with bytes on their way, with an answer half read, with RST, with FIN
after a half-close and without. Then no connection is left in the report, the kernel has every buffer, the next one is
served. The same with four buffers, with single shots, and without descriptors: there a place that is lost is missed.
"""

from m3 import server as m3
from m3 import vanishing

alone = True
hint = "Closing ends no request: slot and buffers are taken back when the last completion has come, and then at once."

FORMS = [[], ["--buffers", 4], ["--single-shot"], ["--direct-descriptors", "--max-connections", 2 * vanishing.CROWD]]


def check(c):
    for options in FORMS:
        with m3.serving(c, *options) as server:
            for _ in range(2):
                vanishing.before_they_are_seen(c, server, c.choose(default=2, full=20))
                vanishing.in_the_middle(c, server, c.choose(default=40, full=400))
                vanishing.nothing_left(c, server, "when all clients have vanished")
