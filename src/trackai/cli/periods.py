"""The period of a command: by name, or from one day or time of the tenant to another."""

from typing import Annotated

import typer

from trackai.analytics.periods import NAMES, Period

PeriodSaid = Annotated[str | None, typer.Option("--period", help=", ".join(NAMES) + ".")]
Since = Annotated[
    str | None, typer.Option("--from", help="In place of a period: a day such as 2026-11-01.")
]
Until = Annotated[str | None, typer.Option("--to", help="The last day.")]


def told(period: Period) -> str:
    """Return what a period is, for people."""
    first, last = (
        moment.astimezone(period.zone).strftime("%Y-%m-%d %H:%M")
        for moment in (period.start, period.end)
    )
    return f"From {first} to {last}, {period.zone.key}"
