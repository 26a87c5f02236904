"""What a benchmark says: named figures with a meaning and a target, as a table and as JSON."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

# Wide enough for every row when the table goes into a file.
PIPE_COLUMNS = 130


@dataclass(frozen=True, slots=True)
class Figure:
    """One number; without a bound it is there to explain the others."""

    name: str
    value: float
    meaning: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def target(self) -> str:
        """The bound in words."""
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return "" if self.at_most is None else f"< {self.at_most:g}"

    @property
    def reached(self) -> bool | None:
        """Whether the value keeps its bound; None without one."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value < self.at_most


@dataclass(frozen=True, slots=True)
class Size:
    """How long to look: a full run, or a smoke run that only shows that everything works."""

    rounds: int = 6
    round_s: float = 1.8
    load_s: float = 22.0
    clicks: int = 1_000_000
    lookups: int = 400
    deliveries: int = 40_000
    queue_deliveries: int = 400
    backlog: int = 100_000
    rows: int = 1_000_000

    @classmethod
    def quick(cls) -> "Size":
        """Return the size of a smoke run; its numbers mean nothing."""
        return cls(
            rounds=2,
            round_s=0.5,
            load_s=3.0,
            clicks=20_000,
            lookups=20,
            deliveries=1_000,
            backlog=2_000,
            rows=20_000,
        )


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of the ratios of what was measured in the same round."""
    pairs = zip(numerators, denominators, strict=True)
    return statistics.median(one / other for one, other in pairs)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return this percentile of the values (at least two)."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def print_table(figures: Sequence[Figure]) -> None:
    """Print one row a figure."""
    table = Table("figure", "value", "meaning", "target", "reached")
    table.columns[1].justify = "right"
    for figure in figures:
        said = {True: "yes", False: "NO", None: ""}[figure.reached]
        table.add_row(figure.name, _shown(figure.value), figure.meaning, figure.target, said)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    console.print(table)


def as_json(figures: Sequence[Figure]) -> str:
    """Return one line of JSON: figure name -> number."""
    return json.dumps({figure.name: round(figure.value, 3) for figure in figures})


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
