"""Rules for Prometheus, rendered from the catalogue: thresholds, what is not known, who is silent.

Values are of two kinds. What a process measures of itself is compared process by process, and goes
on while the database is away. All else was seen by whichever process looked last, and is taken
from that one alone. Needs Prometheus 2.42 (keep_firing_for).
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from trackai.alarms.engines.place import Place
from trackai.alarms.engines.yaml import Node, to_yaml
from trackai.model.alarm import OF_PROCESSES, Alarm, Metric, Scope, Severity, digits_of

# Not known of whoever has not sold for weeks: that is no fault.
NEEDS_HISTORY = frozenset({Metric.WEBHOOKS_MISSED})
# Rules are evaluated so often; processes are read as often.
EVERY_S = 15
# What was looked at is remembered over the gap between one who looks and the next.
REMEMBERED = "2m"
# Nobody has looked for so long: a server process should have after a minute.
LONGEST_SILENCE_S = 300
NOT_KNOWN_FOR = dt.timedelta(minutes=10)
SILENT_FOR = dt.timedelta(minutes=2)
# What is recorded, and from which gauge: the labels that stay.
RECORDED: Mapping[str, tuple[str, str]] = {
    "trackai:measured:newest": ("trackai_measured", "metric"),
    "trackai:alarms:newest": ("trackai_alarms", "alarm, state"),
    "trackai:fact:newest": ("trackai_fact", "fact"),
}
# An alarm that nothing is known of is a step less bad than one that fires.
_LESS = {
    Severity.CRITICAL: Severity.HIGH,
    Severity.HIGH: Severity.MEDIUM,
    Severity.MEDIUM: Severity.MEDIUM,
}
WATCHDOG = "TrackaiWatchdog"
DOWN = "TrackaiDown"
PROCESS_DOWN = "TrackaiProcessDown"
NOBODY_LOOKS = "TrackaiNobodyLooks"
_HEAD = """Rendered from the catalogue of alarms by `trackai alarms render prometheus`; do not edit.
Needs Prometheus 2.42 or newer."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert."""

    alert: str
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    lasting: dt.timedelta = field(default=dt.timedelta(0))
    calm: dt.timedelta = field(default=dt.timedelta(0))

    def node(self) -> Mapping[str, Node]:
        """Return it as Prometheus reads it."""
        times = {"for": self.lasting, "keep_firing_for": self.calm}
        return {
            "alert": self.alert,
            "expr": self.expr,
            **{name: duration(length) for name, length in times.items() if length},
            "labels": self.labels,
            "annotations": self.annotations,
        }


def render_rules(place: Place, alarms: Iterable[Alarm]) -> str:
    """Return the file of rules."""
    known = list(alarms)
    groups: list[Mapping[str, Node]] = [
        _group("trackai-newest", list(_records(place))),
        _group("trackai-watch", [one.node() for one in watch_rules(place)]),
        _group("trackai-thresholds", [threshold_rule(place, one).node() for one in known]),
        _group("trackai-program", [program_rule(place, one).node() for one in known]),
        _group(
            "trackai-no-data",
            [no_data_rule(place, one).node() for one in known if tells_no_data(one)],
        ),
    ]
    return to_yaml({"groups": groups}, _HEAD)


def render_example(place: Place) -> str:
    """Return a configuration of Prometheus to begin with."""
    targets = [{"targets": ["127.0.0.1:9400", "127.0.0.1:9401"]}]
    return to_yaml(
        {
            "global": {
                "scrape_interval": duration(dt.timedelta(seconds=EVERY_S)),
                "evaluation_interval": duration(dt.timedelta(seconds=EVERY_S)),
            },
            "rule_files": ["trackai.rules.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["127.0.0.1:9093"]}]}]},
            "scrape_configs": [{"job_name": place.job, "static_configs": targets}],
        },
        "An example, by `trackai alarms render prometheus`. Every process of serve and of worker\n"
        "is a target, at the port that its TRACKAI_METRICS_PORT names.",
    )


def name_of(alarm: Alarm) -> str:
    """Return what its alert is called."""
    return "Trackai" + "".join(part.capitalize() for part in alarm.id.split("_"))


def threshold_rule(place: Place, alarm: Alarm) -> Rule:
    """Return the alert of a value that is beyond the installation's threshold."""
    subject = "{{ $labels.instance }}" if alarm.metric in OF_PROCESSES else ""
    return Rule(
        name_of(alarm),
        _beyond(place, alarm),
        _labels(place, alarm, alarm.severity, "threshold"),
        _annotations(place, alarm, _headline(place, alarm, subject)),
        alarm.lasting,
        alarm.calm,
    )


def program_rule(place: Place, alarm: Alarm) -> Rule:
    """Return the alert of an incident that the program sees: it knows each tenant's thresholds."""
    state = f'trackai:alarms:newest{{job="{place.job}",alarm="{alarm.id}",state="alarm"}}'
    title = place.say("program", title=place.words[alarm.id]["title"], number="{{ $value }}")
    return Rule(
        f"{name_of(alarm)}ByProgram",
        f"{state} > 0",
        _labels(place, alarm, alarm.severity, "program"),
        _annotations(place, alarm, title),
    )


def tells_no_data(alarm: Alarm) -> bool:
    """Tell whether it is a fault that nothing is measured."""
    return not alarm.ends_without_data and alarm.metric not in NEEDS_HISTORY


def no_data_rule(place: Place, alarm: Alarm) -> Rule:
    """Return the alert of an alarm of which nothing is measured, of nobody: that is not OK."""
    states = f'trackai:alarms:newest{{job="{place.job}",alarm="{alarm.id}",state'
    title = place.say("no_data", title=place.words[alarm.id]["title"])
    return Rule(
        f"{name_of(alarm)}NoData",
        f'{states}="no_data"}} > 0\nunless on ()\nsum({states}!="no_data"}}) > 0',
        _labels(place, alarm, _LESS[alarm.severity], "no_data"),
        {**_annotations(place, alarm, title), "description": place.say("no_data_meaning")},
        NOT_KNOWN_FOR,
    )


def watch_rules(place: Place) -> Sequence[Rule]:
    """Return the alerts of processes that are silent, and the one that always fires."""
    at = f'trackai_measured_timestamp_seconds{{job="{place.job}"}}'
    up = f'up{{job="{place.job}"}}'

    def rule(name: str, severity: str, said: str, expr: str, lasting: dt.timedelta) -> Rule:
        about = {
            "summary": place.say(said, subject="{{ $labels.instance }}"),
            "description": place.say(f"{said}_meaning"),
            "runbook_url": place.runbook("scheduler-late"),
            "dashboard_url": f"{place.base_url}/alarms",
        }
        labels = {"severity": severity, "source": "watch", "environment": place.environment}
        return Rule(name, expr, labels, about, lasting)

    critical = Severity.CRITICAL.value
    return [
        rule(WATCHDOG, "none", "watchdog", "vector(1)", dt.timedelta(0)),
        rule(DOWN, critical, "down", f"absent({up})\nor sum by (job) ({up}) == 0", SILENT_FOR),
        rule(PROCESS_DOWN, Severity.HIGH.value, "process_down", f"{up} == 0", SILENT_FOR),
        rule(
            NOBODY_LOOKS,
            critical,
            "nobody_looks",
            f"absent({at})\nor time() - max by (job) ({at}) > {LONGEST_SILENCE_S}",
            SILENT_FOR,
        ),
    ]


def duration(length: dt.timedelta) -> str:
    """Return a duration as Prometheus writes it."""
    seconds = int(length.total_seconds())
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"


def _records(place: Place) -> Iterator[Mapping[str, Node]]:
    of = f'{{job="{place.job}"}}[{REMEMBERED}]'
    looked = f"topk(1, last_over_time(trackai_measured_timestamp_seconds{of}))"
    for record, (gauge, labels) in RECORDED.items():
        yield {
            "record": record,
            "expr": f"max by ({labels}) (last_over_time({gauge}{of})\nand on (instance) {looked})",
            "labels": {"job": place.job},
        }


def _beyond(place: Place, alarm: Alarm) -> str:
    """Return when it is bad: beyond the threshold, or while it fires not yet behind `clear`."""
    limits, sign = place.limits_of(alarm), "<" if alarm.below else ">"
    ours = alarm.metric in OF_PROCESSES
    gauge = "trackai_process" if ours else "trackai:measured:newest"
    value = f'{gauge}{{job="{place.job}",metric="{alarm.metric}"}}'
    bad = f"{value} {sign} {digits_of(limits.threshold)}"
    if limits.clear != limits.threshold:
        same = "instance, part" if ours else ""
        fires = f'ALERTS{{alertname="{name_of(alarm)}",alertstate="firing",job="{place.job}"}}'
        bad = f"{bad}\nor {value} {sign} {digits_of(limits.clear)} and on ({same}) {fires}"
    if alarm.scope is Scope.INSTALLATION:
        return bad
    # Whoever has thresholds of its own may be well with a value that is bad elsewhere.
    unwell = f'{{job="{place.job}",alarm="{alarm.id}",state=~"pending|alarm"}}'
    return f"({bad})\nunless on () sum(trackai:alarms:newest{unwell}) == 0"


def _headline(place: Place, alarm: Alarm, subject: str) -> str:
    said, title = place.words["say"], place.words[alarm.id]["title"]
    if subject:
        title = said["about"].format(title=title, subject=subject)
    number, limit = '{{ printf "%.1f" $value }}', digits_of(place.limits_of(alarm).threshold)
    if place.language == "pt":
        number = '{{ printf "%.1f" $value | reReplaceAll "[.]" "," }}'
        limit = limit.replace(".", ",")
    value, threshold = (place.amount(alarm.metric, one) for one in (number, limit))
    return said["one"].format(title=title, value=value, threshold=threshold)


def _labels(place: Place, alarm: Alarm, severity: Severity, source: str) -> Mapping[str, str]:
    return {
        "severity": severity.value,
        "alarm": alarm.id,
        "scope": alarm.scope.value,
        "source": source,
        "environment": place.environment,
    }


def _annotations(place: Place, alarm: Alarm, summary: str) -> Mapping[str, str]:
    return {
        "summary": summary,
        "description": place.words[alarm.id]["meaning"],
        "runbook_url": place.runbook(alarm.page),
        "dashboard_url": place.page(alarm),
    }


def _group(name: str, rules: Sequence[Node]) -> Mapping[str, Node]:
    return {"name": name, "interval": f"{EVERY_S}s", "rules": rules}
