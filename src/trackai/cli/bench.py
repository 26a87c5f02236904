"""`trackai bench`: filling a database to see how the program does when it is full."""

import os
import sys
import time
from typing import Annotated

import typer

from trackai.cli.installation import open_installation, run
from trackai.cli.output import Json, show_one
from trackai.errors import ConfigurationError
from trackai.model.clock import SystemClock
from trackai.sandbox.load.loader import Loading, load
from trackai.sandbox.load.shape import Shop
from trackai.sandbox.load.shops import SHARES, open_shops

app = typer.Typer(no_args_is_help=True, help="Made-up data, to measure with.")

MOST_ROWS = 50_000_000
MOST_DAYS = 360


@app.callback()
def bench() -> None:
    """Made-up data, to measure with."""


@app.command(name="load")
def load_(
    rows: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Tries to deliver.")] = 1_000_000,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="Up to now.")] = 90,
    tenants: Annotated[
        int, typer.Option(min=1, max=len(SHARES), help="The first has most of it.")
    ] = len(SHARES),
    yes: Annotated[bool, typer.Option("--yes", help="Even where tenants are already.")] = False,
    json: Json = False,
) -> None:
    """Fill a database with made-up clicks, sales, deliveries and tries of new tenants, by COPY."""
    began = time.monotonic()

    async def work() -> tuple[list[Shop], dict[str, int]]:
        async with open_installation() as here:
            if await here.tenants() and not yes:
                raise ConfigurationError(
                    f"There are tenants in {here.where}. Made-up ones go beside them with --yes; "
                    "another TRACKAI_DATA_DIR keeps them apart."
                )
            shops = await open_shops(here.url, here.envelope, tenants)
            loading = Loading(rows, days, SystemClock().now(), os.cpu_count() or 1)
            return shops, await load(here.url, shops, loading, told=_tell)

    shops, loaded = run(work())
    seconds = time.monotonic() - began
    show_one(
        {
            "tenants": [shop.name for shop in shops] if json else ", ".join(s.name for s in shops),
            **loaded,
            "seconds": round(seconds, 1),
            "attempts_a_second": round(loaded["dispatch_attempts"] / seconds),
        },
        json=json,
    )


def _tell(attempts: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{attempts:,} tries ", end="", file=sys.stderr, flush=True)
