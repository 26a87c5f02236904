"""Latency percentiles from logarithmic bins, whose sums are exact and whose times are off by 2 %.

The sketch is DDSketch's (Masson, Rim and Lee, VLDB 2019) without its collapsing: bin i holds times
in (GAMMA ** (i - 1), GAMMA ** i] milliseconds. Bins of any rows add up.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate

# Relative error of a bin's middle: (GAMMA - 1) / (GAMMA + 1), 1.96 %.
GAMMA = 1.04
SHORTEST_MS = 0.1
LONGEST_MS = 1e11

_LOG_GAMMA = math.log(GAMMA)


def bin_of(ms: float) -> int:
    """Return the bin of a time; times beyond the shortest and longest are those."""
    return math.ceil(math.log(min(max(ms, SHORTEST_MS), LONGEST_MS)) / _LOG_GAMMA)


def middle_ms(bin_: int) -> float:
    """Return the time that is nearest to all of a bin's, in milliseconds."""
    return 2.0 * GAMMA**bin_ / (GAMMA + 1)


def percentiles_ms(bins: Mapping[int, int], *shares: float) -> Sequence[float | None]:
    """Return the times that these shares of all times do not exceed; None when there are none."""
    ordered = sorted(bins)
    so_far = list(accumulate(map(bins.__getitem__, ordered)))
    if not so_far or not so_far[-1]:
        return [None] * len(shares)
    return [middle_ms(ordered[bisect_left(so_far, share * so_far[-1])]) for share in shares]
