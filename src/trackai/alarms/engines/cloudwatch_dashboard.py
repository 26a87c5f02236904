"""The dashboard at Amazon CloudWatch: what PutDashboard takes. Rules without I/O.

Six numbers, four graphs of an hour, and how the alarms stand. Facts from Amazon's reference of a
dashboard's body, read in November 2026.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trackai.alarms.engines.cloudwatch import (
    NAMESPACE,
    PERIOD_S,
    MetricAlarm,
    Wish,
)
from trackai.model.alarm import Fact, Metric
from trackai.model.flow import Flow, Name

# CloudWatch's grid.
COLUMNS = 24
_HEAD, _CARD, _GRAPH, _LIST = 2, 4, 6, 7  # rows
# The alarm whose threshold is drawn into the graph of dead letters.
_DEAD = "dlq_depth"

Json = dict[str, Any]

CARDS: tuple[Name, ...] = (
    *(Flow.ATTEMPTS, Flow.SUCCESS_PERCENT, Flow.LATENCY_P95_MS),
    *(Fact.MATCH_RATE_PERCENT, Fact.DEAD_LETTERS_ALL, Metric.QUEUE_DEPTH),
)
GRAPHS: Mapping[str, tuple[Name, ...]] = {
    "throughput": (Flow.ATTEMPTS, Flow.ACCEPTED, Flow.SALES),
    "latency": (Flow.LATENCY_P50_MS, Flow.LATENCY_P95_MS, Flow.LATENCY_P99_MS),
    "success": (Flow.SUCCESS_PERCENT,),
    "dead": (Fact.DEAD_LETTERS_ALL, Metric.DEAD_LETTERS),
}
# The worse of a minute's samples is shown: low shares, high everything else.
_LESS_IS_WORSE = frozenset({Flow.SUCCESS_PERCENT, Fact.MATCH_RATE_PERCENT})


@dataclass(frozen=True, slots=True)
class Account:
    """Where in Amazon it is; another partition is China's, or a government's."""

    region: str
    account: str
    partition: str = "aws"

    def alarm_arn(self, name: str) -> str:
        """Return an alarm's address."""
        return f"arn:{self.partition}:cloudwatch:{self.region}:{self.account}:alarm:{name}"


def dashboard_body(wish: Wish, alarms: Sequence[MetricAlarm], account: Account) -> Json:
    """Return the body, as JSON that is not written down yet."""
    top = _HEAD + _CARD
    width, half = COLUMNS // len(CARDS), COLUMNS // 2
    cards = [
        _widget((place * width, _HEAD, width, _CARD), "metric", _card(wish, name, account))
        for place, name in enumerate(CARDS)
    ]
    graphs = [
        _widget(
            (place % 2 * half, top + place // 2 * _GRAPH, half, _GRAPH),
            "metric",
            _graph(wish, title, names, account),
        )
        for place, (title, names) in enumerate(GRAPHS.items())
    ]
    listed = {
        "title": _words(wish)["alarms"],
        # The worst first.
        "sortBy": "stateUpdatedTimestamp",
        "alarms": [account.alarm_arn(one["AlarmName"]) for one in alarms],
    }
    return {
        "start": "-PT1H",
        "periodOverride": "inherit",
        "widgets": [
            _widget((0, 0, COLUMNS, _HEAD), "text", {"markdown": _head(wish)}),
            *cards,
            *graphs,
            _widget((0, top + 2 * _GRAPH, COLUMNS, _LIST), "alarm", listed),
        ],
    }


def mark_of(wish: Wish) -> str:
    """Return what tells our dashboard from another's of the same name."""
    return f"`trackai cloudwatch` {wish.place.owner}"


def is_ours(wish: Wish, body: object) -> bool:
    """Tell whether a dashboard was made for this installation."""
    match body:
        case {"widgets": [{"type": "text", "properties": {"markdown": str(markdown)}}, *_]}:
            return mark_of(wish) in markdown
        case _:
            return False


def _words(wish: Wish) -> Mapping[str, str]:
    return wish.words["cloudwatch"]


def _head(wish: Wish) -> str:
    head = _words(wish)["head"].format(url=wish.place.base_url)
    return f"{head}\n\n{mark_of(wish)}"


def _widget(at: tuple[int, int, int, int], kind: str, properties: Json) -> Json:
    x, y, width, height = at
    return {
        "type": kind,
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "properties": properties,
    }


def _card(wish: Wish, name: Name, account: Account) -> Json:
    return {
        **_drawn(wish, name.value, [name], account),
        "view": "singleValue",
        "sparkline": True,
    }


def _graph(wish: Wish, title: str, names: Sequence[Name], account: Account) -> Json:
    graph = {
        **_drawn(wish, title, names, account),
        "view": "timeSeries",
        "stacked": False,
        "yAxis": {"left": {"min": 0}},
    }
    dead = wish.alarms.get(_DEAD)
    if Metric.DEAD_LETTERS in names and dead:
        line = {"value": dead.threshold, "label": _words(wish)["threshold"]}
        graph["annotations"] = {"horizontal": [line]}
    return graph


def _drawn(wish: Wish, title: str, names: Sequence[Name], account: Account) -> Json:
    words = _words(wish)
    return {
        "title": words[title],
        "region": account.region,
        "period": PERIOD_S,
        "metrics": [
            [
                *(NAMESPACE, name.value),
                *(part for pair in wish.place.dimensions.items() for part in pair),
                {
                    "label": words[name.value],
                    "stat": "Minimum" if name in _LESS_IS_WORSE else "Maximum",
                },
            ]
            for name in names
        ],
    }
