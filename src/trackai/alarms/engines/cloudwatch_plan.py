"""What has to change at Amazon CloudWatch: what there shall be, beside what there is. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trackai.alarms.engines.cloudwatch import MetricAlarm, Wish, metric_alarms
from trackai.alarms.engines.cloudwatch_dashboard import Account, Json, dashboard_body, is_ours
from trackai.errors import ConfigurationError

# Of these the order says nothing.
_UNORDERED = frozenset({"AlarmActions", "OKActions", "InsufficientDataActions", "Dimensions"})
# What we never set and somebody else may have: it would change what an alarm watches.
_NOT_SET = (
    *("ExtendedStatistic", "EvaluateLowSampleCountPercentile", "Unit", "Metrics"),
    "ThresholdMetricId",
)


class Kind(StrEnum):
    """What happens to a thing."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not as it shall be."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to an alarm, or to the dashboard."""

    kind: Kind
    thing: str  # alarm or dashboard
    name: str
    differences: Sequence[Difference] = ()


@dataclass(frozen=True, slots=True)
class There:
    """What there is: alarms by name, those of them that are ours, and the dashboard."""

    alarms: Mapping[str, Mapping[str, Any]]
    ours: frozenset[str]
    dashboard: object = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in the order in which it is done; `changes` say it to people."""

    put: Sequence[MetricAlarm]
    dashboard: Json | None
    delete: Sequence[str]
    changes: Sequence[Change]


def plan_of(wish: Wish, account: Account, there: There) -> Plan:
    """Return what has to be done; ConfigurationError when a name is somebody else's."""
    wanted = {one["AlarmName"]: one for one in metric_alarms(wish)}
    _refuse_others(wish, wanted, there)
    changes = {
        name: change
        for name, alarm in wanted.items()
        if (change := _changed(alarm, there.alarms.get(name)))
    }
    body = dashboard_body(wish, [*wanted.values()], account)
    draws = body != there.dashboard
    drawn = [_redrawn(wish.place.dashboard, body, there.dashboard)] if draws else []
    gone = sorted(there.ours - wanted.keys())
    return Plan(
        put=[wanted[name] for name in changes],
        dashboard=body if draws else None,
        delete=gone,
        changes=[
            *changes.values(),
            *drawn,
            *(Change(Kind.DELETE, "alarm", name) for name in gone),
        ],
    )


def _refuse_others(wish: Wish, wanted: Mapping[str, MetricAlarm], there: There) -> None:
    taken = sorted(wanted.keys() & there.alarms.keys() - there.ours)
    if there.dashboard is not None and not is_ours(wish, there.dashboard):
        taken.append(wish.place.dashboard)
    if taken:
        raise ConfigurationError(
            f"At CloudWatch these names are taken by something that Track AI did not make for "
            f"{wish.place.owner}: {', '.join(taken)}. Nothing was changed. Rename or delete them."
        )


def _changed(alarm: MetricAlarm, there: Mapping[str, Any] | None) -> Change | None:
    name = alarm["AlarmName"]
    if there is None:
        return Change(Kind.CREATE, "alarm", name)
    fields = {field: value for field, value in alarm.items() if field != "Tags"}
    fields.update(dict.fromkeys(_NOT_SET))
    differences = [
        Difference(field, there.get(field), value)
        for field, value in fields.items()
        if _comparable(field, there.get(field)) != _comparable(field, value)
    ]
    return Change(Kind.CHANGE, "alarm", name, differences) if differences else None


def _comparable(field: str, value: object) -> object:
    if not value and not isinstance(value, bool | int | float):
        return None  # CloudWatch leaves out what is blank
    if field in _UNORDERED and isinstance(value, list):
        return sorted(str(sorted(one.items()) if isinstance(one, dict) else one) for one in value)
    return value


def _redrawn(name: str, body: Json, there: object) -> Change:
    if not isinstance(there, dict):
        return Change(Kind.CREATE, "dashboard", name)
    differences = [
        Difference(field, there.get(field), body.get(field))
        for field in sorted({*body, *there} - {"widgets"})
        if there.get(field) != body.get(field)
    ]
    return Change(Kind.CHANGE, "dashboard", name, [*differences, *_widgets(body, there)])


def _widgets(body: Json, there: Mapping[str, Any]) -> list[Difference]:
    """Return which widgets differ; what is in them would fill screens."""
    before, after = there.get("widgets"), body["widgets"]
    before = before if isinstance(before, list) else []
    return [
        Difference(f"widgets[{place}]", _title(before, place), _title(after, place))
        for place in range(max(len(before), len(after)))
        if before[place : place + 1] != after[place : place + 1]
    ]


def _title(widgets: Sequence[Any], place: int) -> str | None:
    if place >= len(widgets):
        return None
    match widgets[place]:
        case {"properties": {"title": str(title)}}:
            return title
        case {"type": str(kind)}:
            return kind
        case _:
            return "something else"
