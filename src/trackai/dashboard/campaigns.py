"""What ads brought and cost: campaigns, the ad sets of one, the ads of one of those."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request, Response

from trackai.analytics.campaigns import Brought, Kind, Level, Report, report
from trackai.analytics.metrics import Filters
from trackai.analytics.spend import Names
from trackai.dashboard.asking import Question, question_of
from trackai.dashboard.rendering import render_page
from trackai.dashboard.visiting import See, tools_of
from trackai.storage.pool import Tx

router = APIRouter()

USUAL = "30d"
KEEPS = ("gateway", "funnel", "campaign", "ad_set", "sort")
# Most rows of a page; the download has them all.
SHOWN = 200
BEST = "net"
# What platforms put into the addresses of ads, so that clicks say which ad they are of: Meta's
# URL parameters and Google's final URL suffix, as their documents of 2026 name them.
TEMPLATES = {
    "meta": "utm_source=facebook&utm_medium={{adset.name}}|{{adset.id}}"
    "&utm_campaign={{campaign.name}}|{{campaign.id}}&utm_content={{ad.name}}|{{ad.id}}",
    "google": "utm_source=google&utm_medium={adgroupid}&utm_campaign={campaignid}"
    "&utm_content={creative}",
}


def _net(one: Brought, currency: str) -> float | None:
    return one.money[currency].net_minor if currency in one.money else None


def _spent(one: Brought, currency: str) -> float | None:
    return one.money[currency].spent_minor if currency in one.money else None


def _cheap(one: Brought, currency: str) -> float | None:
    cpa = one.cpa_minor(currency) if currency in one.money else None
    return None if cpa is None else -cpa


def _roas(one: Brought, currency: str) -> float | None:
    return one.money[currency].roas if currency in one.money else None


# What rows can be sorted by, the best first, in the tenant's own currency.
SORTS: Mapping[str, Callable[[Brought, str], float | None]] = {
    "clicks": lambda one, _: one.clicks,
    "sales": lambda one, _: one.sales,
    "rate": lambda one, _: one.conversion_rate,
    BEST: _net,
    "spent": _spent,
    "cpa": _cheap,
    "roas": _roas,
}


@dataclass(frozen=True, slots=True)
class Looked:
    """What an address asks for, and what was found."""

    level: Level
    within: Names
    sort: str
    report: Report


@dataclass(frozen=True, slots=True)
class Line:
    """A row: what it is of, and the address that looks into it."""

    one: Brought
    name: str | None  # None: its kind says it
    into: str | None


@router.get("/campaigns")
async def show_campaigns(request: Request, visit: See) -> Response:
    """Show ads at one level; each leads to what is in it."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        question = await question_of(tx, request, tenant_id=tenant_id, usual=USUAL, keeps=KEEPS)
        looked = await look(tx, question, tenant_id=tenant_id)
    rows = looked.report.rows
    return await render_page(
        request,
        visit,
        "campaigns.html",
        zone=question.zone,
        question=question,
        looked=looked,
        lines=[_line(one, looked, question) for one in rows[:SHOWN]],
        number=len(rows),
        shown=SHOWN,
        days=question.period.whole_days().dates(),
        sorts=list(SORTS),
        templates=TEMPLATES,
        said=_only(looked.report.total.said),
        took=_took(looked.report, question),
        part=question.filters != Filters(),
    )


async def look(tx: Tx, question: Question, *, tenant_id: UUID) -> Looked:
    """Return what ads brought in whole days, at the level that the address asks for."""
    picks = question.picks
    campaign = picks.get("campaign")
    ad_set = picks.get("ad_set") if campaign else None
    level = Level.AD if ad_set else Level.AD_SET if campaign else Level.CAMPAIGN
    within = Names(campaign=campaign, ad_set=ad_set)
    period = question.period.whole_days()
    found = await report(tx, period, question.filters, level, tenant_id=tenant_id, within=within)
    sort = picks["sort"] if picks.get("sort") in SORTS else BEST
    rows = _sorted(found.rows, sort, question.currency)
    return Looked(level, within, sort, Report(rows, found.total, found.click_to_sale_s))


def _sorted(rows: Sequence[Brought], sort: str, currency: str) -> Sequence[Brought]:
    """Return rows with the best first; equal and unknown ones as they were."""
    worth = [(SORTS[sort](one, currency), one) for one in rows]
    known = [(value, one) for value, one in worth if value is not None]
    known.sort(key=lambda each: each[0], reverse=True)
    return [one for _, one in known] + [one for value, one in worth if value is None]


def _took(found: Report, question: Question) -> tuple[float, float] | None:
    """Return milliseconds that half, and 90 of 100, bought within; times know no funnels."""
    half, most = found.click_to_sale_s
    if half is None or most is None or question.filters.funnel_id is not None:
        return None
    return half * 1000, most * 1000


def _only(said: Collection[str]) -> str | None:
    """Return what all addresses call a campaign; None when they call it several things."""
    return next(iter(said)) if len(said) == 1 else None


def _line(one: Brought, looked: Looked, question: Question) -> Line:
    name = getattr(one.names, looked.level.value)
    # A name of nothing but blanks cannot be asked for.
    if one.kind is not Kind.NAMED or looked.level is Level.AD or not name.strip():
        return Line(one, name, None)
    return Line(one, name, question.choice.address(**{looked.level.value: name}))
