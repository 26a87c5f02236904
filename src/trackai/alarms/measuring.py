"""What every alarm is about at this moment: all its subjects, each with a value or none.

A subject that is not named is no more. None means that nothing was measured.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from trackai.alarms.catalogue import ALARMS
from trackai.destinations.registry import host_of
from trackai.model.alarm import INSTALLATION, Alarm, Metric, Scope, Subject
from trackai.model.tenant import DestinationAccount
from trackai.storage import alarm_measures as measures
from trackai.storage import alarm_samples, backups, health
from trackai.storage.alarm_measures import Lost, Matched, Pixel, Webhooks
from trackai.storage.pool import Tx

# A process that has said nothing for longer says nothing any more.
FRESH = dt.timedelta(seconds=75)
# Fewer webhooks in the hour than this are taken for so many: one of three is no rate.
FEWEST_WEBHOOKS = 60
# Paid sales that make a match rate, of a day and of the weeks before it.
FEWEST_SALES, FEWEST_SALES_BEFORE = 20, 50
# Full hours in which a tenant that usually sells is not heard of.
SILENT_HOURS = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """A value, and what people call its subject."""

    value: float | None
    label: str = ""


_Found = dict[tuple[UUID, str], Measured]


async def measure(
    tx: Tx,
    alarms: Iterable[Alarm],
    tasks: Sequence[str],
    now: dt.datetime,
    *,
    backups_elsewhere: bool = False,
) -> dict[Subject, Measured]:
    """Measure what these alarms are about, in a dozen statements for any number of tenants."""
    found = {
        **await _measure(tx, tasks, now),
        Metric.BACKUP_AGE_H: _whole(await _unsaved_h(tx, now, elsewhere=backups_elsewhere)),
    }
    names = await measures.list_names_all_tenants(tx)
    nothing: _Found = {(INSTALLATION, ""): Measured(None)}
    return {
        Subject(tenant_id, alarm.id, name): _of(names.get(tenant_id), measured)
        for alarm in alarms
        for (tenant_id, name), measured in found.get(
            alarm.metric, nothing if alarm.scope is Scope.INSTALLATION else {}
        ).items()
    }


def _of(owner: str | None, measured: Measured) -> Measured:
    """Return what was measured, with whose it is in what people call it."""
    label = ", ".join(part for part in (owner, measured.label) if part)
    return Measured(measured.value, label)


async def _measure(tx: Tx, tasks: Sequence[str], now: dt.datetime) -> Mapping[Metric, _Found]:
    samples = await alarm_samples.load_latest_all_tenants(tx, since=now - FRESH, until=now)
    pixels = await measures.list_pixels_all_tenants(tx, now=now)
    hosts = _used(await measures.list_hosts_all_tenants(tx), pixels)
    webhooks = await measures.count_webhooks_all_tenants(tx, since=now - dt.timedelta(hours=1))
    matched = await measures.count_matched_all_tenants(tx, since=now - dt.timedelta(days=1))
    unproved = await measures.count_unproved_all_tenants(tx, since=now - dt.timedelta(minutes=15))
    depth, oldest_s = await _queue(tx, pixels, hosts, now)
    webhook_at = await measures.find_oldest_webhook_all_tenants(tx, now=now)
    lost = await measures.list_lost_all_tenants(tx, since=now - dt.timedelta(days=1))
    dead = await measures.count_dead_all_tenants(tx)
    return {
        **{metric: _whole(value) for metric, value in samples.items()},
        Metric.CALLS_LOST: _lost(lost, {INSTALLATION}),
        Metric.TENANT_CALLS_LOST: _lost(lost, unproved.keys()),
        Metric.DEAD_LETTERS: _by_tenant(dead),
        Metric.DEAD_LETTERS_SPREAD: _whole(spread(dead.values())),
        Metric.BREAKER_OPEN: _breakers(pixels, hosts),
        Metric.TOKEN_HOURS_LEFT: {
            (one.tenant_id, str(one.id)): Measured(one.token_hours, one.pixel_id) for one in pixels
        },
        Metric.WEBHOOK_SUCCESS_PERCENT: _by_tenant(
            {one.tenant_id: success_percent(one) for one in webhooks}
        ),
        Metric.WEBHOOKS_MISSED: _by_tenant(await _missed(tx, now)),
        Metric.MATCH_RATE_DROP: _by_tenant({one.tenant_id: rate_drop(one) for one in matched}),
        Metric.SIGNATURE_FAILURES: _by_tenant(unproved),
        Metric.QUEUE_DEPTH: _whole(depth),
        Metric.OLDEST_DELIVERY_S: _whole(oldest_s),
        Metric.OLDEST_WEBHOOK_S: _whole((now - webhook_at).total_seconds() if webhook_at else 0.0),
        Metric.SCHEDULER_LATE_S: _whole(await measures.find_lateness(tx, tasks, now=now)),
    }


async def _unsaved_h(tx: Tx, now: dt.datetime, *, elsewhere: bool) -> float | None:
    """Return how many hours are in no backup: where there never was one, those of the first tenant.

    None where something else makes them and never told of any.
    """
    if elsewhere and not await backups.find_any(tx):
        return None
    since = await backups.find_unsaved_since_all_tenants(tx)
    return None if since is None else max(0.0, (now - since).total_seconds() / 3600)


def breakers_open(alarms: Mapping[str, Alarm], measured: Mapping[Subject, Measured]) -> float:
    """Return how many breakers hold events back, of pixels and of hosts."""
    of_breakers = {one.id for one in alarms.values() if one.metric is Metric.BREAKER_OPEN}
    return float(
        sum(bool(one.value) for subject, one in measured.items() if subject.alarm in of_breakers)
    )


def spread(dead: Iterable[float | None]) -> float:
    """Return the dead letters of tenants that have too few each for an alarm of their own."""
    most = ALARMS["dlq_depth"].threshold
    return sum(number for number in dead if number is not None and number <= most)


def success_percent(webhooks: Webhooks) -> float | None:
    """Return which part of an hour's webhooks became what they should; None when none came."""
    came = webhooks.came + webhooks.refused
    if not came:
        return None
    return 100 * (1 - (webhooks.failed + webhooks.refused) / max(came, FEWEST_WEBHOOKS))


def rate_drop(matched: Matched) -> float | None:
    """Return by how many points the match rate is below what it was; None of too few sales."""
    if matched.sales < FEWEST_SALES or matched.sales_before < FEWEST_SALES_BEFORE:
        return None
    before = matched.matched_before / matched.sales_before
    return max(0.0, 100 * (before - matched.matched / matched.sales))


async def _missed(tx: Tx, now: dt.datetime) -> dict[UUID, float | None]:
    """Return tenant -> sales that are usual in the last full hours, 0 when anything came."""
    until = now.replace(minute=0, second=0, microsecond=0)
    since = until - dt.timedelta(hours=SILENT_HOURS)
    return {
        one.tenant_id: 0.0 if one.came and one.usual is not None else one.usual
        for one in await measures.list_usual_all_tenants(tx, since=since, until=until)
    }


async def _queue(
    tx: Tx, pixels: Sequence[Pixel], hosts: Mapping[str, bool], now: dt.datetime
) -> tuple[float, float]:
    """Return how many deliveries are due, and for how long the first of those that may go."""
    queued = await health.count_queued_all_tenants(tx, now=now)
    held = {one.id for one in pixels if one.held or hosts.get(_host(one), False)}
    free = [one.oldest_due for one in queued if one.oldest_due and one.destination_id not in held]
    oldest_s = (now - min(free)).total_seconds() if free else 0.0
    return float(sum(one.due for one in queued)), oldest_s


def _used(hosts: Mapping[str, bool], pixels: Sequence[Pixel]) -> Mapping[str, bool]:
    """Return hosts that a pixel is at: a breaker of another would never be tried again."""
    used = {_host(one) for one in pixels}
    return {host: held for host, held in hosts.items() if host in used}


def _breakers(pixels: Sequence[Pixel], hosts: Mapping[str, bool]) -> _Found:
    return {
        **{(one.tenant_id, str(one.id)): Measured(float(one.held), one.pixel_id) for one in pixels},
        **{(INSTALLATION, host): Measured(float(held), host) for host, held in hosts.items()},
    }


def _lost(lost: Iterable[Lost], owners: AbstractSet[UUID]) -> _Found:
    """Return the lost calls of each route of these owners; who has no route has lost none."""
    theirs = [one for one in lost if one.tenant_id in owners]
    without = owners - {one.tenant_id for one in theirs}
    return {
        **{(owner, ""): Measured(0.0) for owner in without},
        **{(one.tenant_id, str(one.id)): Measured(one.lost, one.name) for one in theirs},
    }


def _host(pixel: Pixel) -> str:
    account = DestinationAccount(
        *(pixel.tenant_id, pixel.id, None, pixel.kind, pixel.pixel_id, ""), api_url=pixel.api_url
    )
    return host_of(account)


def _whole(value: float | None) -> _Found:
    return {(INSTALLATION, ""): Measured(value)}


def _by_tenant(values: Mapping[UUID, float | None] | Mapping[UUID, float]) -> _Found:
    return {(tenant_id, ""): Measured(value) for tenant_id, value in values.items()}
