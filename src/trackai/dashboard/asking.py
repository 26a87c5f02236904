"""What a page is asked about: a period, a gateway, a funnel, out of its address.

Nothing in an address is an error: what cannot be is said in words, and the page shows the usual.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Request

from trackai.accounts import words as checked
from trackai.analytics.metrics import Filters, tenant_of
from trackai.analytics.periods import Period
from trackai.analytics.said import said_period
from trackai.dashboard.visiting import tools_of
from trackai.errors import InvalidField
from trackai.gateways.registry import titles
from trackai.model.tenant import Funnel
from trackai.storage.pool import Tx
from trackai.storage.tenants import list_funnels

NAMED = ("24h", "7d", "30d", "90d")
CUSTOM = "custom"
_MOST_DAY = 20  # of what a day's field is given back


@dataclass(frozen=True, slots=True)
class Choice:
    """A period that somebody chose, as its control shows it."""

    period: Period
    name: str  # of NAMED, or CUSTOM
    since: str  # what the control's fields hold
    until: str
    kept: Mapping[str, str]  # what else the page is asked
    problem: str | None = None  # a key of words

    @property
    def names(self) -> Sequence[str]:
        """Return what can be chosen by name."""
        return NAMED

    def own(self) -> dict[str, str]:
        """Return what an address says of this period."""
        if self.name == CUSTOM:
            return {"from": self.since, "to": self.until}
        return {"period": self.name}

    def address(self, name: str | None = None, **more: str) -> str:
        """Return a query: of the same page, of another period by its name, or with more to it."""
        period = self.own() if name is None else {"period": name}
        return urlencode({**period, **self.kept, **more})

    def without(self, *names: str) -> str:
        """Return a query of the same period, without some of what else is asked."""
        kept = {name: value for name, value in self.kept.items() if name not in names}
        return urlencode({**self.own(), **kept})


@dataclass(frozen=True, slots=True)
class Question:
    """A period and filters, and what can be chosen in their place."""

    zone: ZoneInfo
    currency: str  # the tenant's own
    now: dt.datetime
    choice: Choice
    filters: Filters
    gateways: Mapping[str, str]  # name -> title
    funnels: Sequence[Funnel]
    problems: Sequence[str]  # keys of words

    @property
    def period(self) -> Period:
        """Return the period that is shown."""
        return self.choice.period

    @property
    def picks(self) -> Mapping[str, str]:
        """Return the filters as the address has them."""
        return self.choice.kept


async def question_of(
    tx: Tx, request: Request, *, tenant_id: UUID, usual: str, keeps: Sequence[str] = ()
) -> Question:
    """Return what a page is asked; of its address it `keeps` these filters, and no others."""
    now, asked = tools_of(request).clock.now(), dict(request.query_params)
    tenant = await tenant_of(tx, tenant_id=tenant_id)
    zone = ZoneInfo(tenant.time_zone)
    funnels = await list_funnels(tx, tenant_id=tenant_id)
    known = titles()
    kept, problems = _kept(asked, keeps), []
    if kept.get("gateway", "") not in {"", *known}:
        problems.append("filter.bad_gateway")
        del kept["gateway"]
    funnel = next((one for one in funnels if str(one.id) == kept.get("funnel")), None)
    if funnel is None and "funnel" in kept:
        del kept["funnel"]
        problems.append("filter.bad_funnel")
    choice = choose(asked, kept, zone=zone, now=now, usual=usual)
    filters = Filters(kept.get("gateway"), funnel.id if funnel else None)
    if choice.problem:
        problems.append(choice.problem)
    return Question(zone, tenant.currency, now, choice, filters, known, funnels, problems)


def choose(
    asked: Mapping[str, str],
    kept: Mapping[str, str],
    *,
    zone: ZoneInfo,
    now: dt.datetime,
    usual: str,
) -> Choice:
    """Return the period of an address: by name, or from a day to a day of the tenant's."""
    since, until, name = (asked.get(one, "") for one in ("from", "to", "period"))
    try:
        if since or until:
            first = _day(since)
            last = _day(until) if until else now.astimezone(zone).date()
            period = _between(first, last, zone=zone, now=now)
            return Choice(period, CUSTOM, str(first), str(last), kept)
        chosen = _named(name or usual)
    except InvalidField as error:
        period = Period.named(usual, zone=zone, now=now)
        problem = f"period.bad_{error.field}"
        return Choice(period, usual, since[:_MOST_DAY], until[:_MOST_DAY], kept, problem)
    period = Period.named(chosen, zone=zone, now=now)
    first, last = period.dates()
    return Choice(period, chosen, str(first), str(last), kept)


def text_of(asked: Mapping[str, str], name: str) -> str | None:
    """Return a word to look for; None when it is left out, InvalidField when it cannot be one."""
    return checked.word(asked[name].strip(), name, most=500) if asked.get(name) else None


def _kept(asked: Mapping[str, str], keeps: Sequence[str]) -> dict[str, str]:
    return {name: asked[name] for name in keeps if asked.get(name, "").strip()}


def _named(name: str) -> str:
    if name not in NAMED:
        raise InvalidField("There is no such period.", field="name")
    return name


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise InvalidField("That is no day.", field="day") from error


def _between(first: dt.date, last: dt.date, *, zone: ZoneInfo, now: dt.datetime) -> Period:
    if first > last:
        raise InvalidField("A period begins before it ends.", field="order")
    try:
        return said_period(None, str(first), str(last), usual=CUSTOM, zone=zone, now=now)
    except InvalidField as error:
        raise InvalidField("There is no such period.", field="range") from error
