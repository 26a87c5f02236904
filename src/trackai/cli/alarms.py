"""`trackai alarms`: how they stand, what happened, whom to call, and when not."""

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated
from uuid import UUID

import typer

from trackai.alarms.catalogue import watched
from trackai.alarms.changes import Change, tell_of
from trackai.alarms.choices import Choices, Hush, alarm_named
from trackai.alarms.evaluator import limits_for
from trackai.alarms.message import exactly, shown, words_of
from trackai.alarms.rules import limits_of
from trackai.cli import alarm_routes
from trackai.cli.drill import drill
from trackai.cli.following import note
from trackai.cli.installation import Installation, actor, open_installation, parse_uuid, run
from trackai.cli.output import Json, Limit, Row, show, show_one
from trackai.cli.render import render
from trackai.errors import InvalidField
from trackai.model.alarm import INSTALLATION, Alarm, Standing, State, Subject
from trackai.model.clock import SystemClock, new_id
from trackai.settings import Pager
from trackai.storage import alarm_choices, alarm_history, alarm_names, alarm_signals
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Role

app = typer.Typer(no_args_is_help=True, help="What is wrong, and whom to call for it.")
app.add_typer(alarm_routes.app, name="routes")
app.command()(drill)
app.command()(render)

AlarmId = Annotated[str, typer.Argument(metavar="ALARM", help="An alarm's id, from the list.")]
Tenant = Annotated[
    str | None, typer.Option(help="Of this tenant, by id or name; default: the installation.")
]
OnlyOf = Annotated[
    str | None, typer.Option(help="Of this tenant, by id or name; default: everybody's.")
]
Subject_ = Annotated[
    str,
    typer.Option(
        "--subject", help="Of what, where there are several: a pixel's or route's id, a host."
    ),
]


@app.command(name="list")
def list_(json: Json = False) -> None:
    """List every alarm that is watched, the worst first: how it stands, and of how many."""

    async def work() -> list[Row]:
        async with (
            open_installation() as here,
            here.database(Role.PIPELINE) as database,
            database.transaction() as tx,
        ):
            counted = await alarm_signals.count_signals_all_tenants(tx)
        by_alarm: dict[str, dict[State, int]] = {}
        for alarm, state, number, _ in counted:
            by_alarm.setdefault(alarm, {})[state] = number
        alarms = watched(production=here.settings.production)
        rows = [(one, _state(by_alarm.get(one.id, {}))) for one in alarms.values()]
        rows.sort(key=lambda row: (_WORST.index(row[1]), -row[0].severity.rank))
        return [_summary(one, state, by_alarm.get(one.id, {})) for one, state in rows]

    show(run(work()), json=json, empty="")


@app.command(name="show")
def show_(alarm: AlarmId, json: Json = False) -> None:
    """Show what an alarm means, its threshold, and everything that is not well."""

    async def work() -> tuple[Row, list[Row]]:
        known = alarm_named(alarm)
        async with _operator() as view:
            names = {one.id: one.name for one in await view.here.tenants()}
            async with view.here.database(Role.PIPELINE) as database, database.transaction() as tx:
                unwell = await alarm_signals.list_unwell_all_tenants(tx, unknown=True)
                limits = await alarm_choices.load_limits_all_tenants(tx)
                subjects = await alarm_names.list_subjects_all_tenants(tx)
        counts = limits_of(known, limits_for(limits, Subject(INSTALLATION, known.id)))
        rows = [
            _standing_row(known, subject, standing, names, subjects)
            for subject, standing in unwell.items()
            if subject.alarm == known.id
        ]
        return _meaning(known, counts.threshold), rows

    meaning, rows = run(work())
    if json:
        show_one({**meaning, "unwell": rows}, json=True)
        return
    show_one(meaning, json=False)
    print()
    show(rows, json=False, empty="Nothing is wrong.")


@app.command()
def history(
    alarm: Annotated[str | None, typer.Argument(metavar="[ALARM]", help="Of this alarm.")] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List what happened to alarms, newest first; kept for ninety days."""

    async def work() -> list[Row]:
        if alarm is not None:
            alarm_named(alarm)
        async with _operator() as view:
            names = {one.id: one.name for one in await view.here.tenants()}
            async with view.here.database(Role.PIPELINE) as database, database.transaction() as tx:
                rows = await alarm_history.list_history_all_tenants(tx, alarm=alarm, limit=limit)
                subjects = await alarm_names.list_subjects_all_tenants(tx)
        return [
            {
                "at": row["at"],
                "alarm": row["alarm"],
                "tenant": names.get(row["tenant_id"]),
                "subject": row["name"] or None,
                "about": subjects.get(row["name"]),
                "event": row["event"],
                "state": row["state"],
                "value": None if row["value"] is None else round(row["value"], 1),
                "by": row["by"],
            }
            for row in rows
        ]

    show(run(work()), json=json, empty="Nothing has happened to any alarm.")


@app.command()
def acknowledge(
    alarm: AlarmId, tenant: Tenant = None, subject: Subject_ = "", json: Json = False
) -> None:
    """Say that you have it; whoever was called for it is told."""

    async def work() -> Standing:
        async with _operator(tenant) as view:
            return await view.choices.acknowledge(alarm, subject)

    taken = run(work())
    show_one({"acknowledged": alarm, "by": taken.acknowledged_by}, json=json)


@app.command()
def silence(
    why: Annotated[str, typer.Option(prompt=True, help="For whoever wonders why it is quiet.")],
    alarm: Annotated[str | None, typer.Argument(metavar="[ALARM]", help="Default: all.")] = None,
    tenant: Tenant = None,
    subject: Annotated[str | None, typer.Option(help="Only this pixel, route or host.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=744, help="For so long.")] = 1.0,
    start: Annotated[
        dt.datetime | None, typer.Option(help="From then on, UTC; default: now.")
    ] = None,
    weekly: Annotated[
        bool, typer.Option("--weekly", help="A maintenance window: again every week.")
    ] = False,
    json: Json = False,
) -> None:
    """Call nobody for a while. Alarms go on, and what still is when it ends is called for then."""

    async def work() -> Row:
        begins = start.replace(tzinfo=dt.UTC) if start else SystemClock().now()
        ends = _after(begins, hours)
        async with _operator(tenant) as view:
            hush = Hush(why, begins, ends, alarm, subject, weekly)
            silence_id = await view.choices.silence(hush)
        return {"silence_id": silence_id, "from": begins, "until": ends, "weekly": weekly}

    show_one(run(work()), json=json)


@app.command()
def silences(tenant: OnlyOf = None, json: Json = False) -> None:
    """List silences and maintenance windows that are not over: who made them, and whose."""

    async def work() -> list[Row]:
        async with open_installation() as here:
            owner = (await here.tenant(tenant)).id if tenant else None
            names = {one.id: one.name for one in await here.tenants()}
            async with here.database(Role.PIPELINE) as database, database.transaction() as tx:
                now = SystemClock().now()
                rows = await alarm_choices.list_silences_all_tenants(tx, now=now)
            return [
                {
                    "silence_id": row["id"],
                    "tenant": names.get(row["tenant_id"]),
                    "alarm": row["alarm"] or "all",
                    "subject": row["name"],
                    "from": row["starts_at"],
                    "until": row["ends_at"],
                    "weekly": row["weekly"],
                    "why": row["why"],
                    "made_by": row["made_by"],
                }
                for row in rows
                if owner in (None, row["tenant_id"])
            ]

    show(run(work()), json=json, empty="Nothing is silenced.")


@app.command()
def unsilence(
    silence_id: Annotated[str, typer.Argument(metavar="SILENCE", help="From `alarms silences`.")],
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """End a silence."""

    async def work() -> None:
        async with _operator(tenant) as view:
            await view.choices.end_silence(parse_uuid(silence_id, "SILENCE"))

    run(work())
    show_one({"ended": silence_id}, json=json)


@app.command()
def threshold(
    alarm: AlarmId,
    value: Annotated[float | None, typer.Argument(help="Default: the catalogue's.")] = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Let another value count, for everybody or for one tenant."""

    async def work() -> Row:
        async with _operator(tenant) as view:
            limits = await view.choices.set_threshold(alarm, value)
        return {"alarm": alarm, "threshold": limits.threshold, "ends_at": limits.clear}

    show_one(run(work()), json=json)


@app.command()
def deployed(
    summary: Annotated[str, typer.Option(help="What changed; default: that it runs.")] = "",
    release: Annotated[
        str | None, typer.Option("--version", help="What runs now; default: this program's.")
    ] = None,
    link: Annotated[str | None, typer.Option(help="Where there is more of it.")] = None,
    json: Json = False,
) -> None:
    """Tell PagerDuty, Slack and webhooks of the installation that another release runs.

    Nobody is woken. It goes out as calls do, tried again while the other side is away.
    """

    async def work() -> int:
        change = Change(version("trackai") if release is None else release, summary, link)
        async with open_installation() as here, here.database(Role.APP) as database:
            clock = SystemClock()
            scribe = Scribe(INSTALLATION, actor(), clock, new_id)
            pages = here.settings.pager is Pager.PROGRAM
            return await tell_of(change, database, scribe, clock=clock, new_id=new_id, pages=pages)

    calls = run(work())
    show_one({"calls": calls, "see": "trackai alarms routes calls"}, json=json)
    if not calls:
        note("Nobody is told: the installation has no route that hears of changes.")


_WORST = (State.ALARM, State.PENDING, State.NO_DATA, State.OK)


@dataclass(frozen=True, slots=True)
class _View:
    here: Installation
    choices: Choices


@asynccontextmanager
async def _operator(tenant: str | None = None) -> AsyncIterator[_View]:
    """Open the installation, and what its operator or a tenant decides."""
    async with open_installation() as here, here.database(Role.APP) as database:
        owner = (await here.tenant(tenant)).id if tenant else INSTALLATION
        clock = SystemClock()
        scribe = Scribe(owner, actor(), clock, new_id)
        yield _View(here, Choices(database, here.envelope, clock, new_id, scribe))


def _after(begins: dt.datetime, hours: float) -> dt.datetime:
    try:
        return begins + dt.timedelta(hours=hours)
    except OverflowError:  # behind the year 9999
        raise InvalidField("There is no such time.", field="start") from None


def _state(counted: Mapping[State, int]) -> State:
    return next((one for one in _WORST if counted.get(one)), State.NO_DATA)


def _summary(alarm: Alarm, state: State, counted: Mapping[State, int]) -> Row:
    return {
        "alarm": alarm.id,
        "severity": alarm.severity.value,
        "state": state.value,
        "alarms": counted.get(State.ALARM, 0),
        "of": sum(counted.values()),
        "title": words_of("en")[alarm.id]["title"],
        "runbook": f"docs/runbooks/{alarm.page}.md",
    }


def _meaning(alarm: Alarm, threshold_: float) -> Row:
    words = words_of("en")[alarm.id]
    side = "less than" if alarm.below else "more than"
    return {
        "alarm": alarm.id,
        "title": words["title"],
        "meaning": words["meaning"],
        "severity": alarm.severity.value,
        "fires": f"{side} {exactly(alarm.metric, threshold_, 'en')} for {_length(alarm.lasting)}",
        "runbook": f"docs/runbooks/{alarm.page}.md",
    }


def _length(length: dt.timedelta) -> str:
    return f"{length.total_seconds() / 60:g} min" if length else "a moment"


def _standing_row(
    alarm: Alarm,
    subject: Subject,
    standing: Standing,
    names: Mapping[UUID, str],
    subjects: Mapping[str, str],
) -> Row:
    return {
        "tenant": names.get(subject.tenant_id),
        "subject": subject.name or None,
        "about": subjects.get(subject.name),
        "state": standing.state.value,
        "since": standing.since,
        "value": shown(alarm.metric, standing.value, "en"),
        "called_at": standing.called_at,
        "acknowledged_by": standing.acknowledged_by,
    }
