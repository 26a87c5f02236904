"""A histogram for what happens thousands of times a second, in one thread alone.

The library's own takes two locks for every number. Where only the event loop counts they guard
nothing, and cost a click more than everything else that is noted about it.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import cast

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from typing_extensions import override


class Timing:
    """How long one kind of thing took; for the thread of the event loop alone."""

    __slots__ = ("_bounds", "counts", "seconds")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        # One for each bound, and one for what is above all of them.
        self.counts = [0] * (len(bounds) + 1)
        self.seconds = 0.0

    def observe(self, seconds: float) -> None:
        """Note one of them; a bound belongs to what is below it."""
        self.counts[bisect_left(self._bounds, seconds)] += 1
        self.seconds += seconds


class Timings(Collector):
    """Timings by labels, shown as any histogram of the registry is."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: tuple[str, ...],
        *,
        buckets: tuple[float, ...],
        registry: CollectorRegistry,
    ) -> None:
        if not buckets or list(buckets) != sorted(set(buckets)):
            raise ValueError(f"the buckets of {name} must grow: {buckets}")
        self._shown_as = (name, documentation, labels)
        self._bounds = buckets
        said = cast("Callable[[float], str]", floatToGoString)
        self._les = [said(bound) for bound in (*buckets, float("inf"))]
        self._timings: dict[tuple[str, ...], Timing] = {}
        registry.register(self)

    def labels(self, *values: str) -> Timing:
        """Return the one with these labels, in their order; it begins with nothing."""
        if len(values) != len(self._shown_as[2]):
            raise ValueError(f"{self._shown_as[0]} has the labels {self._shown_as[2]}: {values}")
        return self._timings.setdefault(values, Timing(self._bounds))

    @override
    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield what was noted until now."""
        family = self._family()
        for labels, timing in list(self._timings.items()):
            below = zip(self._les, accumulate(timing.counts), strict=True)
            family.add_metric(labels, list(below), timing.seconds)
        yield family

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """Yield the histogram without numbers: its name is taken."""
        yield self._family()

    def _family(self) -> HistogramMetricFamily:
        name, documentation, labels = self._shown_as
        return HistogramMetricFamily(name, documentation, labels=labels)
