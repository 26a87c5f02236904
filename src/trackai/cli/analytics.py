"""`trackai analytics`: numbers of rollups, and the proof that they equal what they count."""

import datetime as dt
from typing import Annotated

import typer

from trackai.analytics.metrics import Filters, Metrics, measure, zone_of
from trackai.analytics.periods import Period
from trackai.analytics.said import said_period
from trackai.analytics.verify import MOST_DAYS, Days, Verified, verify
from trackai.cli.following import note
from trackai.cli.installation import open_installation, open_tenant, run
from trackai.cli.output import Json, Row, TenantName, write_json
from trackai.cli.output import show as show_rows
from trackai.cli.periods import PeriodSaid, Since, Until, told
from trackai.model.clock import SystemClock
from trackai.model.money import Money
from trackai.model.tenant import Tenant
from trackai.storage.pool import Role

app = typer.Typer(no_args_is_help=True, help="Counts of sales, deliveries and times.")

DIFFERENT = 1
DAY = "%Y-%m-%d"


@app.command()
def show(
    tenant: TenantName,
    period: PeriodSaid = None,
    since: Since = None,
    until: Until = None,
    json: Json = False,
) -> None:
    """Show the numbers of a period, the last 24 hours as usual, beside those of the one before."""

    async def work() -> tuple[Period, Metrics, Metrics]:
        async with open_tenant(tenant) as view:
            zone = await zone_of(view.tx, tenant_id=view.tenant_id)
            now = SystemClock().now()
            asked = said_period(period, since, until, usual="24h", zone=zone, now=now)
            current, before = [
                await measure(view.tx, one, Filters(), tenant_id=view.tenant_id)
                for one in (asked, asked.before())
            ]
            return asked, current, before

    asked, *measured = run(work())
    now, before = (_told(one, json=json) for one in measured)
    if json:
        stretch = {"from": asked.start, "to": asked.end, "time_zone": asked.zone.key}
        write_json({"period": stretch, "current": now, "previous": before})
        return
    rows = [{"number": name, "now": now[name], "before": before[name]} for name in now]
    show_rows(rows, json=False, empty="")
    note(told(asked))


@app.command(name="verify")
def verify_(
    tenant: Annotated[
        str | None, typer.Argument(help="Tenant, by id or name; all of them when left out.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="Up to the last one.")] = 30,
    since: Annotated[
        dt.datetime | None, typer.Option("--from", formats=[DAY], help="The first day.")
    ] = None,
    until: Annotated[
        dt.datetime | None, typer.Option("--to", formats=[DAY], help="The last; default: today.")
    ] = None,
    json: Json = False,
) -> None:
    """Count the rows again and compare every bucket; exit status 1 when one differs."""

    async def work() -> list[tuple[Tenant, Verified]]:
        async with open_installation() as here, here.database(Role.APP) as database:
            asked = [await here.tenant(tenant)] if tenant else await here.tenants()
            found, now = [], SystemClock().now()
            which = Days(days, since and since.date(), until and until.date())
            for one in asked:
                async with database.transaction(tenant_id=one.id) as tx:
                    found.append((one, await verify(tx, tenant_id=one.id, days=which, now=now)))
            return found

    found = run(work())
    rows = [row for one, verified in found for row in _rows(one, verified)]
    show_rows(rows, json=json, empty="There is no tenant yet. Make one: trackai tenant create NAME")
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


def _told(found: Metrics, *, json: bool) -> Row:
    revenue: object = [
        {
            "currency": one.currency,
            "gross_minor": one.gross_minor,
            "refunded_minor": one.refunded_minor,
            "net_minor": one.net_minor,
        }
        for one in found.revenue
    ]
    if not json:
        net = (Money(one.net_minor, one.currency) for one in found.revenue)
        revenue = ", ".join(f"{one.major()} {one.currency}" for one in net) or None
    return {
        "attempts": found.attempts,
        "accepted": found.accepted,
        "failed": found.failed,
        "success_rate": _share(found.success_rate, json=json),
        "dead_letters": found.dead_letters,
        "sales": found.sales,
        "matched": found.matched,
        "match_rate": _share(found.match_rate, json=json),
        "revenue" if json else "net_revenue": revenue,
        "latency_p50_ms": _rounded(found.latency.p50_ms),
        "latency_p95_ms": _rounded(found.latency.p95_ms),
        "latency_p99_ms": _rounded(found.latency.p99_ms),
    }


def _share(share: float | None, *, json: bool) -> object:
    return share if json or share is None else f"{share:.1%}"


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 1)
