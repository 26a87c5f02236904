"""A metric by labels that takes no locks: for the thread of the event loop alone.

The library's own counters and histograms take locks for every number. Where only the event loop
counts they guard nothing, and cost a click more than everything else that is noted about it.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

Kept = TypeVar("Kept")


class Labelled(Collector, Generic[Kept]):
    """What is kept under each set of labels, shown as any metric of the registry is."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: tuple[str, ...],
        make: Callable[[], Kept],
        registry: CollectorRegistry,
    ) -> None:
        self._shown_as = (name, documentation, labels)
        self._make = make
        self._kept: dict[tuple[str, ...], Kept] = {}
        registry.register(self)

    def labels(self, *values: str) -> Kept:
        """Return what is kept under these labels, in their order; it begins with nothing."""
        found = self._kept.get(values)
        if found is None:
            name, _, labels = self._shown_as
            if len(values) != len(labels):
                raise ValueError(f"{name} has the labels {labels}: {values}")
            found = self._kept[values] = self._make()
        return found

    def describe(self) -> Iterator[Metric]:
        """Yield the metric without numbers: its name is taken."""
        yield self._family()

    @abstractmethod
    def _family(self) -> Metric: ...
