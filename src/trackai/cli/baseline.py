"""`trackai baseline`: how the installation does in an hour, and whether worse than before."""

import asyncio
import datetime as dt
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from trackai.cli.following import note
from trackai.cli.installation import open_all_tenants, open_installation, run
from trackai.cli.output import Json, Limit, Row, show, write_json
from trackai.errors import ConfigurationError
from trackai.model.clock import SystemClock, new_id
from trackai.operations.baseline import Change, compare, measure, regressions
from trackai.storage import baselines
from trackai.storage.baselines import Baseline
from trackai.storage.pool import Role

app = typer.Typer(help="How fast and how well it works: measured, kept and compared.")

_LENGTH = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = dt.timedelta(days=7)


@app.callback(invoke_without_command=True)
def baseline(
    context: typer.Context,
    length: Annotated[
        str, typer.Option("--for", metavar="LENGTH", help="How long: 90s, 30m, 1h, 2d.")
    ] = "1h",
    wait: Annotated[
        bool, typer.Option("--wait", help="The time to come; default: the time just gone.")
    ] = False,
    standard: Annotated[
        bool, typer.Option("--standard", help="Compare later ones with this; the first is it.")
    ] = False,
    json: Json = False,
) -> None:
    """Measure p50, p95, p99, throughput and error rates; exit status 1 when something got worse."""
    if context.invoked_subcommand is not None:
        return
    made, changes = run(_measure(length_of(length), wait=wait, standard=standard))
    if json:
        write_json({**_row(made), "figures": made.figures, "changes": changes})
    else:
        _print(made, changes)
    if regressions(changes):
        sys.exit(1)


@app.command(name="list")
def list_(limit: Limit = 20, json: Json = False) -> None:
    """List what was measured, the newest first."""

    async def work() -> list[Baseline]:
        async with open_all_tenants() as tx:
            return await baselines.list_baselines(tx, limit=limit)

    rows = [{**_row(one), **(_few(one) if not json else one.figures)} for one in run(work())]
    show(rows, json=json, empty="Nothing was measured yet. Measure: trackai baseline --for 1h")


def length_of(text: str) -> dt.timedelta:
    """Return a length such as 1h; ConfigurationError says what it takes."""
    found = _LENGTH.fullmatch(text.strip())
    length = dt.timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else dt.timedelta(0)
    if not dt.timedelta(0) < length <= _LONGEST:
        raise ConfigurationError("--for takes a length of at most 7 days, such as 30m or 1h.")
    return length


async def _measure(
    length: dt.timedelta, *, wait: bool, standard: bool
) -> tuple[Baseline, Sequence[Change]]:
    clock = SystemClock()
    if wait:
        note(f"Measuring until {clock.now() + length:%H:%M:%S} UTC ...")
        await asyncio.sleep(length.total_seconds())
    async with open_installation() as here, here.database(Role.PIPELINE) as database:
        until = clock.now()
        async with database.transaction() as tx:
            before = await baselines.find_standard(tx)
            figures = await measure(tx, until - length, until)
            made = Baseline(
                *(new_id(), until, until - length, until, version("trackai"), figures),
                standard=standard or before is None,
            )
            await baselines.insert_baseline(tx, made)
    return made, compare(before.figures, figures) if before else []


def _row(one: Baseline) -> Row:
    return {"from": one.since, "to": one.until, "version": one.version, "standard": one.standard}


def _few(one: Baseline) -> Row:
    names = ("webhooks_per_minute", "whole_p50_ms", "whole_p95_ms", "whole_p99_ms")
    return {name: one.figures.get(name) for name in (*names, "attempt_error_rate")}


def _print(made: Baseline, changes: Sequence[Change]) -> None:
    known = {one.figure: one for one in changes}
    rows: list[Row] = [
        {
            "figure": name,
            "now": value,
            "before": known[name].before if name in known else None,
            "change": known[name].verdict.value if name in known else None,
        }
        for name, value in made.figures.items()
    ]
    show(rows, json=False, empty="")
    if made.standard:
        print("\nLater ones are compared with this one.")
