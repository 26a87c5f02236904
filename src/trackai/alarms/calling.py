"""Which route is told what. Rules without I/O.

The installation's routes hear of every alarm; a tenant's hear of the tenant's own, and of nothing
else. To either, many of one cause are one call.
"""

import datetime as dt
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

from trackai.alarms.rules import Called, call_keys, is_shared, own_key
from trackai.model.alarm import INSTALLATION, Alarm, Deed, Standing, Subject
from trackai.model.clock import NewId
from trackai.storage.alarm_calls import NewCall, ToldOf
from trackai.storage.alarm_routes import Route

# PagerDuty's longest.
MOST_KEY = 255
_EVER = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of calls: of which alarm, and since when it is this incident's."""

    alarm: str
    since: dt.datetime


class Watched(Protocol):
    """What calls need to know of a watch."""

    @property
    def alarms(self) -> Mapping[str, Alarm]:
        """Return id -> alarm."""
        ...

    @property
    def environment(self) -> str:
        """Return what the keys of calls begin with."""
        ...

    @property
    def drill(self) -> UUID:
        """Return the drill that it is, if it is one."""
        ...


class Told:
    """Writes down the calls of incidents that begin."""

    def __init__(
        self, watch: Watched, routes: Sequence[Route], now: dt.datetime, new_id: NewId
    ) -> None:
        self._watch = watch
        self._routes = routes
        self._now = now
        self._new_id = new_id

    def triggers(
        self,
        called: Sequence[Called],
        firing: Mapping[Subject, Standing],
        labels: Mapping[Subject, str],
        thresholds: Mapping[Subject, float],
    ) -> list[NewCall]:
        """Return the calls, each to every route that wants to hear of it."""
        return [
            NewCall(
                *(route.tenant_id, self._new_id(), route.id, Deed.TRIGGER),
                *(full_key(self._watch.environment, one.key), one.subject.alarm),
                {
                    **self._details(one, firing[one.subject], labels[one.subject]),
                    "threshold": thresholds[one.subject],
                },
            )
            for one in called
            if one.first
            for route in self._who(one)
        ]

    def _who(self, called: Called) -> Iterator[Route]:
        severity = self._watch.alarms[called.subject.alarm].severity
        for route in self._routes:
            if route.tenant_id == called.owner and route.least.rank <= severity.rank:
                yield route

    def _details(self, called: Called, standing: Standing, label: str) -> Mapping[str, Any]:
        subject, alone = called.subject, not is_shared(called.key)
        return {
            "value": standing.value,
            "fired_at": (standing.fired_at or self._now).isoformat(),
            "number": 1 if alone else called.number,
            "tenant_id": str(subject.tenant_id) if alone and _is_a_tenants(subject) else None,
            "subject": (label or subject.name) if alone else "",
        }


def answers(
    deed: Deed,
    told: Iterable[ToldOf],
    keys: Mapping[str, Key],
    new_id: NewId,
) -> list[NewCall]:
    """Return this deed for whoever was told that these began, of what they were told of."""
    return [
        NewCall(
            *(one.tenant_id, new_id(), one.route_id, deed, one.key, keys[one.key].alarm),
            {"subject": one.subject},
        )
        for one in told
    ]


def keys_of(
    environment: str,
    incidents: Mapping[Subject, Standing],
    still: Iterable[str] = (),
) -> dict[str, Key]:
    """Return the keys of these incidents: each one's own, and shared ones that no other has."""
    lasting = set(still)
    keys: dict[str, Key] = {}
    for subject, standing in incidents.items():
        for key in (own_key(subject), standing.call_key, standing.own_call_key):
            if standing.called_at and standing.fired_at and key and key not in lasting:
                # A shared key is one incident's that began before, and never used again.
                since = _EVER if is_shared(key) else standing.fired_at
                keys[full_key(environment, key)] = Key(subject.alarm, since)
    return keys


def full_key(environment: str, key: str) -> str:
    """Return the key under which the world outside knows an incident."""
    return f"{environment}/{key}"[:MOST_KEY]


class GoingOn:
    """Incidents that people were called for and that go on: by which keys, owner by owner."""

    def __init__(self, before: Mapping[Subject, Standing], ended: Container[Subject]) -> None:
        self._keys: dict[UUID, dict[str, list[str]]] = {}
        for subject, standing in before.items():
            if standing.called_at and standing.call_key and subject not in ended:
                self._add(INSTALLATION, subject, standing.call_key)
                if _is_a_tenants(subject):
                    key = standing.own_call_key or own_key(subject)
                    self._add(subject.tenant_id, subject, key)

    def _add(self, owner: UUID, subject: Subject, key: str) -> None:
        self._keys.setdefault(owner, {}).setdefault(subject.alarm, []).append(key)

    @property
    def keys(self) -> set[str]:
        """Return all of their keys."""
        found = (keys for by_alarm in self._keys.values() for keys in by_alarm.values())
        return {key for keys in found for key in keys}

    def calls(self, firing: Mapping[Subject, Standing]) -> list[Called]:
        """Return how everybody is called for incidents that begin, owner by owner."""
        by_owner: dict[UUID, dict[Subject, Standing]] = {INSTALLATION: dict(firing)}
        for subject, standing in firing.items():
            if _is_a_tenants(subject):
                by_owner.setdefault(subject.tenant_id, {})[subject] = standing
        return [
            call
            for owner, theirs in by_owner.items()
            for call in call_keys(theirs, self._keys.get(owner, {}), owner)
        ]


def noted(firing: Mapping[Subject, Standing], called: Iterable[Called]) -> dict[Subject, Standing]:
    """Return how incidents stand that people were just called for, with the keys."""
    found = dict(firing)
    for one in called:
        standing = found[one.subject]
        found[one.subject] = (
            replace(standing, call_key=one.key)
            if one.owner == INSTALLATION
            else replace(standing, own_call_key=one.key)
        )
    return found


def _is_a_tenants(subject: Subject) -> bool:
    return subject.tenant_id != INSTALLATION
