"""What Prometheus sees in time, and which alerts have to be there: made from the catalogue.

Of every alarm one case fires and one is quiet, whatever is added; each as `promtool test rules`
reads it. Times are in seconds since the beginning, and one who looks says when it did.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.monitoring.conftest import place_in

from trackai.alarms.drill import beyond
from trackai.alarms.engines.prometheus import (
    EVERY_S,
    NOT_KNOWN_FOR,
    Rule,
    name_of,
    no_data_rule,
    program_rule,
    tells_no_data,
    threshold_rule,
)
from trackai.model.alarm import OF_PROCESSES, Alarm, Limits, Scope, State

PLACE = place_in()
GROUPS = ["newest", "watch", "thresholds", "program", "no-data"]
ONE = 'job="trackai",instance="10.0.0.1:9400"'
OTHER = 'job="trackai",instance="10.0.0.2:9400"'
# Longer than anything lasts or is waited for.
LONG_S = 3600

Series = dict[str, str]
# Alert -> labels and annotations of what is there at a moment.
Expected = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Case:
    """What is seen, and at which second which alerts are there and no others of their name."""

    name: str
    alarm: str
    series: Series
    checks: Sequence[tuple[int, Expected]]
    fires: bool = True

    def document(self) -> Mapping[str, Any]:
        return {
            "name": self.name,
            "interval": f"{EVERY_S}s",
            "input_series": [{"series": one, "values": said} for one, said in self.series.items()],
            "alert_rule_test": [
                {"eval_time": f"{at}s", "alertname": alert, "exp_alerts": list(there)}
                for at, expected in self.checks
                for alert, there in expected.items()
            ],
        }


def document(rules: Path, cases: Sequence[Case]) -> str:
    """Return a file of tests; JSON is YAML."""
    return json.dumps(
        {
            "rule_files": [str(rules)],
            "evaluation_interval": f"{EVERY_S}s",
            "group_eval_order": [f"trackai-{name}" for name in GROUPS],
            "tests": [case.document() for case in cases],
        },
        indent=1,
    )


def cases_of(alarm: Alarm) -> Iterator[Case]:
    """Yield every case of an alarm."""
    yield fires(alarm)
    yield quiet(alarm)
    yield from _program(alarm)
    if alarm.clear != alarm.threshold:
        yield _wavers(alarm)
    if tells_no_data(alarm):
        yield from _no_data(alarm)
    if alarm.metric not in OF_PROCESSES:
        yield _former_looker(alarm)
        yield _nobody_looked_for_a_while(alarm)
    if alarm.scope is not Scope.INSTALLATION:
        yield _other_thresholds(alarm)


def lasts(value: float, seconds: float = LONG_S) -> str:
    """Return a value that stays for so long."""
    return f"{value:g}+0x{round(seconds / EVERY_S) - 1}"


def missing(seconds: float) -> str:
    return f"_x{round(seconds / EVERY_S)}"


def looked(values: str, alarm: Alarm, state: State, *, who: str = ONE, number: int = 1) -> Series:
    """Return what one says who looks all the time: a value, and how the alarm stands."""
    return {
        f"trackai_measured_timestamp_seconds{{{who}}}": f"0+{EVERY_S}x{LONG_S // EVERY_S}",
        value_of(alarm, who): values,
        **stands(alarm, state, who=who, number=number),
    }


def stands(alarm: Alarm, *states: State, who: str = ONE, number: int = 1) -> Series:
    return {
        f'trackai_alarms{{{who},alarm="{alarm.id}",state="{state}"}}': lasts(
            number if state in states else 0
        )
        for state in State
    }


def value_of(alarm: Alarm, who: str = ONE) -> str:
    if alarm.metric in OF_PROCESSES:
        return f'trackai_process{{{who},part="serve",metric="{alarm.metric}"}}'
    return f'trackai_measured{{{who},metric="{alarm.metric}"}}'


def bad_value(alarm: Alarm) -> float:
    return beyond(alarm, Limits(alarm.threshold, alarm.clear))


def seconds(length: dt.timedelta) -> int:
    return int(length.total_seconds())


def alert(rule: Rule, value: float, **more: str) -> Mapping[str, Any]:
    """Return an alert as Prometheus shows it."""
    words = {
        '{{ printf "%.1f" $value }}': f"{value:.1f}",
        "{{ $value }}": f"{value:g}",
        "{{ $labels.instance }}": "10.0.0.1:9400",
    }
    said = dict(rule.annotations)
    for written, shown in words.items():
        said["summary"] = said["summary"].replace(written, shown)
    return {
        "exp_labels": {**rule.labels, "job": "trackai", **more},
        "exp_annotations": said,
    }


def threshold_alert(alarm: Alarm, value: float) -> Expected:
    more = {"metric": alarm.metric.value}
    if alarm.metric in OF_PROCESSES:
        more |= {"instance": "10.0.0.1:9400", "part": "serve"}
    return {name_of(alarm): [alert(threshold_rule(PLACE, alarm), value, **more)]}


def none_of(alarm: Alarm) -> Expected:
    return {f"{name_of(alarm)}{kind}": [] for kind in ("", "ByProgram", "NoData")}


def fires(alarm: Alarm) -> Case:
    """Return that it is bad for long enough."""
    value, lasting = bad_value(alarm), seconds(alarm.lasting)
    too_early = [(lasting - EVERY_S, none_of(alarm))] if lasting else []
    there = (lasting + 2 * EVERY_S, threshold_alert(alarm, value))
    series = looked(lasts(value), alarm, State.PENDING)
    return Case("beyond its threshold", alarm.id, series, [*too_early, there], fires=True)


def quiet(alarm: Alarm) -> Case:
    """Return that it is as bad as it may be; the program says of none that all are well."""
    series = looked(lasts(alarm.threshold), alarm, State.PENDING)
    checks = [(at, none_of(alarm)) for at in (60, seconds(alarm.lasting) + 120)]
    return Case("on its threshold", alarm.id, series, checks, fires=False)


def _program(alarm: Alarm) -> Iterator[Case]:
    """Yield that it is well by the catalogue, and that a tenant's own threshold says otherwise."""
    rule, name = program_rule(PLACE, alarm), f"{name_of(alarm)}ByProgram"
    there = alert(rule, 2, state="alarm")
    checks: list[tuple[int, Expected]] = [(60, {name_of(alarm): [], name: [there]})]
    series = looked(lasts(alarm.threshold), alarm, State.ALARM, number=2)
    yield Case("an incident of the program's", alarm.id, series, checks, fires=True)
    series = looked(lasts(alarm.threshold), alarm, State.PENDING)
    yield Case("no incident yet", alarm.id, series, [(60, none_of(alarm))], fires=False)


def _wavers(alarm: Alarm) -> Case:
    """Return that it goes on between the two thresholds, and ends in its time behind the second."""
    lasting, calm = seconds(alarm.lasting), seconds(alarm.calm)
    bad, between = bad_value(alarm), (alarm.threshold + alarm.clear) / 2
    fired = lasting + 60
    wavers = fired + calm + 60
    values = [
        lasts(bad, fired),
        lasts(between, wavers - fired),
        lasts(alarm.clear, LONG_S - wavers),
    ]
    checks = [
        (fired - EVERY_S, threshold_alert(alarm, bad)),
        (wavers - EVERY_S, threshold_alert(alarm, between)),
        (wavers + calm + 2 * EVERY_S, {name_of(alarm): []}),
    ]
    if calm:
        # What is kept shows the value that it fired with last.
        checks.insert(2, (wavers + calm - 2 * EVERY_S, threshold_alert(alarm, between)))
    series = looked(" ".join(values), alarm, State.ALARM)
    return Case("between its thresholds", alarm.id, series, checks, fires=True)


def _no_data(alarm: Alarm) -> Iterator[Case]:
    rule, name = no_data_rule(PLACE, alarm), f"{name_of(alarm)}NoData"
    at = f"trackai_measured_timestamp_seconds{{{ONE}}}"
    looks = {at: f"0+{EVERY_S}x{LONG_S // EVERY_S}"}
    waited = seconds(NOT_KNOWN_FOR)
    there = alert(rule, 1, state="no_data")
    checks: list[tuple[int, Expected]] = [
        (waited - EVERY_S, none_of(alarm)),
        (waited + 2 * EVERY_S, {name: [there], name_of(alarm): []}),
    ]
    yield Case("not known", alarm.id, looks | stands(alarm, State.NO_DATA), checks, fires=True)
    series = looks | stands(alarm, State.NO_DATA, State.OK)
    yield Case("known of somebody", alarm.id, series, [(waited + 60, none_of(alarm))], fires=False)


def _former_looker(alarm: Alarm) -> Case:
    """Return that one who looked before says what is bad, and one who looks now what is good."""
    former = looked(lasts(bad_value(alarm)), alarm, State.PENDING, who=OTHER)
    former[f"trackai_measured_timestamp_seconds{{{OTHER}}}"] = lasts(-60)
    series = former | looked(lasts(alarm.threshold), alarm, State.OK)
    checks = [(at, none_of(alarm)) for at in (60, seconds(alarm.lasting) + 120)]
    return Case("bad of a former look", alarm.id, series, checks, fires=False)


def _nobody_looked_for_a_while(alarm: Alarm) -> Case:
    """Return that waiting goes on while the work passes from one process to another."""
    value, lasting = bad_value(alarm), seconds(alarm.lasting)
    before = max(EVERY_S, lasting // 2 // EVERY_S * EVERY_S)
    gap = 90
    series = {
        one: f"{_until(said, before)} {missing(gap)} {_since(said, before + gap)}"
        for one, said in looked(lasts(value), alarm, State.PENDING).items()
    }
    checks = [(max(lasting, before + gap) + 2 * EVERY_S, threshold_alert(alarm, value))]
    return Case("over a gap", alarm.id, series, checks, fires=True)


def _until(values: str, second: int) -> str:
    start, step = _parts(values)
    return f"{start:g}+{step:g}x{second // EVERY_S - 1}"


def _since(values: str, second: int) -> str:
    start, step = _parts(values)
    first = start + step * (second // EVERY_S)
    return f"{first:g}+{step:g}x{(LONG_S - second) // EVERY_S}"


def _parts(values: str) -> tuple[float, float]:
    start, _, rest = values.partition("+")
    return float(start), float(rest.partition("x")[0])


def _other_thresholds(alarm: Alarm) -> Case:
    """Return that whoever it is bad of is content with it: its own threshold is another."""
    series = looked(lasts(bad_value(alarm)), alarm, State.OK)
    checks = [(seconds(alarm.lasting) + 60, none_of(alarm))]
    return Case("bad by the catalogue alone", alarm.id, series, checks, fires=False)
