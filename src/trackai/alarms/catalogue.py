"""Every alarm there is: data. What each means to people is in words/*.toml, what to do in runbooks.

The thresholds are those of the product's specification where it has one, and are marked; the others
were chosen so that they do not fire on a day on which nobody would have acted.
"""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

from trackai.model.alarm import Alarm, Metric, Scope, Severity

_NONE = dt.timedelta(0)


def _minutes(number: float) -> dt.timedelta:
    return dt.timedelta(minutes=number)


_ALARMS = (
    # Specified: more than 100 for 30 minutes.
    Alarm(
        *("dlq_depth", Metric.DEAD_LETTERS, Scope.TENANT, Severity.CRITICAL),
        *(100, _minutes(30), 90, _minutes(5)),
        runbook="dlq-troubleshooting",
    ),
    # The same of all who have too few for an alarm of their own: one cause calls once.
    Alarm(
        *("dlq_spread", Metric.DEAD_LETTERS_SPREAD, Scope.INSTALLATION, Severity.CRITICAL),
        *(100, _minutes(30), 90, _minutes(5)),
    ),
    # Specified: open for more than 3 minutes. A breaker that probes is still open to people.
    Alarm(
        *("breaker_open", Metric.BREAKER_OPEN, Scope.DESTINATION, Severity.HIGH),
        *(0, _minutes(3), 0, _minutes(2)),
        runbook="circuit-breaker-trip",
    ),
    # Specified: less than 24 hours. A refused token has none left.
    Alarm(
        *("token_expiring", Metric.TOKEN_HOURS_LEFT, Scope.DESTINATION, Severity.HIGH),
        *(24, _NONE, 48, _NONE),
        below=True,
    ),
    # Specified: below 95 % over an hour. The hour is in the metric.
    Alarm(
        *("webhook_success", Metric.WEBHOOK_SUCCESS_PERCENT, Scope.TENANT, Severity.CRITICAL),
        *(95, _minutes(1), 97, _minutes(5)),
        below=True,
        ends_without_data=True,
    ),
    # Specified: more than 80 % of the pool.
    Alarm(
        *("pool_in_use", Metric.POOL_PERCENT, Scope.INSTALLATION, Severity.HIGH),
        *(80, _minutes(2), 60, _minutes(2)),
    ),
    # Specified: more than 80 % for a minute.
    Alarm(
        *("cpu_busy", Metric.CPU_PERCENT, Scope.INSTALLATION, Severity.MEDIUM),
        *(80, _minutes(1), 60, _minutes(2)),
    ),
    # Specified: more than 1000. A burst that workers take away at once calls nobody.
    Alarm(
        *("queue_depth", Metric.QUEUE_DEPTH, Scope.INSTALLATION, Severity.HIGH),
        *(1000, _minutes(2), 500, _minutes(2)),
    ),
    # Specified: p95 above 5 seconds.
    Alarm(
        *("api_latency", Metric.API_P95_MS, Scope.INSTALLATION, Severity.MEDIUM),
        *(5000, _minutes(2), 2500, _minutes(2)),
        ends_without_data=True,
    ),
    # Five sales are usual in these three hours of this weekday, and nothing at all has come.
    Alarm(
        *("webhooks_silent", Metric.WEBHOOKS_MISSED, Scope.TENANT, Severity.CRITICAL),
        *(4, _minutes(10), 0, _NONE),
    ),
    Alarm(
        *("match_rate_drop", Metric.MATCH_RATE_DROP, Scope.TENANT, Severity.HIGH),
        *(20, _minutes(15), 10, _minutes(15)),
        ends_without_data=True,
    ),
    Alarm(
        *("signature_failures", Metric.SIGNATURE_FAILURES, Scope.TENANT, Severity.HIGH),
        *(20, _minutes(1), 5, _minutes(5)),
    ),
    # Deliveries that a breaker holds are the breaker's alarm.
    Alarm(
        *("oldest_delivery", Metric.OLDEST_DELIVERY_S, Scope.INSTALLATION, Severity.HIGH),
        *(600, _minutes(2), 60, _minutes(1)),
    ),
    Alarm(
        *("oldest_webhook", Metric.OLDEST_WEBHOOK_S, Scope.INSTALLATION, Severity.CRITICAL),
        *(300, _minutes(2), 60, _minutes(1)),
    ),
    Alarm(
        *("scheduler_late", Metric.SCHEDULER_LATE_S, Scope.INSTALLATION, Severity.HIGH),
        *(600, _minutes(1), 120, _minutes(1)),
    ),
    Alarm(
        *("event_loop_lag", Metric.LOOP_LAG_MS, Scope.INSTALLATION, Severity.MEDIUM),
        *(1000, _minutes(2), 250, _minutes(2)),
    ),
    # The database is away, or what pages reported meanwhile does not come in.
    Alarm(
        *("spool_waiting", Metric.SPOOL_BYTES, Scope.INSTALLATION, Severity.HIGH),
        *(0, _minutes(5), 0, _minutes(1)),
    ),
    Alarm(
        *("disk_full", Metric.DISK_PERCENT, Scope.INSTALLATION, Severity.CRITICAL),
        *(90, _minutes(5), 85, _minutes(5)),
    ),
    # Somebody was to be told of something and was not.
    Alarm(
        *("calls_lost", Metric.CALLS_LOST, Scope.INSTALLATION, Severity.HIGH),
        *(0, _NONE, 0, _NONE),
    ),
    # The installation was told of the same and cannot mend it: the tenant has to, in its own time.
    Alarm(
        *("tenant_calls_lost", Metric.TENANT_CALLS_LOST, Scope.TENANT, Severity.MEDIUM),
        *(0, _NONE, 0, _NONE),
    ),
    Alarm(
        *("certificate_expiring", Metric.CERTIFICATE_DAYS_LEFT, Scope.INSTALLATION, Severity.HIGH),
        *(14, _NONE, 15, _NONE),
        below=True,
        production_only=True,
    ),
    # A backup a day, and two hours to make it. Where there never was one, since the first tenant.
    Alarm(
        *("backup_old", Metric.BACKUP_AGE_H, Scope.INSTALLATION, Severity.CRITICAL),
        *(26, _NONE, 26, _NONE),
        production_only=True,
    ),
)

ALARMS: Mapping[str, Alarm] = MappingProxyType({alarm.id: alarm for alarm in _ALARMS})


def watched(*, production: bool) -> Mapping[str, Alarm]:
    """Return the alarms of an environment."""
    return {one.id: one for one in _ALARMS if production or not one.production_only}
