"""The catalogue as alarms of Amazon CloudWatch: what PutMetricAlarm takes. Rules without I/O.

Facts from Amazon's reference of PutMetricAlarm, the guide on missing data and the specification of
the embedded metric format, read in November 2026. What CloudWatch cannot do is in docs/alarms.md.
"""

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict
from urllib.parse import urlsplit

from trackai.model.alarm import Alarm, Severity
from trackai.model.flow import Flow, Name

NAMESPACE = "TrackAI"
# Seconds; metrics of logs have no finer resolution unless they are paid for apart.
PERIOD_S = 60
# The watchman is silent for so long: no worker and no server looks at alarms.
SILENT = dt.timedelta(minutes=5)
SILENT_ID = "nobody_looks"
SILENT_PAGE = "scheduler-late"
# What tells our alarms from others of the same name.
OWNER_TAG = "trackai-installation"
# CloudWatch's bounds.
MOST_DESCRIPTION = 1024
MOST_NAME = 255
MOST_ACTIONS = 5

# By how a name ends; CloudWatch knows neither hours nor days, nor points.
_UNITS = {
    "_percent": "Percent",
    "_ms": "Milliseconds",
    "_s": "Seconds",
    "_bytes": "Bytes",
    "_left": "None",
    "_age_h": "None",
    "_drop": "None",
}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")

Topics = Mapping[Severity, Sequence[str]]
Words = Mapping[str, Mapping[str, str]]


class Dimension(TypedDict):
    """A dimension of a metric."""

    Name: str
    Value: str


class Tag(TypedDict):
    """A tag of an alarm."""

    Key: str
    Value: str


class MetricAlarm(TypedDict):
    """What PutMetricAlarm takes, and DescribeAlarms gives back but for the tags.

    Without a unit: an alarm of another unit than its metric's would never see a number.
    """

    AlarmName: str
    AlarmDescription: str
    ActionsEnabled: bool
    AlarmActions: list[str]
    OKActions: list[str]
    InsufficientDataActions: list[str]
    Namespace: str
    MetricName: str
    Dimensions: list[Dimension]
    Statistic: str
    Period: int
    EvaluationPeriods: int
    DatapointsToAlarm: int
    Threshold: float
    ComparisonOperator: str
    TreatMissingData: str
    Tags: list[Tag]


@dataclass(frozen=True, slots=True)
class Place:
    """Whose alarms they are; two installations of an account do not meet."""

    environment: str
    base_url: str

    @property
    def installation(self) -> str:
        """Return how the installation is called: its host."""
        return urlsplit(self.base_url).netloc

    @property
    def owner(self) -> str:
        """Return what the tag says."""
        return f"{self.environment}/{self.installation}"

    @property
    def dashboard(self) -> str:
        """Return the dashboard's name, which takes letters, digits and dashes."""
        return "-".join(
            _NOT_IN_NAMES.sub("-", part).strip("-")
            for part in ("trackai", self.environment, self.installation)
        )

    @property
    def prefix(self) -> str:
        """Return what our alarms' names begin with."""
        return f"{self.dashboard}-"

    @property
    def dimensions(self) -> dict[str, str]:
        """Return the dimensions of every metric."""
        return {"Environment": self.environment, "Installation": self.installation}


@dataclass(frozen=True, slots=True)
class Wish:
    """What there shall be, where, and who is told."""

    place: Place
    alarms: Mapping[str, Alarm]
    words: Words  # of one language
    topics: Topics = field(default_factory=dict)


def unit_of(name: Name) -> str:
    """Return CloudWatch's unit of a metric."""
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), "Count")


def metric_alarms(wish: Wish) -> list[MetricAlarm]:
    """Return what PutMetricAlarm takes, for each alarm, and for when nobody looks."""
    alarms = [_metric_alarm(wish, alarm) for alarm in wish.alarms.values()]
    return [*alarms, _nobody_looks(wish)]


def _metric_alarm(wish: Wish, alarm: Alarm) -> MetricAlarm:
    return {
        **_begun(wish, alarm.id, alarm.page, alarm.severity),
        "MetricName": alarm.metric.value,
        "Statistic": "Minimum" if alarm.below else "Maximum",
        **_lasting(alarm.lasting),
        "Threshold": float(alarm.threshold),
        "ComparisonOperator": "LessThanThreshold" if alarm.below else "GreaterThanThreshold",
        # Nobody knows: CloudWatch calls that INSUFFICIENT_DATA. It is not OK.
        "TreatMissingData": "missing",
    }


def _nobody_looks(wish: Wish) -> MetricAlarm:
    """Return the one alarm that only something outside can have: that nothing comes any more."""
    return {
        **_begun(wish, SILENT_ID, SILENT_PAGE, Severity.CRITICAL),
        "MetricName": Flow.EVALUATIONS.value,
        "Statistic": "Sum",
        **_lasting(SILENT),
        "Threshold": 1.0,
        "ComparisonOperator": "LessThanThreshold",
        "TreatMissingData": "breaching",
    }


class _Begun(TypedDict):
    AlarmName: str
    AlarmDescription: str
    ActionsEnabled: bool
    AlarmActions: list[str]
    OKActions: list[str]
    InsufficientDataActions: list[str]
    Namespace: str
    Dimensions: list[Dimension]
    Tags: list[Tag]


def _begun(wish: Wish, id_: str, page: str, severity: Severity) -> _Begun:
    place, actions = wish.place, [*wish.topics.get(severity, ())]
    return {
        "AlarmName": f"{place.prefix}{id_}",
        "AlarmDescription": _description(wish, id_, page, severity),
        "ActionsEnabled": True,
        "AlarmActions": actions,
        # Whoever was called hears that it is over.
        "OKActions": [*actions],
        "InsufficientDataActions": [],
        "Namespace": NAMESPACE,
        "Dimensions": [{"Name": name, "Value": value} for name, value in place.dimensions.items()],
        "Tags": [{"Key": OWNER_TAG, "Value": place.owner}],
    }


class _Lasting(TypedDict):
    Period: int
    EvaluationPeriods: int
    DatapointsToAlarm: int


def _lasting(length: dt.timedelta) -> _Lasting:
    """Return so many periods in a row; what need not last is one."""
    number = max(1, math.ceil(length.total_seconds() / PERIOD_S))
    return {"Period": PERIOD_S, "EvaluationPeriods": number, "DatapointsToAlarm": number}


def _description(wish: Wish, id_: str, page: str, severity: Severity) -> str:
    said, words = wish.words[id_], wish.words["cloudwatch"]
    end = words["runbook"].format(url=f"{wish.place.base_url}/runbooks/{page}")
    head = f"[{wish.words['severity'][severity]}] {said['title']}. {said['meaning']}"
    return f"{head[: MOST_DESCRIPTION - len(end) - 1]}\n{end}"
