"""The catalogue as alarms and dashboard of CloudWatch, and what has to change for them."""

import copy
import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from trackai.alarms.catalogue import ALARMS, watched
from trackai.alarms.engines.cloudwatch import (
    MOST_DESCRIPTION,
    MOST_NAME,
    MetricAlarm,
    Place,
    Wish,
    metric_alarms,
)
from trackai.alarms.engines.cloudwatch_dashboard import (
    COLUMNS,
    GRAPHS,
    Account,
    dashboard_body,
    is_ours,
)
from trackai.alarms.engines.cloudwatch_plan import Difference, Kind, Plan, There, plan_of
from trackai.alarms.message import LANGUAGES, words_of
from trackai.errors import ConfigurationError
from trackai.model.alarm import OF_PROCESSES, Alarm, Fact, Severity
from trackai.model.flow import Flow

PLACE = Place("production", "https://track.example.com")
ACCOUNT = Account("sa-east-1", "123456789012")
TOPIC = "arn:aws:sns:sa-east-1:123456789012:on-call"
PREFIX = "trackai-production-track-example-com-"
DAY_S = 24 * 3600


def wish(alarms: Mapping[str, Alarm] = ALARMS, language: str = "en", **more: Any) -> Wish:
    topics = more.get("topics", {Severity.CRITICAL: [TOPIC]})
    return Wish(more.get("place", PLACE), alarms, words_of(language), topics)


def rendered(asked: Wish | None = None) -> dict[str, MetricAlarm]:
    alarms = metric_alarms(asked or wish())
    return {one["AlarmName"].removeprefix(PREFIX): one for one in alarms}


def there(asked: Wish, **changes: Any) -> There:
    """Return what CloudWatch has after everything was made; `changes` are of one alarm."""
    alarms = {one["AlarmName"]: {**copy.deepcopy(one)} for one in metric_alarms(asked)}
    if changes:
        alarms[f"{PREFIX}{changes.pop('alarm')}"].update(changes)
    body = dashboard_body(asked, metric_alarms(asked), ACCOUNT)
    return There(alarms, frozenset(alarms), body)


def planned(asked: Wish, has: There) -> Plan:
    return plan_of(asked, ACCOUNT, has)


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=list(ALARMS))
def test_an_alarm_fires_at_cloudwatch_as_it_does_here(alarm: Alarm) -> None:
    found = rendered()[alarm.id]
    lasting = found["Period"] * found["EvaluationPeriods"]

    assert alarm.metric.value == found["MetricName"]
    assert alarm.threshold == found["Threshold"]
    assert ("LessThan" if alarm.below else "GreaterThan") in found["ComparisonOperator"]
    assert "OrEqual" not in found["ComparisonOperator"]
    # The worst of what several say counts.
    assert ("Minimum" if alarm.below else "Maximum") == found["Statistic"]
    assert max(alarm.lasting, dt.timedelta(minutes=1)).total_seconds() == lasting
    assert found["EvaluationPeriods"] == found["DatapointsToAlarm"]
    # CloudWatch looks back no further than a day at periods of less than an hour.
    assert DAY_S >= lasting


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("production", [True, False], ids=["production", "development"])
def test_every_alarm_says_what_it_means_and_what_to_do(
    language: str,
    production: bool,  # noqa: FBT001 - a case
) -> None:
    alarms = watched(production=production)
    found = rendered(wish(alarms, language))

    assert {*alarms, "nobody_looks"} == found.keys()
    for id_, one in found.items():
        assert words_of(language)[id_]["title"] in one["AlarmDescription"]
        assert "https://track.example.com/runbooks/" in one["AlarmDescription"]
        assert MOST_DESCRIPTION >= len(one["AlarmDescription"])
        assert MOST_NAME >= len(one["AlarmName"])


def test_a_long_meaning_does_not_push_out_what_to_do() -> None:
    words = {**words_of("en"), "dlq_depth": {"title": "T", "meaning": "long " * 500}}
    asked = Wish(PLACE, ALARMS, words)
    description = rendered(asked)["dlq_depth"]["AlarmDescription"]

    assert MOST_DESCRIPTION == len(description)
    assert description.endswith("https://track.example.com/runbooks/dlq-troubleshooting")


def test_that_nothing_was_measured_is_not_ok_and_that_nobody_looks_is_an_alarm() -> None:
    found = rendered()
    silent = found.pop("nobody_looks")

    assert {"missing"} == {one["TreatMissingData"] for one in found.values()}
    assert "breaching" == silent["TreatMissingData"]
    assert (Flow.EVALUATIONS.value, "Sum", 1.0) == (
        silent["MetricName"],
        silent["Statistic"],
        silent["Threshold"],
    )


def test_each_severity_tells_its_own_and_an_end_is_told_too() -> None:
    other = f"{TOPIC}-2"
    found = rendered(wish(topics={Severity.CRITICAL: [TOPIC], Severity.HIGH: [TOPIC, other]}))

    assert [TOPIC] == found["dlq_depth"]["AlarmActions"] == found["dlq_depth"]["OKActions"]
    assert [TOPIC, other] == found["queue_depth"]["AlarmActions"]
    assert [] == found["cpu_busy"]["AlarmActions"]
    assert [TOPIC] == found["nobody_looks"]["AlarmActions"]


def test_alarms_of_two_installations_do_not_meet() -> None:
    places = [
        PLACE,
        Place("development", "https://track.example.com"),
        Place("production", "https://track.example.com.br"),
        Place("production", "http://127.0.0.1:8400"),
    ]
    alarms = [one for place in places for one in metric_alarms(wish(place=place))]
    names = [one["AlarmName"] for one in alarms]
    said = {str(one["Dimensions"]) for one in alarms}

    assert len(names) == len(set(names))
    assert len(places) == len(said)
    assert "trackai-production-127-0-0-1-8400" == places[3].dashboard


def test_graphs_and_alarms_ask_for_what_lines_say() -> None:
    body = dashboard_body(wish(), metric_alarms(wish()), ACCOUNT)
    drawn = [line[:-1] for one in body["widgets"] for line in one["properties"].get("metrics", ())]
    dimensions = ["Environment", "production", "Installation", "track.example.com"]
    known = {one.metric.value for one in ALARMS.values()} | {one.value for one in (*Fact, *Flow)}

    assert drawn
    assert all(["TrackAI", *dimensions] == [line[0], *line[2:]] for line in drawn)
    assert {line[1] for line in drawn} <= known
    assert {one["MetricName"] for one in metric_alarms(wish())} <= known
    assert {one.metric for one in ALARMS.values()} > OF_PROCESSES


def test_the_dashboard_has_six_numbers_four_graphs_of_an_hour_and_all_alarms() -> None:
    alarms = metric_alarms(wish())
    body = dashboard_body(wish(), alarms, ACCOUNT)
    text, *others = body["widgets"]
    views = [one["properties"].get("view", one["type"]) for one in others]
    listed = others[-1]["properties"]["alarms"]

    assert ("-PT1H", "text") == (body["start"], text["type"])
    assert [*["singleValue"] * 6, *["timeSeries"] * 4, "alarm"] == views
    assert ["throughput", "latency", "success", "dead"] == [*GRAPHS]
    assert [
        f"arn:aws:cloudwatch:sa-east-1:123456789012:alarm:{one['AlarmName']}" for one in alarms
    ] == (listed)


def test_widgets_fill_the_grid_and_do_not_overlap() -> None:
    body = dashboard_body(wish(), metric_alarms(wish()), ACCOUNT)
    fields = [
        (x, y)
        for one in body["widgets"]
        for x in range(one["x"], one["x"] + one["width"])
        for y in range(one["y"], one["y"] + one["height"])
    ]

    assert len(fields) == len(set(fields))
    assert set(range(COLUMNS)) == {x for x, _ in fields}
    assert len(fields) == COLUMNS * len({y for _, y in fields})


def test_the_alarm_s_threshold_is_drawn_beside_dead_letters() -> None:
    body = dashboard_body(wish(), metric_alarms(wish()), ACCOUNT)
    lines = [
        one["properties"]["annotations"]["horizontal"]
        for one in body["widgets"]
        if "annotations" in one["properties"]
    ]

    assert [[{"value": 100, "label": "Alarm of one account"}]] == lines


def test_a_dashboard_says_whose_it_is() -> None:
    body = dashboard_body(wish(), metric_alarms(wish()), ACCOUNT)
    other = wish(place=Place("development", "https://track.example.com"))

    assert is_ours(wish(), body)
    assert not is_ours(other, body)
    for strange in ('""', "[]", '{"widgets": []}', '{"widgets": [{"type": "text"}]}'):
        assert not is_ours(wish(), json.loads(strange))


def test_where_nothing_is_everything_is_made() -> None:
    found = planned(wish(), There({}, frozenset()))

    assert {Kind.CREATE} == {one.kind for one in found.changes}
    assert [one["AlarmName"] for one in metric_alarms(wish())] == [
        one["AlarmName"] for one in found.put
    ]
    assert is_ours(wish(), found.dashboard)


def test_where_all_is_there_nothing_is_done() -> None:
    found = planned(wish(), there(wish()))

    assert ([], None, [], []) == (found.put, found.dashboard, found.delete, found.changes)


def test_what_is_blank_and_what_is_in_another_order_is_the_same() -> None:
    has = there(wish())
    for alarm in has.alarms.values():
        assert isinstance(alarm, dict)
        del alarm["InsufficientDataActions"]
        alarm["Dimensions"] = alarm["Dimensions"][::-1]
        alarm |= {"StateValue": "OK", "AlarmArn": "arn", "Unit": None}

    assert [] == planned(wish(), has).changes


def test_a_changed_threshold_is_shown_and_alone_is_put() -> None:
    changed = wish({**ALARMS, "dlq_depth": replace(ALARMS["dlq_depth"], threshold=500)})
    found = planned(changed, there(wish()))
    (alarm,) = (one for one in found.changes if one.thing == "alarm")

    assert [f"{PREFIX}dlq_depth"] == [one["AlarmName"] for one in found.put]
    assert [Difference("Threshold", 100.0, 500.0)] == alarm.differences
    # The dashboard draws the threshold.
    assert [("dashboard", Kind.CHANGE)] == [
        (one.thing, one.kind) for one in found.changes if one is not alarm
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"Threshold": 0.0},
        {"ActionsEnabled": False},
        {"AlarmActions": [f"{TOPIC}-other"]},
        {"Dimensions": []},
        {"DatapointsToAlarm": None},
        {"TreatMissingData": "notBreaching"},
        {"ExtendedStatistic": "p99"},
        {"Unit": "Bytes"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_whatever_somebody_changed_by_hand_is_set_right(changes: Mapping[str, Any]) -> None:
    found = planned(wish(), there(wish(), alarm="queue_depth", **changes))

    assert [f"{PREFIX}queue_depth"] == [one["AlarmName"] for one in found.put]
    assert [*changes] == [one.field for one in found.changes[0].differences]


def test_what_the_catalogue_has_no_more_is_deleted_when_it_is_ours() -> None:
    has = there(wish())
    ours, foreign = f"{PREFIX}gone_alarm", f"{PREFIX}of_somebody"
    alarms = {**has.alarms, ours: {}, foreign: {}}
    found = planned(wish(), There(alarms, has.ours | {ours}, has.dashboard))

    assert [ours] == found.delete
    assert [(Kind.DELETE, ours)] == [(one.kind, one.name) for one in found.changes]


def test_what_is_somebody_else_s_stops_everything() -> None:
    has = there(wish())
    with pytest.raises(ConfigurationError, match=f"{PREFIX}dlq_depth"):
        planned(wish(), There(has.alarms, has.ours - {f"{PREFIX}dlq_depth"}, has.dashboard))
    with pytest.raises(ConfigurationError, match="trackai-production-track-example-com"):
        planned(wish(), There(has.alarms, has.ours, {"widgets": []}))


def test_a_widget_that_differs_is_named() -> None:
    has = there(wish())
    assert isinstance(has.dashboard, dict)
    has.dashboard["widgets"][7]["properties"]["title"] = "By hand"
    has.dashboard["widgets"].append({"type": "text"})
    has.dashboard["start"] = "-PT3H"
    (change,) = planned(wish(), has).changes

    assert [
        Difference("start", "-PT3H", "-PT1H"),
        Difference("widgets[7]", "By hand", "Events a minute"),
        Difference("widgets[12]", "text", None),
    ] == change.differences
