"""`trackai ads`: what ads cost, from a file or from Meta, and what they brought."""

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from trackai.accounts.ad_spend import AdSpend, Imported, Sums, prepared
from trackai.analytics.ad_files import MOST_BYTES, read_ad_file
from trackai.analytics.campaigns import Level, Report, report
from trackai.analytics.metrics import Filters, zone_of
from trackai.analytics.notation import DateOrder, DecimalSign
from trackai.analytics.periods import Period
from trackai.analytics.said import said_period
from trackai.analytics.spend import Names
from trackai.cli.ad_report import rows_of
from trackai.cli.following import note
from trackai.cli.installation import actor, open_installation, open_tenant, run
from trackai.cli.output import Json, Row, TenantName, money, show, show_one
from trackai.cli.periods import PeriodSaid, Since, Until, told
from trackai.cli.prompts import hidden
from trackai.destinations.http import HttpLimits, open_http
from trackai.destinations.meta.insights import ANSWER_BYTES, Insights, account_digits
from trackai.errors import ConfigurationError, InvalidField
from trackai.model.clock import SystemClock, new_id
from trackai.model.money import Money, parse_currency
from trackai.model.tenant import Tenant
from trackai.storage.pool import Database, Role

app = typer.Typer(no_args_is_help=True, help="What ads cost and brought.")

_VARIABLE = "TRACKAI_ADS_TOKEN"
# Numbers of the last days are still corrected by the platform.
USUAL_DAYS = 7
_DAYS = ["%Y-%m-%d"]


@app.command(name="import")
def import_(
    tenant: TenantName,
    file: Annotated[Path, typer.Argument(help="CSV by day: Meta's Ads Manager, Google Ads.")],
    platform: Annotated[str, typer.Option(help="meta, google, ...")] = "meta",
    account: Annotated[str, typer.Option(help="Keeps several accounts apart.")] = "",
    currency: Annotated[
        str | None, typer.Option(help="Where the file names none; default: the tenant's.")
    ] = None,
    decimal: Annotated[
        DecimalSign | None, typer.Option(help="Before decimals, where the file does not tell.")
    ] = None,
    dates: Annotated[
        DateOrder | None, typer.Option(help="Of 03/04/2026, where the file does not tell.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read it, store nothing.")] = False,
    json: Json = False,
) -> None:
    """Take in what ads cost; what is there already of the same ad and day is replaced."""

    async def work() -> Row:
        async with open_installation() as here, here.database(Role.APP) as database:
            owner = await here.tenant(tenant)
            given = _currency(currency or owner.currency)
            found = read_ad_file(_content(file), currency=given, decimal=decimal, dates=dates)
            whose = (_platform(platform), account)
            if dry_run:
                taken = Imported.of(prepared(found.days))
            else:
                taken = await _spend(database, owner).take(*whose, found.days)
            said = "of the file" if found.currency_said else "given"
            more = {"skipped": found.skipped, "currency": said, "stored": not dry_run}
            return {**_told(taken, json=json), **more}

    show_one(run(work()), json=json)


@app.command()
def fetch(
    tenant: TenantName,
    account: Annotated[str, typer.Argument(help="Meta's ad account: act_ and digits.")],
    days: Annotated[int, typer.Option(min=1, max=1000, help="Up to today.")] = USUAL_DAYS,
    token: Annotated[str | None, typer.Option(envvar=_VARIABLE, help="With ads_read.")] = None,
    api_url: Annotated[str | None, typer.Option(help="Another host, such as a sandbox.")] = None,
    json: Json = False,
) -> None:
    """Ask Meta what an account's ads cost, and take it in; the token is not kept."""

    async def work() -> Row:
        digits = account_digits(account)
        given = hidden(token, "Token", variable=_VARIABLE)
        async with open_installation() as here, here.database(Role.APP) as database:
            owner = await here.tenant(tenant)
            until = await _today(database, owner)
            since = until - dt.timedelta(days=days - 1)
            async with open_http(HttpLimits(answer_bytes=ANSWER_BYTES)) as http:
                said = await Insights(http, given, api_url=api_url).days(digits, since, until)
            spend = _spend(database, owner)
            taken = await spend.take("meta", f"act_{digits}", said, whole=(since, until))
            return _told(taken, json=json)

    show_one(run(work()), json=json)


@app.command(name="list")
def list_(tenant: TenantName, json: Json = False) -> None:
    """List what was taken in, by account."""

    async def work() -> list[Row]:
        async with open_installation() as here, here.database(Role.APP) as database:
            owner = await here.tenant(tenant)
            rows = [dict(row) for row in await _spend(database, owner).accounts()]
        for row in () if json else rows:
            row["spent"] = money(row.pop("spent_minor"), row.pop("currency"))
        return [*rows]

    empty = "Nothing yet. Take a file in: trackai ads import TENANT FILE"
    show(run(work()), json=json, empty=empty)


@app.command()
def delete(
    tenant: TenantName,
    platform: Annotated[str, typer.Argument(help="meta, google, ...")],
    since: Annotated[dt.datetime, typer.Option("--from", formats=_DAYS, help="The first day.")],
    until: Annotated[dt.datetime, typer.Option("--to", formats=_DAYS, help="The last day.")],
    account: Annotated[str, typer.Option(help="As it was taken in; left out: without one.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Forget what an account spent on some days, as a wrong file said it; no click, no sale."""
    if not yes and not sys.stdin.isatty():
        raise ConfigurationError("There is no terminal to ask on. Say --yes to delete.")

    async def work() -> Row:
        if since > until:
            raise InvalidField("The first day is after the last.", field="from")
        whose = (_platform(platform), account, since.date(), until.date())
        async with open_installation() as here, here.database(Role.APP) as database:
            spend = _spend(database, await here.tenant(tenant))
            if not yes:
                show_one(_summed(await spend.stored(*whose), json=False), json=False)
                typer.confirm("Delete this for good?", abort=True)
            return _summed(await spend.delete(*whose), json=json)

    show_one(run(work()), json=json)


@app.command(name="report")
def report_(
    tenant: TenantName,
    period: PeriodSaid = None,
    since: Since = None,
    until: Until = None,
    level: Annotated[Level, typer.Option(help="What a row is of.")] = Level.CAMPAIGN,
    gateway: Annotated[str | None, typer.Option(help="Sales of one gateway.")] = None,
    funnel: Annotated[UUID | None, typer.Option(help="A funnel's id.")] = None,
    campaign: Annotated[
        str | None, typer.Option(help="Of one campaign alone, as rows name it.")
    ] = None,
    json: Json = False,
) -> None:
    """Show clicks, sales, revenue, cost, CPA and ROAS of whole days; what earned most first."""

    async def work() -> tuple[Period, Report]:
        async with open_tenant(tenant) as view:
            zone = await zone_of(view.tx, tenant_id=view.tenant_id)
            now = SystemClock().now()
            said = said_period(period, since, until, usual="30d", zone=zone, now=now)
            asked, whose = said.whole_days(), view.tenant_id
            of = (view.tx, asked, Filters(gateway, funnel), level)
            return asked, await report(*of, tenant_id=whose, within=Names(campaign=campaign))

    asked, found = run(work())
    show(rows_of(found, level), json=json, empty="No click and no sale in this period.")
    if json:
        return
    if not found.spend_known:
        filtered = gateway is not None or funnel is not None
        why = "is not known by gateway or funnel" if filtered else "was not imported of these days"
        print(f"Spent, CPA and ROAS are not shown: what ads cost {why}.")
    note(told(asked))


def _told(taken: Imported, *, json: bool) -> Row:
    days: Row = {"first_day": taken.first_day, "last_day": taken.last_day}
    beside: object = None
    if taken.beside and taken.beside.rows:
        kept = _summed(taken.beside, json=json)
        beside = kept if json else f"{kept['rows']} rows, {kept['spent']}"
    return {**_summed(taken.sums, json=json), **days, "kept_beside": beside}


def _summed(sums: Sums, *, json: bool) -> Row:
    amounts = [Money(minor, currency) for currency, minor in sums.spent.items()]
    text = ", ".join(f"{one.major()} {one.currency}" for one in amounts)
    return {"rows": sums.rows, "spent": amounts if json else text or None}


def _spend(database: Database, owner: Tenant) -> AdSpend:
    return AdSpend(database, SystemClock(), new_id, owner.id, actor())


async def _today(database: Database, owner: Tenant) -> dt.date:
    async with database.transaction(tenant_id=owner.id) as tx:
        zone = await zone_of(tx, tenant_id=owner.id)
    return SystemClock().now().astimezone(zone).date()


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InvalidField(f"A file has at most {MOST_BYTES // 2**20} MiB.", field="file")
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The file cannot be read: {error.strerror}.") from None


def _currency(text: str) -> str:
    try:
        return parse_currency(text)
    except ValueError as error:
        raise InvalidField(f"{text} is {error}.", field="currency") from None


def _platform(text: str) -> str:
    if not (text.isascii() and text.islower() and text.isalnum() and len(text) <= 30):  # noqa: PLR2004
        raise InvalidField("A platform is a short word in lower case.", field="platform")
    return text
