"""The circuit breaker's rules: closed, open, half-open (Nygard, "Release It!", chapter 5).

One guards a destination, another the host that many destinations share. No I/O: `dispatch/gate.py`
keeps the state in the database, where all workers see it.

A failure is a whole request's, not an event's. While a breaker is open, deliveries wait and no try
of theirs is used up. After a pause one probe goes; each opening in a row doubles the pause.
"""

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

# A pause never grows beyond this: an outage's end is noticed within a quarter of an hour.
LONGEST_PAUSE = dt.timedelta(minutes=15)
# A probe whose worker died is given up after this, longer than any call takes.
PROBE_LASTS = dt.timedelta(seconds=120)
# Those that wait for a probe's end look again after this.
HOLD_FOR_PROBE = dt.timedelta(seconds=5)
# A host is to blame only when as many of its destinations fail: one alone has its own breaker.
BLAMED = 2


class BreakerState(StrEnum):
    """Nygard's words."""

    CLOSED = "closed"  # requests go
    OPEN = "open"  # none goes before `retry_at`
    HALF_OPEN = "half_open"  # one goes; it is given up at `retry_at`


@dataclass(frozen=True, slots=True)
class Breaker:
    """Where a breaker stands."""

    since: dt.datetime  # of this state
    state: BreakerState = BreakerState.CLOSED
    failures: int = 0  # in a row
    openings: int = 0  # in a row, without a success between
    reason: str | None = None  # of the last failure
    retry_at: dt.datetime | None = None
    paused_until: dt.datetime | None = None  # asked for by the platform; not a failure
    blamed: frozenset[UUID] = frozenset()  # of a host: destinations that failed in a row

    @property
    def untroubled(self) -> bool:
        """Whether a success would change nothing."""
        return self.state is BreakerState.CLOSED and not self.failures and self.paused_until is None


@dataclass(frozen=True, slots=True)
class Limits:
    """When a breaker opens and for how long at first."""

    failures: int = 5
    pause: dt.timedelta = dt.timedelta(seconds=60)


# What a request says to a breaker ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The platform answered for this account, whatever it said of the events."""


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer, or one that says that nothing can be taken."""

    reason: str
    at_host: bool = False  # nothing of the platform answered, or it said that it is broken


@dataclass(frozen=True, slots=True)
class Refused:
    """The account is refused until a person does something: opens at once."""

    reason: str
    retry_after: dt.timedelta | None = None


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many requests: the platform is well, and asks for a pause."""

    pause: dt.timedelta


Signal = Succeeded | Failed | Refused | Throttled


# What a breaker says to a request ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Go:
    """Send."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Send one event; what becomes of it decides."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Do not send before this time."""

    until: dt.datetime


Admission = Go | Probe | Hold


def admit(breaker: Breaker, now: dt.datetime) -> tuple[Breaker, Admission]:
    """Return what a request may do now, and the breaker after that was said."""
    if breaker.paused_until is not None and now < breaker.paused_until:
        return breaker, Hold(breaker.paused_until)
    if breaker.state is BreakerState.CLOSED:
        return breaker, Go()
    if breaker.retry_at is not None and now < breaker.retry_at:
        if breaker.state is BreakerState.HALF_OPEN:
            return breaker, Hold(min(breaker.retry_at, now + HOLD_FOR_PROBE))
        return breaker, Hold(breaker.retry_at)
    probing = replace(breaker, state=BreakerState.HALF_OPEN, since=now, retry_at=now + PROBE_LASTS)
    return probing, Probe()


def after(breaker: Breaker, signal: Signal, now: dt.datetime, limits: Limits) -> Breaker:
    """Return the breaker after a request."""
    match signal:
        case Succeeded():
            well = closed(breaker, now)
            asked = breaker.paused_until
            # Under way before the platform asked for a pause: it says nothing of the pause.
            return replace(well, paused_until=asked) if asked and asked > now else well
        case Throttled(pause=pause):
            return replace(closed(breaker, now), paused_until=now + pause)
        case Refused():
            return _refused(breaker, signal, now, limits)
        case Failed(reason=reason):
            return _failed(breaker, reason, now, limits)


def after_at_host(
    breaker: Breaker, destination_id: UUID, signal: Signal, now: dt.datetime, limits: Limits
) -> Breaker:
    """Return a host's breaker after a request to one of its destinations.

    It opens when several destinations fail in a row; the failures of one alone are that one's.
    """
    if not isinstance(signal, Failed) or not signal.at_host:
        return closed(breaker, now)  # it answered
    blamed = breaker.blamed | {destination_id}
    held = replace(breaker, blamed=frozenset(sorted(blamed)[:BLAMED]))
    half_open = breaker.state is BreakerState.HALF_OPEN
    if len(held.blamed) < BLAMED and not half_open:
        few = min(held.failures + 1, limits.failures - 1)
        return replace(held, failures=few, reason=signal.reason)
    return after(held, signal, now, limits)


def unasked(breaker: Breaker, now: dt.datetime) -> Breaker:
    """Return a breaker after a probe that made no request: the next event is the probe."""
    if breaker.state is BreakerState.HALF_OPEN:
        return replace(breaker, retry_at=now)
    return breaker


def closed(breaker: Breaker, now: dt.datetime) -> Breaker:
    """Return the breaker after a success, or after somebody mended what it was opened for."""
    if breaker.state is BreakerState.CLOSED:
        return Breaker(since=breaker.since)
    return Breaker(since=now)


def _refused(breaker: Breaker, refused: Refused, now: dt.datetime, limits: Limits) -> Breaker:
    if breaker.state is BreakerState.OPEN:
        return replace(breaker, reason=refused.reason)
    return _opened(breaker, refused.reason, now, limits, at_least=refused.retry_after)


def _failed(breaker: Breaker, reason: str, now: dt.datetime, limits: Limits) -> Breaker:
    if breaker.state is BreakerState.OPEN:
        return breaker  # it was on its way when the breaker opened
    counted = replace(breaker, failures=breaker.failures + 1, reason=reason)
    if breaker.state is BreakerState.HALF_OPEN or counted.failures >= limits.failures:
        return _opened(counted, reason, now, limits)
    return counted


def _opened(
    breaker: Breaker,
    reason: str,
    now: dt.datetime,
    limits: Limits,
    *,
    at_least: dt.timedelta | None = None,
) -> Breaker:
    doubled = limits.pause * 2 ** min(breaker.openings, 16)
    pause = max(min(doubled, LONGEST_PAUSE), at_least or dt.timedelta())
    return replace(
        breaker,
        state=BreakerState.OPEN,
        since=now if breaker.openings == 0 else breaker.since,
        openings=breaker.openings + 1,
        reason=reason,
        retry_at=now + pause,
    )
