"""A tenant's alarms: how they stand, who has one, whom to call and when not, and what happened."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.choices import MOST_NAME, MOST_WHY, Choices, Hush, NewRoute, alarm_named
from trackai.alarms.message import LANGUAGES, shown, words_of
from trackai.analytics.metrics import zone_of
from trackai.dashboard.remedies import REMEDIES
from trackai.dashboard.rendering import language_of, render_page
from trackai.dashboard.thresholds import number_of, thresholds_of
from trackai.dashboard.visiting import Configure, Manage, Operate, See, Visit, fields_of, tools_of
from trackai.dashboard.words import say
from trackai.errors import Conflict, InvalidField, NotFound
from trackai.model.alarm import YES_OR_NO, Alarm, RouteKind, Scope, Severity, Standing, State
from trackai.storage import (
    alarm_calls,
    alarm_choices,
    alarm_history,
    alarm_names,
    alarm_routes,
    alarm_signals,
)
from trackai.storage.alarm_signals import Standings
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Tx

router = APIRouter()

SHOWN = 50
HOURS = {hours: dt.timedelta(hours=hours) for hours in (1, 4, 24, 168)}
# Those first that everybody has.
KINDS = (RouteKind.EMAIL, RouteKind.SLACK, RouteKind.WEBHOOK, RouteKind.PAGERDUTY)
# Those of a tenant; the others are the installation's, and whoever runs it is called for them.
OF_TENANTS = [one for one in ALARMS.values() if one.scope is not Scope.INSTALLATION]


@dataclass(frozen=True, slots=True)
class Line:
    """How one alarm stands, in the reader's words; `of` and `about` tell of what it is."""

    alarm: Alarm
    title: str
    meaning: str
    of: str
    about: str
    state: State
    value: str
    standing: Standing | None


@router.get("/alarms")
async def show_alarms(request: Request, visit: See) -> Response:
    """Show all of them, the worst first."""
    return await _page(request, visit)


@router.get("/alarms/{alarm_id}")
async def show_alarm(request: Request, visit: See, alarm_id: str) -> Response:
    """Show one: what it means, how it stands, what happened to it."""
    return await _page(request, visit, only=alarm_named(alarm_id))


@router.post("/alarms/{alarm_id}/acknowledge")
async def acknowledge(request: Request, visit: Operate, alarm_id: str) -> Response:
    """Say that somebody has it; whoever was called is told."""
    fields = await fields_of(request)
    try:
        await _choices(request, visit).acknowledge(alarm_id, fields.get("name", ""))
    except (Conflict, NotFound):
        # It ended, or somebody was faster: the page says which.
        alarm_named(alarm_id)
    return RedirectResponse("/alarms", status_code=303)


@router.post("/alarms/{alarm_id}/threshold")
async def set_threshold(request: Request, visit: Configure, alarm_id: str) -> Response:
    """Let another value count for this account from the next look on."""
    try:
        value = number_of((await fields_of(request)).get("threshold", ""))
        await _choices(request, visit).set_threshold(alarm_id, value)
    except InvalidField as error:
        return await _page(request, visit, problem=error.field, status=422)
    return RedirectResponse("/alarms#thresholds", status_code=303)


@router.post("/alarms/{alarm_id}/threshold/end")
async def end_threshold(request: Request, visit: Configure, alarm_id: str) -> Response:
    """Let count again what counts for everybody."""
    try:
        await _choices(request, visit).set_threshold(alarm_id, None)
    except InvalidField as error:
        return await _page(request, visit, problem=error.field, status=422)
    return RedirectResponse("/alarms#thresholds", status_code=303)


@router.post("/alarms/silences")
async def silence(request: Request, visit: Operate) -> Response:
    """Call nobody for some hours."""
    fields, now = await fields_of(request), tools_of(request).clock.now()
    hours = next((one for one in HOURS if str(one) == fields.get("hours")), 0)
    ends = now + dt.timedelta(hours=hours)
    try:
        hush = Hush(fields.get("why", ""), now, ends, fields.get("alarm") or None)
        await _choices(request, visit).silence(hush)
    except InvalidField as error:
        return await _page(request, visit, problem=error.field, status=422)
    return RedirectResponse("/alarms", status_code=303)


@router.post("/alarms/silences/{silence_id}/end")
async def end_silence(request: Request, visit: Operate, silence_id: UUID) -> Response:
    """Call people again."""
    await _choices(request, visit).end_silence(silence_id)
    return RedirectResponse("/alarms", status_code=303)


@router.post("/alarms/routes")
async def add_route(request: Request, visit: Manage) -> Response:
    """Have somebody called; the secret that calls are signed with is shown this once."""
    fields = await fields_of(request)
    try:
        new = NewRoute(
            RouteKind(fields.get("kind", "")),
            fields.get("route_name", ""),
            fields.get("address", ""),
            fields.get("secret", ""),
            Severity(fields.get("least", "")),
            fields.get("language", ""),
        )
        route, secret = await _choices(request, visit).add_route(new)
    except InvalidField as error:
        return await _page(request, visit, problem=error.field, status=422)
    except ValueError:  # a kind or a severity that there is not
        return await _page(request, visit, problem="kind", status=422)
    if secret is None or route.kind is not RouteKind.WEBHOOK:
        return RedirectResponse("/alarms", status_code=303)
    return await _page(request, visit, secret=secret)


@router.post("/alarms/routes/{route_id}/end")
async def end_route(request: Request, visit: Manage, route_id: UUID) -> Response:
    """Call somebody no more."""
    await _choices(request, visit).end_route(route_id)
    return RedirectResponse("/alarms", status_code=303)


async def _page(
    request: Request,
    visit: Visit,
    *,
    only: Alarm | None = None,
    problem: str | None = None,
    secret: str | None = None,
    status: int = 200,
) -> Response:
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
        lines = await lines_of(tx, language_of(request), tenant_id=tenant_id)
        history = await alarm_history.list_history(
            tx, tenant_id=tenant_id, alarm=only.id if only else None, limit=SHOWN
        )
        silences = await alarm_choices.list_silences(tx, tenant_id=tenant_id, now=tools.clock.now())
        subjects = await alarm_names.list_subjects(tx, tenant_id=tenant_id)
        routes = await alarm_routes.list_routes(tx, tenant_id=tenant_id)
        calls = await alarm_calls.list_latest_calls(tx, tenant_id=tenant_id)
    words = words_of(language_of(request))
    names = await tools.team.names(tenant_id)
    counting = thresholds_of(await _choices(request, visit).counting(), language_of(request))
    return await render_page(
        request,
        visit,
        "alarms.html",
        zone=zone,
        status=status,
        only=only,
        alarm=only,
        remedy=REMEDIES.get(only.id, ()) if only else (),
        lines=[one for one in lines if only is None or one.alarm.id == only.id],
        history=history,
        subjects=subjects,
        silences=silences,
        routes=routes,
        calls=calls,
        thresholds=counting,
        words=words,
        names=names,
        alarms={one.id: words[one.id]["title"] for one in OF_TENANTS},
        hours=HOURS,
        kinds=KINDS,
        severities=list(Severity),
        languages=LANGUAGES,
        most_name=MOST_NAME,
        most_why=MOST_WHY,
        problem=problem,
        secret=secret,
    )


async def lines_of(tx: Tx, language: str, *, tenant_id: UUID) -> Sequence[Line]:
    """Return how a tenant's alarms stand, the worst first."""
    signals = await alarm_signals.list_signals(tx, tenant_id=tenant_id)
    subjects = await alarm_names.list_subjects(tx, tenant_id=tenant_id)
    return _lines(signals, subjects, language)


def unwell(lines: Sequence[Line]) -> Sequence[Line]:
    """Return those that somebody has to look at."""
    return [one for one in lines if one.standing and one.standing.incident_id]


def _lines(signals: Standings, subjects: Mapping[str, str], language: str) -> Sequence[Line]:
    lines = []
    known = {subject.alarm for subject in signals}
    stand = [
        *((subject.alarm, subject.name, standing) for subject, standing in signals.items()),
        *((one.id, "", None) for one in OF_TENANTS if one.id not in known),
    ]
    for alarm_id, name, standing in stand:
        if alarm_id not in ALARMS:
            continue  # of a newer release
        alarm = ALARMS[alarm_id]
        said = words_of(language)[alarm_id]
        lines.append(
            Line(
                alarm,
                said["title"],
                said["meaning"],
                name,
                subjects.get(name, name),
                standing.state if standing else State.NO_DATA,
                _value(alarm, standing.value if standing else None, language),
                standing,
            )
        )
    return lines


def _value(alarm: Alarm, value: float | None, language: str) -> str:
    if alarm.metric in YES_OR_NO and value is not None:
        return say(language, "alarms.is_so" if value else "alarms.is_not_so")
    return shown(alarm.metric, value, language)


def _choices(request: Request, visit: Visit) -> Choices:
    tools = tools_of(request)
    scribe = Scribe(visit.membership.tenant_id, visit.who.actor, tools.clock, tools.new_id)
    return Choices(tools.database, tools.envelope, tools.clock, tools.new_id, scribe)
