"""What people decide about alarms: whom to call, when not, from which value on; and who has one.

For a tenant, as row-level security sees it; or for the installation, whose tenant nobody is. What
is done is in the audit log.
"""

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from uuid import UUID

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.message import LANGUAGES
from trackai.alarms.rules import limits_of
from trackai.errors import Conflict, InvalidField, NotFound
from trackai.model.alarm import (
    INSTALLATION,
    YES_OR_NO,
    Alarm,
    Event,
    Limits,
    Metric,
    RouteKind,
    Scope,
    Severity,
    Silence,
    Standing,
    Subject,
)
from trackai.model.clock import Clock, NewId
from trackai.storage import alarm_choices, alarm_history, alarm_routes, alarm_signals
from trackai.storage.alarm_history import Happened
from trackai.storage.alarm_routes import Route, Target
from trackai.storage.audit_logs import Scribe
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database, Row
from trackai.tracker.public_web import may_be_public

# Letters of what people write.
MOST_NAME, MOST_WHY = 100, 500
# Of an owner: every incident is a call by each.
MOST_ROUTES = 50
# PagerDuty's integration keys.
ROUTING_KEY = 32
# A silence that nobody ends; longer ones are a threshold that is wrong.
LONGEST_SILENCE = dt.timedelta(days=31)
_WEEK = dt.timedelta(days=7)
# Bytes of a disk, the most that anything measures; behind it an alarm's end could be no number.
MOST_THRESHOLD = 1e12
# More than any measurement has, and fewer than would show what a computer makes of 0.1.
_DECIMALS = 9
# Of what there is never more: a threshold beyond it would never let an alarm end, or fire.
_HUNDREDS = frozenset(
    {
        *(Metric.WEBHOOK_SUCCESS_PERCENT, Metric.MATCH_RATE_DROP),
        *(Metric.POOL_PERCENT, Metric.DISK_PERCENT),
    }
)


@dataclass(frozen=True, slots=True)
class NewRoute:
    """Whom to call, as somebody wrote it."""

    kind: RouteKind
    name: str
    address: str = ""
    secret: str = ""
    least: Severity = Severity.MEDIUM
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Hush:
    """When nobody is to be called for what, and why."""

    why: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    alarm: str | None = None
    name: str | None = None
    weekly: bool = False


@dataclass(frozen=True, slots=True)
class Counting:
    """Which limits count for one alarm, and who says so."""

    alarm: Alarm
    limits: Limits
    whose: str  # usual, installation or own
    set_by: str | None = None
    set_at: dt.datetime | None = None


class Choices:
    """One owner's choices."""

    def __init__(
        self, database: Database, envelope: Envelope, clock: Clock, new_id: NewId, scribe: Scribe
    ) -> None:
        self._database = database
        self._envelope = envelope
        self._clock = clock
        self._new_id = new_id
        self._scribe = scribe

    @property
    def _tenant_id(self) -> UUID:
        return self._scribe.tenant_id

    async def add_route(self, new: NewRoute) -> tuple[Route, str | None]:
        """Store a route; returns it, and the secret that its calls are signed with, if they are.

        The installation's key must have been made before the installation's first route.
        """
        target, shown = _target(new)
        name = _text(new.name, "name", MOST_NAME)
        if new.language not in LANGUAGES:
            raise InvalidField(f"A language is one of {', '.join(LANGUAGES)}.", field="language")
        route = Route(self._tenant_id, self._new_id(), new.kind, name, new.least, new.language)
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            if len(await alarm_routes.list_routes(tx, tenant_id=self._tenant_id)) >= MOST_ROUTES:
                raise InvalidField(f"There are at most {MOST_ROUTES} routes.", field="routes")
            await alarm_routes.insert_route(
                *(tx, self._envelope, route, target),
                by=self._scribe.actor,
                now=self._clock.now(),
            )
            told = {"kind": route.kind.value, "name": name, "least": route.least.value}
            await self._scribe.note(tx, "alarm_route.add", route.id, told)
        return route, shown

    async def end_route(self, route_id: UUID) -> None:
        """Call nobody by it any more; NotFound when there is none."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            if not await alarm_routes.end_route(
                tx, tenant_id=self._tenant_id, route_id=route_id, now=self._clock.now()
            ):
                raise NotFound("There is no such route.")
            await self._scribe.note(tx, "alarm_route.remove", route_id)

    async def routes(self) -> Sequence[Row]:
        """Return the routes, without where they lead."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            return await alarm_routes.list_routes(tx, tenant_id=self._tenant_id)

    async def silence(self, hush: Hush) -> UUID:
        """Call nobody meanwhile; returns the silence's id."""
        why = _text(hush.why, "why", MOST_WHY)
        if hush.alarm is not None:
            alarm_named(hush.alarm)
        length = hush.ends_at - hush.starts_at
        longest = _WEEK if hush.weekly else LONGEST_SILENCE
        if not dt.timedelta(0) < length <= longest or hush.ends_at <= self._clock.now():
            raise InvalidField(
                f"A silence ends after it begins, in the future and within {longest.days} days.",
                field="ends_at",
            )
        silence = Silence(
            *(self._new_id(), self._tenant_id, hush.alarm, hush.name),
            *(hush.starts_at, hush.ends_at, hush.weekly),
        )
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            await alarm_choices.insert_silence(
                tx, silence, why=why, by=self._scribe.actor, now=self._clock.now()
            )
            told = {"alarm": hush.alarm, "until": hush.ends_at.isoformat(), "weekly": hush.weekly}
            await self._scribe.note(tx, "alarm.silence", silence.id, told)
        return silence.id

    async def end_silence(self, silence_id: UUID) -> None:
        """Call people again; NotFound when there is no such silence."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            if not await alarm_choices.end_silence(
                tx, tenant_id=self._tenant_id, silence_id=silence_id, now=self._clock.now()
            ):
                raise NotFound("There is no such silence.")
            await self._scribe.note(tx, "alarm.unsilence", silence_id)

    async def counting(self) -> Mapping[str, Counting]:
        """Return alarm -> what counts for it: the owner's own, the installation's, or as usual."""
        own = await self._limits(self._tenant_id)
        everybodys = own if self._tenant_id == INSTALLATION else await self._limits(INSTALLATION)
        found = {}
        for alarm in ALARMS.values():
            if self._tenant_id != INSTALLATION and alarm.scope is Scope.INSTALLATION:
                continue
            row = own.get(alarm.id) or everybodys.get(alarm.id)
            if row is None:
                found[alarm.id] = Counting(alarm, limits_of(alarm), "usual")
                continue
            limits = Limits(row["threshold"], row["clear"])
            whose = "own" if alarm.id in own else "installation"
            found[alarm.id] = Counting(alarm, limits, whose, row["set_by"], row["set_at"])
        return found

    async def set_threshold(self, alarm_id: str, threshold: float | None) -> Limits:
        """Let this value count, None: what counts for everybody; returns what does from now on.

        Where the alarm ends moves in proportion.
        """
        alarm = alarm_named(alarm_id)
        if self._tenant_id != INSTALLATION and alarm.scope is Scope.INSTALLATION:
            raise InvalidField("This alarm is the installation's alone.", field="alarm")
        limits = None if threshold is None else _limits(alarm, threshold)
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            if limits is None:
                await alarm_choices.delete_limits(tx, alarm.id, tenant_id=self._tenant_id)
            else:
                await alarm_choices.save_limits(
                    *(tx, alarm.id, limits),
                    tenant_id=self._tenant_id,
                    by=self._scribe.actor,
                    now=self._clock.now(),
                )
            await self._scribe.note(tx, "alarm.threshold", alarm.id, {"threshold": threshold})
        return limits or (await self.counting())[alarm.id].limits

    async def _limits(self, tenant_id: UUID) -> Mapping[str, Row]:
        async with self._database.transaction(tenant_id=tenant_id) as tx:
            rows = await alarm_choices.list_limits(tx, tenant_id=tenant_id)
        return {row["alarm"]: row for row in rows}

    async def acknowledge(self, alarm_id: str, name: str = "") -> Standing:
        """Say that somebody has an incident; whoever was called for it is told within seconds.

        NotFound when the alarm has none; Conflict when somebody has it.
        """
        subject, now = Subject(self._tenant_id, alarm_named(alarm_id).id, name), self._clock.now()
        if "\x00" in name:  # the name of nothing, and no text to the database
            raise NotFound("This alarm has no incident.")
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            taken = await alarm_signals.acknowledge_signal(
                tx, subject, now=now, by=self._scribe.actor
            )
            if taken is None:
                known = await alarm_signals.list_signals(tx, tenant_id=self._tenant_id)
                _refuse(known.get(subject))
            else:
                happened = Happened(subject, Event.ACKNOWLEDGED, taken, self._scribe.actor)
                await alarm_history.insert_history_all_tenants(
                    tx, [happened], now=now, new_id=self._new_id
                )
                await self._scribe.note(tx, "alarm.acknowledge", alarm_id, {"name": name})
                return taken
        raise NotFound("This alarm has no incident.")


def most_of(alarm: Alarm) -> float | None:
    """Return the largest value that an alarm's threshold may have; None: any."""
    return 100.0 if alarm.metric in _HUNDREDS else None


def alarm_named(alarm_id: str) -> Alarm:
    """Return an alarm of the catalogue; NotFound names those that there are."""
    if alarm_id not in ALARMS:
        raise NotFound(f"There is no such alarm. Known: {', '.join(ALARMS)}.")
    return ALARMS[alarm_id]


def _refuse(known: Standing | None) -> None:
    if known is not None and known.incident_id is not None:
        raise Conflict(f"{known.acknowledged_by} has it already.")


def _limits(alarm: Alarm, threshold: float) -> Limits:
    if not 0 <= threshold <= MOST_THRESHOLD:  # which not-a-number is not, either
        raise InvalidField(
            f"A threshold is a number between 0 and {MOST_THRESHOLD:,.0f}.", field="threshold"
        )
    most = most_of(alarm)
    if most is not None and threshold > most:
        raise InvalidField(f"The threshold of this alarm is at most {most:g}.", field="threshold")
    if alarm.metric in YES_OR_NO and threshold:
        raise InvalidField("It is so or it is not: this alarm's threshold is 0.", field="threshold")
    part = alarm.clear / alarm.threshold if alarm.threshold else 1.0
    clear = round(threshold * part, _DECIMALS)
    # Nothing is better than all of it: behind that the alarm would not end.
    return Limits(threshold, clear if most is None else min(clear, most))


def _target(new: NewRoute) -> tuple[Target, str | None]:
    """Return where a route leads, and the secret that was made for it."""
    address, secret = new.address.strip(), new.secret.strip()
    if new.kind is RouteKind.PAGERDUTY:
        if len(secret) != ROUTING_KEY or not (secret.isascii() and secret.isalnum()):
            raise InvalidField(
                f"An integration key of PagerDuty has {ROUTING_KEY} letters and digits.",
                field="secret",
            )
        return Target(secret=secret), None
    if new.kind is RouteKind.EMAIL:
        if not address.isprintable() or "@" not in parseaddr(address)[1] or " " in address:
            raise InvalidField("That is no e-mail address.", field="address")
        return Target(address), None
    if not _takes_calls(address):
        raise InvalidField(
            "Calls go to an https address of the public web, without a login or a port of its own.",
            field="address",
        )
    if new.kind is RouteKind.SLACK:
        return Target(address), None
    made = secret or f"whsec_{secrets.token_urlsafe(32)}"
    return Target(address, made), made


def _takes_calls(address: str) -> bool:
    """Tell whether calls can go there: others would be lost, and somebody called for that."""
    return address.lower().startswith("https://") and may_be_public(address)


def _text(text: str, field: str, most: int) -> str:
    found = " ".join(text.split())
    if not 0 < len(found) <= most or not found.isprintable():
        raise InvalidField(f"Between 1 and {most} letters are wanted.", field=field)
    return found
