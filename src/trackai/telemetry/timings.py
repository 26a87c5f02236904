"""A histogram for what happens thousands of times a second, in one thread alone."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import cast

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.utils import floatToGoString
from typing_extensions import override

from trackai.telemetry.labelled import Labelled


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


class Timings(Labelled[Timing]):
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
        said = cast("Callable[[float], str]", floatToGoString)
        self._les = [said(bound) for bound in (*buckets, float("inf"))]
        super().__init__(name, documentation, labels, lambda: Timing(buckets), registry)

    @override
    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield what was noted until now."""
        family = self._family()
        for labels, timing in list(self._kept.items()):
            below = zip(self._les, accumulate(timing.counts), strict=True)
            family.add_metric(labels, list(below), timing.seconds)
        yield family

    @override
    def _family(self) -> HistogramMetricFamily:
        name, documentation, labels = self._shown_as
        return HistogramMetricFamily(name, documentation, labels=labels)
