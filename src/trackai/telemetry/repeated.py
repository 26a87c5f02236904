"""Gauges that hold only for as long as somebody repeats them.

What one process of several says, because it was its turn, must not stand in its counters for ever:
whoever reads them later would take it for news. Whoever is silent for too long is forgotten, also
when the loop that should have spoken is the one that is broken.
"""

import time
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

# Values of labels, in their order, with a number.
Values = Sequence[tuple[tuple[str, ...], float]]


class Repeated(Collector):
    """One gauge; each speaker's values are said all together, and replace what it said before."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: tuple[str, ...],
        registry: CollectorRegistry,
        *,
        lasts_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shown_as = (name, documentation, labels)
        self._lasts_s = lasts_s
        self._monotonic = monotonic
        self._said: dict[str, tuple[float, Values]] = {}
        registry.register(self)

    def say(self, values: Values, *, speaker: str = "") -> None:
        """Show these label values with their numbers, until they are said again or too old."""
        self._said[speaker] = self._monotonic(), values

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield what is not too old."""
        family, now = self._family(), self._monotonic()
        for at, values in self._said.values():
            if now - at <= self._lasts_s:
                for labels, value in values:
                    family.add_metric(labels, value)
        yield family

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauge without values: its name is taken."""
        yield self._family()

    def _family(self) -> GaugeMetricFamily:
        name, documentation, labels = self._shown_as
        return GaugeMetricFamily(name, documentation, labels=labels)
