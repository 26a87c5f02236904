"""Which of many equal log lines are written. A rule without I/O.

Of each kind, a level and an event, the first so many of a second are; how many were left out of it
is said afterwards. So an error is never lost as a kind, whatever its number.
"""

from collections.abc import Callable
from typing import NamedTuple

# Kinds told apart in one second; messages of libraries may be of any number.
MOST_KINDS = 1000


class LeftOut(NamedTuple):
    """Lines of a kind that were not written."""

    level: str
    event: str
    number: int


class Sampler:
    """Counts the lines of the second that it is."""

    def __init__(self, most_a_second: int, now_s: Callable[[], float]) -> None:
        self._most = most_a_second
        self._now_s = now_s
        self._second = 0
        self._seen: dict[tuple[str, str], int] = {}
        self._untold: list[LeftOut] = []

    def admits(self, level: str, event: str) -> bool:
        """Tell whether a line of this kind is written now."""
        second = int(self._now_s())
        if second != self._second:
            self._turn(second)
        kind = (level, event)
        number = self._seen.get(kind, 0)
        if not number and len(self._seen) >= MOST_KINDS:
            kind = (level, "")
            number = self._seen.get(kind, 0)
        self._seen[kind] = number + 1
        return number < self._most

    def left_out(self) -> list[LeftOut]:
        """Return what was left out of seconds that are over; said once."""
        if not self._untold:
            return []
        untold, self._untold = self._untold, []
        return untold

    def _turn(self, second: int) -> None:
        for (level, event), number in self._seen.items():
            if number > self._most:
                self._untold.append(LeftOut(level, event, number - self._most))
        self._seen = {}
        self._second = second
