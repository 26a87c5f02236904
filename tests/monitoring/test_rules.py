"""What Prometheus makes of the rules: one case that fires and one that is quiet of every alarm."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.monitoring import cases
from tests.monitoring.cases import ONE, OTHER, Case, Expected
from tests.monitoring.conftest import place_in

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.engines.place import Place
from trackai.alarms.engines.prometheus import (
    DOWN,
    EVERY_S,
    NOBODY_LOOKS,
    PROCESS_DOWN,
    WATCHDOG,
    name_of,
    render_example,
    render_rules,
    watch_rules,
)
from trackai.model.alarm import Alarm, Limits

if TYPE_CHECKING:
    from tests.monitoring.conftest import Check

EVERY_ALARM = pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS)
LOOKS = f"trackai_measured_timestamp_seconds{{{ONE}}}"


def written(folder: Path, place: Place | None = None, *alarms: Alarm) -> Path:
    """Write the rules, of one alarm where the others would only take time."""
    path = folder / "trackai.rules.yml"
    path.write_text(render_rules(place or place_in(), alarms or ALARMS.values()))
    return path


def complaints(promtool: "Check", folder: Path, rules: Path, found: list[Case]) -> str:
    """Return what promtool complains of; nothing when everything is as it should be."""
    path = folder / "cases.yml"
    path.write_text(cases.document(rules, found))
    ran = promtool("test", "rules", path)
    return "" if ran.returncode == 0 else f"{ran.stdout}{ran.stderr}"


@pytest.mark.parametrize("language", ["en", "pt"])
def test_prometheus_takes_the_rules_and_the_example(
    promtool: "Check", tmp_path: Path, language: str
) -> None:
    rules = written(tmp_path, place_in(language))
    example = tmp_path / "prometheus.yml"
    example.write_text(render_example(place_in(language)))
    found = promtool("check", "rules", rules)
    whole = promtool("check", "config", example)

    assert 0 == found.returncode, found.stderr
    assert 0 == whole.returncode, whole.stderr
    assert re.search(r"SUCCESS: \d+ rules found", whole.stdout)


@EVERY_ALARM
def test_an_alarm_fires_when_it_should_and_is_quiet_when_not(
    promtool: "Check", tmp_path: Path, alarm: Alarm
) -> None:
    found = list(cases.cases_of(alarm))

    assert "" == complaints(promtool, tmp_path, written(tmp_path, None, alarm), found)


@EVERY_ALARM
def test_every_alarm_has_a_case_that_fires_and_one_that_is_quiet(alarm: Alarm) -> None:
    found = list(cases.cases_of(alarm))
    expected = [there for case in found for _, check in case.checks for there in check.items()]

    assert {True, False} == {case.fires for case in found if case.alarm == alarm.id}
    assert [there for name, there in expected if name == name_of(alarm) and there]
    assert [name for name, there in expected if name == name_of(alarm) and not there]


@EVERY_ALARM
def test_a_rule_with_another_threshold_would_be_noticed(
    promtool: "Check", tmp_path: Path, alarm: Alarm
) -> None:
    by, base = -1 if alarm.below else 1, place_in()
    quiet, fires = cases.quiet(alarm), cases.fires(alarm)
    sooner = Limits(alarm.threshold - by, alarm.clear - by)
    never = Limits(alarm.threshold + by * 1e6, alarm.clear)

    for limits, case in ((sooner, quiet), (never, fires)):
        wrong = Place(
            base.base_url, base.environment, base.job, "en", base.words, {alarm.id: limits}
        )
        assert "FAILED" in complaints(promtool, tmp_path, written(tmp_path, wrong, alarm), [case])


def watched(name: str, *, labels: dict[str, str] | None = None) -> Expected:
    (rule,) = [one for one in watch_rules(place_in()) if one.alert == name]
    summary = rule.annotations["summary"].replace("{{ $labels.instance }}", "10.0.0.2:9400")
    shown = {
        "exp_labels": {**rule.labels, **(labels or {})},
        "exp_annotations": {**rule.annotations, "summary": summary},
    }
    return {name: [shown]}


OF_JOB = {"job": "trackai"}
OF_OTHER = OF_JOB | {"instance": "10.0.0.2:9400"}
UP, OTHER_UP = f"up{{{ONE}}}", f"up{{{OTHER}}}"
ALWAYS, NEVER = cases.lasts(1), cases.lasts(0)
TURNING = f"0+{EVERY_S}x{cases.LONG_S // EVERY_S}"
SILENT = f"{cases._until(TURNING, 600)} {cases.missing(cases.LONG_S - 600)}"
WATCHES = [
    Case("always", "", {}, [(60, watched(WATCHDOG))]),
    Case("no target", "", {}, [(60, {DOWN: []}), (180, watched(DOWN, labels=OF_JOB))]),
    Case(
        *("all are down", "", {UP: NEVER, OTHER_UP: NEVER}),
        [(60, {DOWN: []}), (180, watched(DOWN, labels=OF_JOB))],
    ),
    Case(
        *("one is down", "", {UP: ALWAYS, OTHER_UP: NEVER}),
        [(60, {PROCESS_DOWN: []}), (180, {DOWN: [], **watched(PROCESS_DOWN, labels=OF_OTHER)})],
    ),
    Case(
        *("all are up, somebody looks", "", {UP: ALWAYS, OTHER_UP: ALWAYS, LOOKS: TURNING}),
        [(3000, {DOWN: [], PROCESS_DOWN: [], NOBODY_LOOKS: []})],
        fires=False,
    ),
    Case(
        *("whoever looked is gone", "", {UP: ALWAYS, LOOKS: SILENT}),
        [(590, {NOBODY_LOOKS: []}), (1200, watched(NOBODY_LOOKS, labels=OF_JOB))],
    ),
    Case(
        *("whoever looks has stopped", "", {UP: ALWAYS, LOOKS: cases.lasts(0)}),
        [(290, {NOBODY_LOOKS: []}), (600, watched(NOBODY_LOOKS, labels=OF_JOB))],
    ),
]


@pytest.mark.parametrize("case", WATCHES, ids=lambda case: case.name)
def test_silence_is_noticed(promtool: "Check", tmp_path: Path, case: Case) -> None:
    rules = written(tmp_path, None, ALARMS["queue_depth"])

    assert "" == complaints(promtool, tmp_path, rules, [case])


def test_what_the_installation_chose_is_what_counts() -> None:
    base, alarm = place_in(), ALARMS["cpu_busy"]
    place = Place(
        *(base.base_url, base.environment, base.job, "en", base.words),
        {alarm.id: Limits(90.5, 70)},
    )
    rules = render_rules(place, [alarm])

    assert 'metric="cpu_percent"} > 90.5' in rules
    assert 'metric="cpu_percent"} > 70 and' in rules
    assert "(limit 90.5%)" in rules
    assert "> 80" not in rules


@pytest.mark.parametrize(
    ("chosen", "digits"),
    [(1234567.0, "1234567"), (0.1234567, "0.1234567"), (1e-05, "0.00001"), (1e12, "1" + "0" * 12)],
)
def test_a_threshold_is_written_to_the_last_digit(
    promtool: "Check", tmp_path: Path, chosen: float, digits: str
) -> None:
    base, alarm = place_in(), ALARMS["queue_depth"]
    limits = {alarm.id: Limits(chosen, chosen / 2)}
    place = Place(*(base.base_url, base.environment, base.job, "en", base.words), limits)
    rules = written(tmp_path, place, alarm)

    assert f'metric="queue_depth"}} > {digits}\n' in rules.read_text()
    assert f"(limit {digits} events)" in rules.read_text()
    assert 0 == promtool("check", "rules", rules).returncode


def test_portuguese_has_its_own_commas() -> None:
    place, alarm = place_in("pt"), ALARMS["webhook_success"]

    assert 'reReplaceAll "[.]" ","' in render_rules(place, [alarm])
    assert alarm.id in render_rules(place, [alarm])
