"""What a tenant is: name, days, money; how its sales match, and how long its rows are kept."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.accounts.funnels import FunnelChange, Funnels
from trackai.accounts.upkeep import KEEPING
from trackai.dashboard.choices import currency_choices, currency_words, zone_choices, zone_words
from trackai.dashboard.connecting import upkeep_of
from trackai.dashboard.formats import locale_of
from trackai.dashboard.gateway import EVERY_S, looks_left
from trackai.dashboard.rendering import language_of, render_page
from trackai.dashboard.visiting import Manage, See, Visit, fields_of, tools_of
from trackai.errors import InvalidField, UnknownTenant
from trackai.model.tenant import Attribution, Tenant
from trackai.storage.tenants import find_keeping, find_tenant, is_following, list_funnels

router = APIRouter()

# What takes minutes after it was changed: a task of the worker does it.
ZONE, KEEPING_TIME = "zone", "keeping"
# What is wanted fits into so many digits.
_MOST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Told:
    """What a form came to; what was written is shown again."""

    field: str | None = None  # that cannot be so; a key of words below `settings`
    of: UUID | None = None  # the funnel whose field it is
    shorter: int | None = None  # days: fewer than before, so it is asked once more
    fields: Mapping[str, str] | None = None


NOTHING = Told()


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What is still being done, and what was since the page began to look."""

    doing: Sequence[str]
    over: Sequence[str]
    looks: str | None  # what an open page asks for by itself
    every_s: int = EVERY_S


@router.get("/settings")
async def settings(request: Request, visit: See) -> Response:
    """Show them, or what is under way to whoever asks for that alone."""
    return await _page(request, visit)


@router.post("/settings/account")
async def change_account(request: Request, visit: Manage) -> Response:
    """Change the name and the currency."""
    fields = await fields_of(request)
    try:
        await upkeep_of(request, visit).change_tenant(
            name=fields.get("name", ""), currency=fields.get("currency", "")
        )
    except InvalidField as error:
        return await _page(request, visit, Told(error.field, fields=fields))
    return _done("account")


@router.post("/settings/time-zone")
async def change_time_zone(request: Request, visit: Manage) -> Response:
    """Let days be those of another zone."""
    fields = await fields_of(request)
    try:
        await upkeep_of(request, visit).want_time_zone(fields.get("time_zone", ""))
    except InvalidField as error:
        return await _page(request, visit, Told(error.field, fields=fields))
    return _done(ZONE)


@router.post("/settings/retention")
async def change_retention(request: Request, visit: Manage) -> Response:
    """Keep rows longer, or, when that was said twice, less long."""
    fields, upkeep = await fields_of(request), upkeep_of(request, visit)
    try:
        days = _whole(fields, "days")
        if days in KEEPING and days < await upkeep.keeping() and fields.get("sure") != str(days):
            return await _page(request, visit, Told(shorter=days, fields=fields))
        await upkeep.keep(days)
    except InvalidField as error:
        return await _page(request, visit, Told(error.field, fields=fields))
    return _done(KEEPING_TIME)


@router.post("/settings/funnels/{funnel_id}")
async def change_funnel(request: Request, visit: Manage, funnel_id: UUID) -> Response:
    """Change how a funnel's sales are matched from now on."""
    tools, fields = tools_of(request), await fields_of(request)
    funnels = Funnels(tools.database, tools.clock, tools.new_id, visit.membership.tenant_id)
    try:
        change = FunnelChange(
            window=dt.timedelta(hours=_whole(fields, "window")),
            attribution=_attribution(fields),
            visitor_window=dt.timedelta(minutes=_whole(fields, "visitor_window")),
        )
        await funnels.change(str(funnel_id), change, actor=visit.who.actor)
    except InvalidField as error:
        return await _page(request, visit, Told(error.field, of=funnel_id, fields=fields))
    return _done(str(funnel_id))


async def _page(request: Request, visit: Visit, told: Told = NOTHING) -> Response:
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        tenant = await find_tenant(tx, tenant_id)
        days = await find_keeping(tx, tenant_id=tenant_id)
        follows = await is_following(tx, tenant_id=tenant_id)
        funnels = await list_funnels(tx, tenant_id=tenant_id)
    if tenant is None:
        raise UnknownTenant("There is no such tenant.")
    locale, wanted = locale_of(language_of(request)), tenant.next_time_zone or tenant.time_zone
    part = "settings_under_way.html" if request.headers.get("hx-request") else "settings.html"
    return await render_page(
        request,
        visit,
        part,
        zone=ZoneInfo(tenant.time_zone),
        status=422 if told.field else 200,
        tenant=tenant,
        days=days,
        funnels=funnels,
        zone_words=partial(zone_words, locale),
        currency_words=partial(currency_words, locale),
        zones=zone_choices(locale, wanted),
        wanted=wanted,
        currencies=currency_choices(locale),
        keeping=KEEPING,
        attributions=[*Attribution],
        told=told,
        fields=told.fields or {},
        under_way=_under_way(request, tenant, follows=follows),
        done=request.query_params.get("done"),
    )


def _under_way(request: Request, tenant: Tenant, *, follows: bool) -> UnderWay:
    busy = {ZONE: tenant.next_time_zone is not None, KEEPING_TIME: follows}
    waited = request.query_params.get("waited", "").split(",")
    doing, left = [name for name, is_busy in busy.items() if is_busy], looks_left(request)
    over = [name for name in busy if name in waited and name not in doing]
    looks = f"/settings?waited={','.join([*doing, *over])}&left={left}" if doing and left else None
    return UnderWay(doing, over, looks)


def _whole(fields: Mapping[str, str], name: str) -> int:
    text = fields.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise InvalidField(f"{name} is a whole number.", field=name)
    return int(text)


def _attribution(fields: Mapping[str, str]) -> Attribution:
    try:
        return Attribution(fields.get("attribution", ""))
    except ValueError:
        raise InvalidField("There is no such attribution.", field="attribution") from None


def _done(what: str) -> RedirectResponse:
    return RedirectResponse(f"/settings?done={what}", status_code=303)
