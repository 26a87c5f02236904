"""Times counted in logarithmic bins, whose sums are exact and whose percentiles are off by 2 %.

The sketch is DDSketch's (Masson, Rim and Lee, VLDB 2019) without its collapsing: bin i holds times
in (GAMMA ** (i - 1), GAMMA ** i] milliseconds. Bins of any rows add up.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
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


# Bins below zero are those of less than a millisecond.
_FIRST, _LAST = bin_of(SHORTEST_MS), bin_of(LONGEST_MS)


class Histogram:
    """How many times are in which bin.

    A single row is read as it came, several are added up in a list of every bin there is: twice as
    fast as a mapping, and a chart of three months is ten thousand bins.
    """

    __slots__ = ("_bins", "_numbers", "_sums")

    def __init__(self) -> None:
        self._bins: Sequence[int] = ()
        self._numbers: Sequence[int] = ()
        self._sums: list[int] | None = None  # bin 0 first, those below it at the end

    def add(self, bins: Sequence[int], numbers: Sequence[int]) -> None:
        """Add a row: bins that rise, and how many times each holds."""
        if self._sums is None and not self._bins:
            self._bins, self._numbers = bins, numbers
            return
        if self._sums is None:
            self._sums = [0] * (_LAST - _FIRST + 1)
            self._add_up(self._sums, self._bins, self._numbers)
        self._add_up(self._sums, bins, numbers)

    def percentiles_ms(self, *shares: float) -> Sequence[float | None]:
        """Return the times that these shares of all times do not exceed; None without any."""
        bins, numbers = self._bins, self._numbers
        if self._sums is not None:
            bins, numbers = range(_FIRST, _LAST + 1), self._sums[_FIRST:] + self._sums[:_FIRST]
        so_far = list(accumulate(numbers))
        if not so_far or not so_far[-1]:
            return [None] * len(shares)
        return [middle_ms(bins[bisect_left(so_far, share * so_far[-1])]) for share in shares]

    @staticmethod
    def _add_up(sums: list[int], bins: Sequence[int], numbers: Sequence[int]) -> None:
        for bin_, number in zip(bins, numbers, strict=True):
            sums[bin_] += number
