"""A counter for what happens thousands of times a second, in one thread alone."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from typing_extensions import override

from trackai.telemetry.labelled import Labelled


class Tally:
    """How often one kind of thing happened; for the thread of the event loop alone."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0

    def inc(self) -> None:
        """Count one more."""
        self.number += 1


class Tallies(Labelled[Tally]):
    """Tallies by labels, shown as any counter of the registry is."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: tuple[str, ...],
        *,
        registry: CollectorRegistry,
    ) -> None:
        super().__init__(name, documentation, labels, Tally, registry)

    @override
    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield what was counted until now."""
        family = self._family()
        for labels, tally in list(self._kept.items()):
            family.add_metric(labels, tally.number)
        yield family

    @override
    def _family(self) -> CounterMetricFamily:
        name, documentation, labels = self._shown_as
        return CounterMetricFamily(name, documentation, labels=labels)
