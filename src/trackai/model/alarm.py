"""Alarms: what is watched, what was measured, how an alarm stands, and who is called for it."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

# Whose alarms are nobody's: those of the installation. No tenant ever has this id.
INSTALLATION = UUID(int=1)
# Not a drill.
REAL = UUID(int=0)


class Severity(StrEnum):
    """How bad it is, the worst last."""

    MEDIUM = "medium"  # look at it in working hours
    HIGH = "high"  # look at it today
    CRITICAL = "critical"  # look at it now: sales are not counted, or soon will not be

    @property
    def rank(self) -> int:
        """Return its place among the severities."""
        return list(Severity).index(self)


class State(StrEnum):
    """What an alarm says now."""

    OK = "ok"
    PENDING = "pending"  # beyond the threshold, not for long enough yet
    ALARM = "alarm"
    NO_DATA = "no_data"  # nothing was measured: nobody knows


class Scope(StrEnum):
    """What an alarm is about one of."""

    INSTALLATION = "installation"
    TENANT = "tenant"
    DESTINATION = "destination"  # a tenant's pixel, or a host that many of them share


class Metric(StrEnum):
    """What is measured; its unit stands behind it."""

    DEAD_LETTERS = "dead_letters"  # deliveries
    DEAD_LETTERS_SPREAD = "dead_letters_spread"  # of all tenants that have few each
    BREAKER_OPEN = "breaker_open"  # 1 while events are held back
    TOKEN_HOURS_LEFT = "token_hours_left"  # noqa: S105 - hours
    WEBHOOK_SUCCESS_PERCENT = "webhook_success_percent"  # of an hour
    WEBHOOKS_MISSED = "webhooks_missed"  # sales that are usual in hours in which nothing came
    MATCH_RATE_DROP = "match_rate_drop"  # percentage points below the last four weeks
    SIGNATURE_FAILURES = "signature_failures"  # of a quarter of an hour
    QUEUE_DEPTH = "queue_depth"  # deliveries that are due
    OLDEST_DELIVERY_S = "oldest_delivery_s"
    OLDEST_WEBHOOK_S = "oldest_webhook_s"
    SCHEDULER_LATE_S = "scheduler_late_s"
    CALLS_LOST = "calls_lost"  # of a day, by a route of the installation
    TENANT_CALLS_LOST = "tenant_calls_lost"  # the same, by a tenant's own
    POOL_PERCENT = "pool_percent"
    CPU_PERCENT = "cpu_percent"  # of one core
    LOOP_LAG_MS = "loop_lag_ms"
    API_P95_MS = "api_p95_ms"  # of a minute
    SPOOL_BYTES = "spool_bytes"
    DISK_PERCENT = "disk_percent"
    CERTIFICATE_DAYS_LEFT = "certificate_days_left"
    BACKUP_AGE_H = "backup_age_h"


# What either is or is not.
YES_OR_NO = frozenset({Metric.BREAKER_OPEN})
# What each process says of itself (alarms/sampler.py); whoever looks at alarms says the others.
OF_PROCESSES = frozenset(
    {
        *(Metric.CPU_PERCENT, Metric.DISK_PERCENT, Metric.LOOP_LAG_MS),
        *(Metric.POOL_PERCENT, Metric.API_P95_MS, Metric.SPOOL_BYTES),
    }
)


class Fact(StrEnum):
    """What is known of the whole installation and no alarm is about; units as above."""

    DEAD_LETTERS_ALL = "dead_letters_all"  # of all tenants
    OLDEST_DEAD_LETTER_S = "oldest_dead_letter_s"
    BREAKERS_OPEN = "breakers_open"  # of pixels and hosts
    MATCH_RATE_PERCENT = "match_rate_percent"  # of a day's paid sales
    ROLLUP_LAG_S = "rollup_lag_s"  # since changes of counts were folded last
    ROLLUP_WAITING = "rollup_waiting"  # changes that are not; a hundred thousand stands for more


@dataclass(frozen=True, slots=True)
class Alarm:
    """One row of the catalogue; what it is called and means is in the words."""

    id: str
    metric: Metric
    scope: Scope
    severity: Severity
    threshold: float
    # Beyond the threshold for so long before anybody is called.
    lasting: dt.timedelta
    # Hysteresis: it ends when the value has been on this side of `clear` for `calm`.
    clear: float
    calm: dt.timedelta
    below: bool = False  # bad are values below the threshold, not above it
    # With nothing measured any more there is nothing left to be called for.
    ends_without_data: bool = False
    production_only: bool = False
    runbook: str = ""

    @property
    def page(self) -> str:
        """Return the name of its runbook."""
        return self.runbook or self.id.replace("_", "-")


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Which alarm, of whom, about what; `name` is blank where there is one of it."""

    tenant_id: UUID
    alarm: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts for one subject: the catalogue's, or what its tenant chose."""

    threshold: float
    clear: float


def digits_of(number: float) -> str:
    """Return a number exactly, in digits alone: 1234567, 0.00001."""
    return f"{Decimal(repr(float(number))):f}".removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Standing:
    """How one alarm stands. An incident lasts from the first call to the all-clear."""

    state: State
    since: dt.datetime
    value: float | None = None
    bad_since: dt.datetime | None = None  # the value, uninterrupted; None while an incident lasts
    good_since: dt.datetime | None = None  # the value, while an incident lasts
    incident_id: UUID | None = None
    fired_at: dt.datetime | None = None
    called_at: dt.datetime | None = None
    call_key: str | None = None  # under which it was called
    acknowledged_at: dt.datetime | None = None
    acknowledged_by: str | None = None
    acknowledge_called: bool = False  # whoever was called for it knows that somebody has it
    own_call_key: str | None = None  # under which its tenant's routes were; None: its own


class Event(StrEnum):
    """What the history tells."""

    CHANGED = "changed"  # to another state
    FIRED = "fired"  # an incident begins
    RESOLVED = "resolved"  # and ends
    CALLED = "called"  # people are told
    ACKNOWLEDGED = "acknowledged"  # somebody has it
    GONE = "gone"  # what it was about is no more


class Deed(StrEnum):
    """What a call asks of whom it goes to; PagerDuty's words."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    CHANGE = "change"  # nothing is wrong; something was changed


class RouteKind(StrEnum):
    """How people are told."""

    PAGERDUTY = "pagerduty"
    EMAIL = "email"
    WEBHOOK = "webhook"
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is called meanwhile. None stands for all of them."""

    id: UUID
    tenant_id: UUID | None
    alarm: str | None
    name: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    weekly: bool = False  # a maintenance window: again every week
