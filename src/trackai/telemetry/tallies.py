"""A counter for what happens thousands of times a second, in one thread alone.

It takes no locks, as timings do not.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override


class Tally:
    """How often one kind of thing happened; for the thread of the event loop alone."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0

    def inc(self) -> None:
        """Count one more."""
        self.number += 1


class Tallies(Collector):
    """Tallies by labels, shown as any counter of the registry is."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: tuple[str, ...],
        *,
        registry: CollectorRegistry,
    ) -> None:
        self._shown_as = (name, documentation, labels)
        self._tallies: dict[tuple[str, ...], Tally] = {}
        registry.register(self)

    def labels(self, *values: str) -> Tally:
        """Return the one with these labels, in their order; it begins with nothing."""
        if len(values) != len(self._shown_as[2]):
            raise ValueError(f"{self._shown_as[0]} has the labels {self._shown_as[2]}: {values}")
        return self._tallies.setdefault(values, Tally())

    @override
    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield what was counted until now."""
        family = self._family()
        for labels, tally in list(self._tallies.items()):
            family.add_metric(labels, tally.number)
        yield family

    def describe(self) -> Iterator[CounterMetricFamily]:
        """Yield the counter without numbers: its name is taken."""
        yield self._family()

    def _family(self) -> CounterMetricFamily:
        name, documentation, labels = self._shown_as
        return CounterMetricFamily(name, documentation, labels=labels)
