"""`trackai analytics`: numbers of rollups, and the proof that they equal what they count."""

from typing import Annotated

import typer

from trackai.analytics.verify import MOST_DAYS, Verified, verify
from trackai.cli.installation import open_installation, run
from trackai.cli.output import Json, Row, show
from trackai.model.clock import SystemClock
from trackai.model.tenant import Tenant
from trackai.storage.pool import Role

app = typer.Typer(no_args_is_help=True, help="Counts of sales, deliveries and times.")

DIFFERENT = 1


@app.callback()
def _group() -> None:
    """Keep `verify` a command of a group."""


@app.command(name="verify")
def verify_(
    tenant: Annotated[
        str | None, typer.Argument(help="Tenant, by id or name; all of them when left out.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="Up to today.")] = 30,
    json: Json = False,
) -> None:
    """Count the rows again and compare every bucket; exit status 1 when one differs."""

    async def work() -> list[tuple[Tenant, Verified]]:
        async with open_installation() as here, here.database(Role.APP) as database:
            asked = [await here.tenant(tenant)] if tenant else await here.tenants()
            found, now = [], SystemClock().now()
            for one in asked:
                async with database.transaction(tenant_id=one.id) as tx:
                    found.append((one, await verify(tx, tenant_id=one.id, days=days, now=now)))
            return found

    found = run(work())
    rows = [row for one, verified in found for row in _rows(one, verified)]
    show(rows, json=json, empty="There is no tenant yet. Make one: trackai tenant create NAME")
    if any(verified.different for _, verified in found):
        raise typer.Exit(DIFFERENT)


def _rows(tenant: Tenant, verified: Verified) -> list[Row]:
    return [
        {
            "tenant": tenant.name,
            "rollup": one.rollup,
            "since": verified.start,
            "rows": one.total,
            "buckets": one.buckets,
            "different": one.different,
            "examples": list(one.examples) or None,
        }
        for one in verified.compared
    ]
