"""What people are given for monitoring names what is there: commands, options, events, fields."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from trackai.alarms.catalogue import ALARMS
from trackai.analytics.performance import STAGES
from trackai.cli.main import app
from trackai.model.alarm import OF_PROCESSES, Alarm, Fact, Metric
from trackai.model.flow import Flow
from trackai.telemetry.metrics import REGISTRY

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "trackai"
WORKFLOW = ROOT / ".github" / "workflows" / "monitoring-setup.yml"
# Who renews a certificate is no program of ours.
NO_COMMAND = {("certificate-expiring", "2. Renew it")}
QUERIES = re.findall(
    r"```insights\n(.*?)```", (ROOT / "docs" / "logs-insights.md").read_text(), re.DOTALL
)


def workflow() -> dict[Any, Any]:
    found = yaml.safe_load(WORKFLOW.read_text())
    assert isinstance(found, dict)
    return found


def steps() -> list[dict[str, Any]]:
    return [step for job in workflow()["jobs"].values() for step in job["steps"]]


def commands() -> list[list[str]]:
    """Return every `trackai` that the workflow runs, in words."""
    runs = "\n".join(step.get("run", "") for step in steps()).replace("\\\n", " ")
    lines = [line.split("|")[0] for line in runs.splitlines()]
    return [words for line in lines if "bin/trackai" in line and (words := shlex.split(line))]


def test_the_workflow_runs_commands_and_options_that_exist() -> None:
    found = commands()
    known = typer.main.get_group(app)

    assert {"plan", "apply"} == {words[2] for words in found}
    for program, group, name, *rest in found:
        command = known.commands[group].commands[name]  # type: ignore[attr-defined]  # a group
        options = {option for one in command.params for option in one.opts}

        assert ".venv/bin/trackai" == program
        assert {word for word in rest if word.startswith("--")} <= options
        # They say the same of the same place.
        assert {"--environment", "--url", "--critical", "--high", "--medium"} <= {*rest}


def test_only_applying_asks_nobody_and_only_after_approval_from_the_main_branch() -> None:
    jobs = workflow()["jobs"]

    assert ["apply"] == [words[2] for words in commands() if "--yes" in words]
    assert ("plan", "monitoring") == (jobs["apply"]["needs"], jobs["apply"]["environment"])
    assert "github.ref == 'refs/heads/main'" in jobs["apply"]["if"]
    assert "!= 'pull_request'" in jobs["apply"]["if"]
    assert "environment" not in jobs["plan"]


def test_the_workflow_has_no_more_rights_than_it_needs() -> None:
    found = workflow()

    assert {} == found["permissions"]
    for job in found["jobs"].values():
        assert {"contents": "read", "id-token": "write"} == job["permissions"]
        assert job["timeout-minutes"]
    assert "secrets." not in WORKFLOW.read_text()


def test_actions_are_pinned_by_commit_and_scripts_hold_nothing_of_the_outside() -> None:
    used = {step["uses"] for step in steps() if "uses" in step}

    assert used
    assert [] == [one for one in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one)]
    assert [] == [step["run"] for step in steps() if "${{" in step.get("run", "")]


def test_the_workflow_looks_at_files_that_are_there() -> None:
    # YAML 1.1 takes `on` for a yes.
    triggers = workflow()[True]

    assert triggers["push"]["paths"] == triggers["pull_request"]["paths"]
    assert [] == [path for path in triggers["push"]["paths"] if not [*ROOT.glob(path)]]


# Words of the language, and names that a query gives itself.
WORDS = frozenset(
    """fields filter sort limit stats by as and or in desc asc count sum pct max latest earliest bin
    strcontains ispresent number last first tries accepted m""".split()
)


def _source() -> str:
    return "\n".join(path.read_text() for path in SRC.rglob("*.py"))


def test_there_are_queries() -> None:
    assert 8 <= len(QUERIES)


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_a_query_asks_for_events_and_fields_that_are_logged(query: str) -> None:
    source = _source()
    metrics = {one.value for one in (*Metric, *Flow)}
    events = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', query))
    plain = re.sub(r'"[^"]*"', "", query)
    fields = set(re.findall(r"(?<![@\w])[a-z_]+", plain)) - WORDS

    assert [] == [one for one in events if not _is_logged(one, source)]
    assert [] == [
        one
        for one in fields
        if one not in metrics
        and not re.search(rf'\b{one}=|"{one}":', source)
        and one not in {"level", "event", "about"}
    ]


def _is_logged(event: str, source: str) -> bool:
    if event.startswith("alarm."):
        return 'f"alarm.{one.event.value}"' in source
    return f'"{event}"' in source


def test_what_the_page_of_metrics_names_is_said_under_that_name() -> None:
    page = (ROOT / "docs" / "alarms.md").read_text().partition("### What is at `/metrics`")[2]
    rows = [row.split(" | ") for row in page.splitlines() if row.startswith("| ")][1:]
    gauges = {family.name for family in REGISTRY.collect()}
    labels: dict[str, set[str]] = {
        "trackai_measured": {*Metric},
        "trackai_fact": {*Fact},
        "trackai_process": {*OF_PROCESSES},
        "trackai_stage_seconds": {*STAGES},
    }
    wrong = []
    for _, where in rows:
        about = ""
        for name in re.findall(r"`([a-z0-9_]+)`", where):
            if name.startswith("trackai_"):
                about = name
                wrong += [] if name.removesuffix("_total") in gauges else [name]
            elif name not in labels[about]:
                wrong.append(f"{about}: {name}")

    assert 10 <= len(rows)
    assert [] == wrong


def test_every_step_of_every_runbook_has_a_command() -> None:
    steps = {
        (page.stem, step.partition("\n")[0]): step
        for page in (ROOT / "docs" / "runbooks").glob("*.md")
        for step in page.read_text().split("\n## ")[1:]
    }
    without = {
        one for one, step in steps.items() if not re.search(r"^ *\$ trackai ", step, re.MULTILINE)
    }

    assert len(ALARMS) <= len({page for page, _ in steps})
    assert NO_COMMAND == without


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS)
def test_the_page_of_alarms_says_of_each_when_it_fires(alarm: Alarm) -> None:
    page = (ROOT / "docs" / "alarms.md").read_text().partition("## What is watched")[2]
    rows = [row.strip("| ").split(" | ") for row in page.splitlines() if row.startswith("| `")]
    ((fires, severity),) = [row[1:3] for row in rows if row[0] == f"`{alarm.id}`"]

    assert alarm.severity == severity
    assert ("in production" in fires) == alarm.production_only
    if alarm.lasting:
        assert fires.endswith(f"for {alarm.lasting.total_seconds() / 60:g} min")
