"""Ratios of neighbouring measurements: the middle one, and how sure it is."""

import math
import statistics
from dataclasses import dataclass


@dataclass
class Ratio:
    middle: float
    low: float = None  # of the 95% interval; None with fewer than six pairs
    high: float = None
    pairs: int = 0

    def text(self):
        if self.low is None:
            return f"{self.middle:.3f}"
        return f"{self.middle:.3f} [{self.low:.3f}, {self.high:.3f}]"


def compare(ours, reference):
    """Element i of both was measured in the same short time."""
    ratios = sorted(a / b for a, b in zip(ours, reference))
    low, high = interval(ratios)
    return Ratio(statistics.median(ratios), low, high, len(ratios))


def interval(ordered):
    """The samples at the two ranks that enclose the true median with 95% probability: how many are
    below it is binomial, and at most 2.5% of that may lie outside at each end."""
    count = len(ordered)
    rank = 0
    below = 0.0
    while rank < count // 2:
        below += math.comb(count, rank) / 2**count
        if below > 0.025:
            break
        rank += 1
    return (ordered[rank - 1], ordered[count - rank]) if rank else (None, None)
