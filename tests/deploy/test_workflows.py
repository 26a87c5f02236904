"""Workflows of CI and delivery: rights, secrets, order, and that what they run is there."""

import asyncio
import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main
import yaml
from tests.deploy.files import ROOT

from trackai.cli.main import app
from trackai.model.clock import SystemClock
from trackai.sandbox.pagerduty import PagerDutySandbox

if TYPE_CHECKING:
    from tests.conftest import Serve

WORKFLOWS = ROOT / ".github" / "workflows"
NAMES = ("ci.yml", "deploy.yml")
READ = {"contents": "read"}
# A role by OpenID Connect; whoever may not ask for a token has none.
ROLE = READ | {"id-token": "write"}
RIGHTS = {
    "ci.yml": dict.fromkeys(("check", "test", "golive", "upgrade", "docs", "image"), READ),
    "deploy.yml": {"ci": READ, "image": ROLE, "deploy": ROLE},
}
AWS = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in
  *describe-stacks*) sed -n "s/.*OutputKey=='\\([A-Za-z]*\\)'.*/the-\\1/p" <<< "$*" ;;
  *run-task*) echo "$TASK" ;;
  *describe-tasks*) echo "$CODE" ;;
  *get-log-events*) echo "what it said" ;;
esac
"""


def workflow(name: str) -> dict[Any, Any]:
    found = yaml.safe_load((WORKFLOWS / name).read_text())
    assert isinstance(found, dict)
    return found


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in workflow(name)["jobs"].values() for step in job.get("steps", [])]


def runs(name: str) -> list[str]:
    return [step["run"] for step in steps(name) if "run" in step]


def words(name: str) -> list[list[str]]:
    """Return every command of ours in a workflow's scripts, in words."""
    lines = [line.strip() for line in "\n".join(runs(name)).replace("\\\n", " ").splitlines()]
    ours = ("make ", ".venv/bin/", "deploy/")
    return [shlex.split(line.split(" | ")[0]) for line in lines if line.startswith(ours)]


@pytest.mark.parametrize("name", NAMES)
def test_each_job_has_the_rights_it_needs_and_an_end(name: str) -> None:
    found = workflow(name)

    assert {} == found["permissions"]
    assert RIGHTS[name] == {job: one["permissions"] for job, one in found["jobs"].items()}
    assert [] == [
        job
        for job, one in found["jobs"].items()
        if "uses" not in one and not 0 < one["timeout-minutes"] <= 90
    ]


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_of_one_commit_and_leave_no_credentials(name: str) -> None:
    text = (WORKFLOWS / name).read_text()
    used = [step for step in steps(name) if "uses" in step]
    pinned = re.findall(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", text, re.MULTILINE)

    assert used
    assert len(used) == len(pinned)
    assert [] == [
        one
        for one in used
        if one["uses"].startswith("actions/checkout@")
        and one["with"]["persist-credentials"] is not False
    ]


@pytest.mark.parametrize("name", NAMES)
def test_scripts_are_shell_and_hold_nothing_of_the_outside(name: str) -> None:
    for script in runs(name):
        done = subprocess.run(
            ["/bin/bash", "-n"], input=script, capture_output=True, text=True, check=False
        )

        assert (0, "") == (done.returncode, done.stderr)
        assert "${{" not in script


def test_what_strangers_propose_meets_no_secret_and_no_role() -> None:
    triggers = workflow("ci.yml")[True]  # YAML 1.1 takes `on` for a yes

    assert "secrets." not in (WORKFLOWS / "ci.yml").read_text()
    assert "pull_request" in triggers
    assert "pull_request_target" not in triggers
    assert not {"pull_request", "pull_request_target"} & set(workflow("deploy.yml")[True])


def test_secrets_are_of_the_approved_job_alone_and_are_printed_by_nobody() -> None:
    jobs = workflow("deploy.yml")["jobs"]
    holding = [
        (name, step)
        for name, job in jobs.items()
        for step in job.get("steps", [])
        if "secrets." in yaml.safe_dump(step)
    ]
    named = {
        key: value
        for _, step in holding
        for key, value in step["env"].items()
        if "secrets." in value
    }

    assert {"ROUTING_KEY"} == set(named)
    assert {"deploy"} == {name for name, _ in holding}
    assert "production" == jobs["deploy"]["environment"]
    for _, step in holding:
        assert "secrets." not in step["run"]
        assert not re.search(r"\b(echo|tee|cat|set -\w*x)\b", step["run"])
        # To a program that takes it from its environment.
        assert all(f"${key}" not in step["run"] for key in named)


def test_nothing_is_deployed_before_ci_and_approval_or_from_elsewhere() -> None:
    jobs = workflow("deploy.yml")["jobs"]

    assert "./.github/workflows/ci.yml" == jobs["ci"]["uses"]
    assert "github.ref == 'refs/heads/main' && inputs.tag == ''" == jobs["ci"]["if"]
    assert ("ci", "image") == (jobs["image"]["needs"], jobs["deploy"]["needs"])
    assert "&& needs.image.result == 'success'" in jobs["deploy"]["if"]
    assert ["deploy"] == [name for name, job in jobs.items() if "environment" in job]
    assert workflow("deploy.yml")["concurrency"]["cancel-in-progress"] is False


def test_going_back_waits_for_no_test_and_builds_nothing_that_none_has_seen(tmp_path: Path) -> None:
    image = workflow("deploy.yml")["jobs"]["image"]
    (build,) = [step["run"] for step in image["steps"] if "buildx" in step.get("run", "")]
    # There is no such image yet: what main is now failed its tests, say.
    newest = "f" * 40
    for name, does in {
        "aws": 'case "$*" in *describe-images*) exit 1 ;; esac; echo "$*"',
        "docker": "cat > /dev/null; echo built",
        "git": f"echo {newest}",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(  # noqa: S603 - ours
        ["/bin/bash", "-e", "-c", build],
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "REPOSITORY": "trackai",
            "AWS_REGION": "sa-east-1",
            "TAG": newest,
            "ASKED": newest,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, f"There is no image of {newest}.\n") == (done.returncode, done.stdout)
    # The one exception is what somebody asked for by its name.
    passed = "(needs.ci.result == 'success' || (needs.ci.result == 'skipped' && inputs.tag != ''))"
    assert image["if"].endswith(f"github.ref == 'refs/heads/main' && {passed}")


def test_what_is_told_of_checks_is_what_this_very_run_of_ci_found() -> None:
    made = workflow("deploy.yml")["jobs"]["deploy"]["steps"]
    (kept,) = [step for step in steps("ci.yml") if "upload-artifact" in step.get("uses", "")]
    (taken,) = [step for step in made if "download-artifact" in step.get("uses", "")]
    told = next(step for step in made if "golive attest" in step.get("run", ""))
    order = [step.get("id") or step.get("name") for step in made]

    assert kept["with"]["name"] == taken["with"]["name"]
    # Whoever goes back brings another source than this run has seen.
    assert "inputs.tag == ''" == taken["if"] == told["if"]
    assert order.index("smoke") < order.index(told["name"])
    assert 'TRACKAI_BUILD_FACTS="$FACTS" .ci/run' in "".join(runs("ci.yml"))
    assert "tools.attest" in (ROOT / ".ci/run").read_text()


def test_a_sale_that_nobody_could_send_takes_no_version_back() -> None:
    made = workflow("deploy.yml")["jobs"]["deploy"]["steps"]
    asked = next(at for at, step in enumerate(made) if 'test -n "$TENANT"' in step.get("run", ""))
    rollout = next(at for at, step in enumerate(made) if step.get("id") == "rollout")

    assert asked < rollout


def test_people_are_told_after_the_rollout_and_the_sale_and_what_fails_is_taken_back() -> None:
    made = workflow("deploy.yml")["jobs"]["deploy"]["steps"]
    order = [step.get("id") or step.get("name") for step in made]
    wanted = ["before", "rollout", "smoke", "back", "Tell people", "Tell PagerDuty"]
    back = next(step for step in made if step.get("id") == "back")

    assert wanted == [one for one in order if one in wanted]
    assert back["if"].startswith("failure() && steps.rollout.outcome != 'skipped'")
    assert '--tag "$BEFORE"' in back["run"]


@pytest.mark.parametrize("name", NAMES)
def test_verbs_commands_and_files_that_workflows_name_are_there(name: str) -> None:
    verbs = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    known = typer.main.get_group(app).commands
    found = words(name)
    made = {one[1] for one in found if one[:1] == ["make"]}
    told = [one for one in found if one[:1] == [".venv/bin/trackai"]]
    modules = {one[2] for one in found if one[:2] == [".venv/bin/python", "-m"]}
    files = {one[0] for one in found if one and one[0].startswith(("deploy/", ".ci/"))}

    assert made
    assert made - {".venv/.runtime"} <= verbs
    assert {one[1] for one in told} <= set(known)
    assert [] == [one for one in modules if not (ROOT / one / "__main__.py").exists()]
    assert [] == [one for one in files if not os.access(ROOT / one, os.X_OK)]


def test_a_command_beside_the_services_exists_and_so_do_its_options() -> None:
    found = [one for one in words("deploy.yml") if one[0] == "deploy/aws/command.sh"]

    assert {("alarms", "deployed"), ("golive", "attest"), ("smoke", "--tenant")} == {
        (one[2], one[3]) for one in found
    }
    for first, name, *rest in (one[2:] for one in found):
        known: Any = typer.main.get_group(app).commands[first]
        command = getattr(known, "commands", {}).get(name, known)
        assert {one for one in rest if one.startswith("--")} <= {
            option for one in command.params for option in one.opts
        }


DEPLOYED = ("alarms", "deployed", "--summary", 'Faster "pages"')


def command(
    tmp_path: Path, *, task: str = "arn/7", code: str = "0", said: Sequence[str] = DEPLOYED
) -> "tuple[subprocess.CompletedProcess[str], str]":
    """Run a command as a task at a stand-in for Amazon's command line; return what was called."""
    (tmp_path / "aws").write_text(AWS)
    (tmp_path / "aws").chmod(0o755)
    calls = tmp_path / "calls"
    done = subprocess.run(  # noqa: S603 - ours
        [ROOT / "deploy/aws/command.sh", "trackai-production", *said],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",  # noqa: TID251 - the tools it needs
            "CALLS": str(calls),
            "TASK": task,
            "CODE": code,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done, calls.read_text()


def test_a_command_runs_as_the_migration_does_and_its_end_is_waited_for(tmp_path: Path) -> None:
    done, calls = command(tmp_path)
    (started,) = [line for line in calls.splitlines() if "run-task" in line]

    assert (0, "") == (done.returncode, done.stderr)
    assert "what it said\n" == done.stdout
    assert "-name the-MigrateLogsIs --log-stream-name the-MigrateLogsIs/trackai/7" in calls
    assert "--cluster the-ClusterIs --task-definition the-MigrateTaskIs" in started
    assert "subnets=[the-TaskSubnetsIs],securityGroups=[the-TaskGroupIs]" in started
    assert r'["alarms", "deployed", "--summary", "Faster \"pages\""]' in started
    assert "ecs wait tasks-stopped --cluster the-ClusterIs --tasks arn/7" in calls


@pytest.mark.parametrize(("task", "code"), [("None", "0"), ("arn/7", "1"), ("arn/7", "None")])
def test_a_command_that_fails_or_never_starts_is_an_error(
    tmp_path: Path, task: str, code: str
) -> None:
    done, _ = command(tmp_path, task=task, code=code)

    assert 1 == done.returncode
    assert "did not start" in done.stderr or f"alarms ended with {code}" in done.stderr


def test_the_checklist_is_looked_at_by_who_may_and_words_arrive_as_they_were(
    tmp_path: Path,
) -> None:
    _, looked = command(tmp_path, said=("golive", "check"))
    _, told = command(tmp_path, said=("golive", "attest", "--facts", '{\n  "commit": "a b"\n}'))

    assert "--task-definition the-CheckTaskIs" in looked
    assert "--log-group-name the-CheckLogsIs" in looked
    assert "the-MigrateTaskIs" in told
    assert r'["golive", "attest", "--facts", "{\n  \"commit\": \"a b\"\n}"]' in told


def changed(key: str, url: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - ours
        [ROOT / "deploy/aws/changed.sh", "production", "1.4.0", "https://git.example.com/1.4.0"],
        env={
            "PATH": os.environ["PATH"],  # noqa: TID251 - the tools it needs
            "ROUTING_KEY": key,
            "PAGERDUTY_URL": f"{url}/v2/change/enqueue",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("key", "status"), [("R" * 32, 0), ("short", 22)])
async def test_pagerduty_is_told_and_the_key_is_printed_nowhere(
    serve: "Serve", key: str, status: int
) -> None:
    pager = PagerDutySandbox(SystemClock())
    pager.add_service("R" * 32)
    url = await serve(pager)
    done = await asyncio.to_thread(changed, key, url)

    assert status == done.returncode
    assert key not in done.stdout + done.stderr
    assert [1, 0][bool(status)] == len(pager.changes)
