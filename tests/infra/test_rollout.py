"""A version brought to the stand-in: migrated first, then replaced; and what stops it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.session import get_session
from infra.rollout import Wish, roll_out
from tests.infra.conftest import ACCOUNT, ENVIRONMENT, REGION, STACK

if TYPE_CHECKING:
    from types_aiobotocore_cloudformation import CloudFormationClient

pytestmark = [
    pytest.mark.xdist_group("stack"),
    pytest.mark.filterwarnings("ignore:Tried to parse"),
]

# The template's is the first; the stand-in spoils the one that an update makes.
FAMILY = "trackai-production-migrate"
WISH = Wish(ENVIRONMENT, "two", longest_s=60, poll_s=0.01)


@asynccontextmanager
async def fargate(exit_status: int = 0, says: str = "") -> AsyncIterator[list[str]]:
    """Play what runs tasks: the stand-in keeps lists of them alone. Yields what was migrated."""
    from moto.ec2.models import ec2_backends  # noqa: PLC0415 - takes a second to import
    from moto.ecs.models import ecs_backends  # noqa: PLC0415 - as above

    ecs = ecs_backends[ACCOUNT][REGION]
    migrated: list[str] = []
    _mend(ecs, ec2_backends[ACCOUNT][REGION])

    async def play() -> None:
        while True:
            started = [pair for tasks in ecs.tasks.values() for pair in tasks.items()]
            for arn, task in started:
                if arn not in migrated:
                    migrated.append(arn)
                    task.containers[0].exitCode = exit_status
                    await _say(arn, says)
            for service in ecs.services.values():
                service.running_count = service.desired_count
            await asyncio.sleep(0.01)

    playing = asyncio.create_task(play())
    try:
        yield migrated
    finally:
        playing.cancel()


def _mend(ecs: Any, ec2: Any) -> None:
    """Put back what the stand-in drops of a template."""
    for vpc in ec2.vpcs.values():
        vpc.enable_dns_hostnames = "true"
    for definition in (one for each in ecs.task_definitions.values() for one in each.values()):
        definition.cpu = "512"
        definition.requires_compatibilities = ["FARGATE"]
        for secret in definition.container_definitions[0]["secrets"]:
            secret["valueFrom"] = "arn:aws:secretsmanager:sa-east-1:123456789012:secret:made-up"


async def _say(arn: str, said: str) -> None:
    group, stream = f"/trackai/{ENVIRONMENT}/migrate", f"migrate/trackai/{arn.rpartition('/')[2]}"
    if said:
        async with get_session().create_client("logs") as logs:
            await logs.create_log_stream(logGroupName=group, logStreamName=stream)
            # The stand-in takes lines of the last days alone, by its own clock.
            at = (await logs.describe_log_groups())["logGroups"][0]["creationTime"]
            await logs.put_log_events(
                logGroupName=group,
                logStreamName=stream,
                logEvents=[{"timestamp": at, "message": said}],
            )


async def _parameters(stacks: "CloudFormationClient") -> dict[str, str]:
    (stack,) = (await stacks.describe_stacks(StackName=STACK))["Stacks"]
    return {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}


async def _services(stacks: "CloudFormationClient") -> dict[str, int]:
    (stack,) = (await stacks.describe_stacks(StackName=STACK))["Stacks"]
    (cluster,) = [one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] == "ClusterIs"]
    async with get_session().create_client("ecs") as tasks:
        found = await tasks.describe_services(cluster=cluster, services=["api", "worker"])
    return {one["serviceName"]: one["desiredCount"] for one in found["services"]}


async def test_the_first_version_is_migrated_once_and_runs_in_two_copies(
    deployed: "CloudFormationClient",
) -> None:
    said: list[str] = []
    async with fargate() as migrated:
        status = await roll_out(WISH, said.append)

    assert 0 == status, said
    assert 1 == len(migrated)
    assert {"api": 2, "worker": 2} == await _services(deployed)
    parameters = await _parameters(deployed)
    assert ("two", "running") == (parameters["ImageTag"], parameters["Stage"])
    assert "https://events.example.com/integration/made-up/enqueue" == parameters["PagerDutyUrl"]


@pytest.mark.usefixtures("deployed")
async def test_a_migration_runs_with_the_new_image() -> None:
    async with fargate() as migrated:
        await roll_out(WISH, lambda _: None)

    async with get_session().create_client("ecs") as tasks:
        found = await tasks.describe_task_definition(taskDefinition=f"{FAMILY}:2")
    (container,) = found["taskDefinition"]["containerDefinitions"]
    assert migrated
    assert container["image"].endswith("/trackai:two")
    assert ["migrate", "--allow-newer"] == container["command"]


async def test_a_migration_that_fails_shows_its_lines_and_replaces_nothing(
    deployed: "CloudFormationClient",
) -> None:
    said: list[str] = []
    async with fargate(exit_status=1, says="Revision 0099 failed."):
        status = await roll_out(WISH, said.append)

    assert 1 == status
    assert any("Revision 0099 failed." in line for line in said)
    assert "Nothing was replaced" in said[-1]
    assert "one" == (await _parameters(deployed))["ImageTag"]
    assert {"api": 0, "worker": 0} == await _services(deployed)


@pytest.mark.usefixtures("deployed")
async def test_a_version_that_does_not_become_healthy_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from moto.cloudformation.models import Stack  # noqa: PLC0415 - as above

    def goes_back(self: Stack, *_: object, **__: object) -> None:
        self.status = "UPDATE_ROLLBACK_COMPLETE"
        self._add_stack_event("UPDATE_FAILED", "Deployment circuit breaker was triggered")

    monkeypatch.setattr(Stack, "update", goes_back)
    said: list[str] = []
    async with fargate():
        status = await roll_out(WISH, said.append)

    assert 1 == status
    assert "circuit breaker" in said[-1]
    assert "one before" in said[-1]


@pytest.mark.usefixtures("cloud")
async def test_without_a_stack_it_says_where_to_read() -> None:
    from infra.__main__ import main  # noqa: PLC0415

    status = await asyncio.to_thread(main, ["rollout", "--tag", "two"])

    assert 2 == status


@pytest.mark.usefixtures("deployed")
async def test_a_task_that_never_ends_is_given_up() -> None:
    from moto.moto_api import state_manager  # noqa: PLC0415 - as above

    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 10_000})
    said: list[str] = []
    try:
        async with fargate():
            wish = Wish(ENVIRONMENT, "two", longest_s=1, poll_s=0.01)
            status = await roll_out(wish, said.append)
    finally:
        state_manager.unset_transition("ecs::task")

    assert 1 == status
    assert "Not done" in said[-1]
