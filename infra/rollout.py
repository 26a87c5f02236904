"""Brings a version to Amazon: migrates with its image, then has the stack replace what runs.

1. registers the migration's task with the new image, and runs it once;
2. when it fails: shows its last lines, changes nothing else;
3. updates the stack's parameters: services are replaced copy by copy, and Amazon goes back to the
   version before when the new one does not become healthy;
4. the first time, starts as many copies as there have to be, and waits until they are well.

Needs no construct library and no node. Safe to repeat: a migration that is done finds nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from infra.facts import CONTAINER, LEAST_COPIES, SERVICES
from trackai.aws import code_of, set_up
from trackai.errors import ConfigurationError

if TYPE_CHECKING:
    from types_aiobotocore_cloudformation import CloudFormationClient
    from types_aiobotocore_cloudformation.type_defs import ParameterTypeDef, StackTypeDef
    from types_aiobotocore_ecs import ECSClient
    from types_aiobotocore_ecs.type_defs import TaskTypeDef
    from types_aiobotocore_logs import CloudWatchLogsClient

POLL_S = 5.0
LINES = 30
PREFIX = "migrate"
_RUNNING = "running"
# Of a task's definition, what its next revision is made of; the rest Amazon says of it.
_KEPT = frozenset(
    {
        *("family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions"),
        *("volumes", "requiresCompatibilities", "cpu", "memory", "runtimePlatform"),
    }
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall run."""

    environment: str
    tag: str
    longest_s: float = 45 * 60
    poll_s: float = POLL_S

    @property
    def stack(self) -> str:
        """Return the stack's name."""
        return f"trackai-{self.environment}"


class RolloutFailed(Exception):
    """The version did not get there; what ran before still runs."""


@dataclass(frozen=True, slots=True)
class Amazon:
    """Whom a rollout talks to."""

    stacks: "CloudFormationClient"
    tasks: "ECSClient"
    logs: "CloudWatchLogsClient"


@asynccontextmanager
async def open_amazon() -> AsyncIterator[Amazon]:
    """Open the clients; region and credentials are the ordinary AWS settings."""
    session = get_session()
    with set_up("A rollout"):
        async with AsyncExitStack() as stack:
            yield Amazon(
                await stack.enter_async_context(session.create_client("cloudformation")),
                await stack.enter_async_context(session.create_client("ecs")),
                await stack.enter_async_context(session.create_client("logs")),
            )


async def roll_out(wish: Wish, say: Say) -> int:
    """Bring the version there; 0 when it runs, 1 when it does not."""
    try:
        with _our_errors():
            async with asyncio.timeout(wish.longest_s), open_amazon() as amazon:
                await _roll_out(amazon, wish, say)
    except TimeoutError:
        say(f"Not done after {wish.longest_s / 60:.0f} minutes. Look at the stack {wish.stack}.")
        return 1
    except RolloutFailed as error:
        say(str(error))
        return 1
    return 0


async def _roll_out(amazon: Amazon, wish: Wish, say: Say) -> None:
    stack = await _stack(amazon, wish.stack)
    told = {one.get("OutputKey", ""): one.get("OutputValue", "") for one in stack["Outputs"]}
    say(f"Migrating with {wish.tag} ...")
    await _migrate(amazon, wish, told, say)
    say("Migrated. Replacing what runs ...")
    await _update(amazon, wish, stack)
    await _begin(amazon, wish, told["ClusterIs"])
    say(f"{wish.tag} runs.")


async def _stack(amazon: Amazon, name: str) -> "StackTypeDef":
    try:
        found = await amazon.stacks.describe_stacks(StackName=name)
    except ClientError as error:
        if code_of(error) == "ValidationError":
            raise ConfigurationError(
                f"There is no stack {name} in this account and region. docs/aws.md says how it "
                "is made."
            ) from error
        raise
    return found["Stacks"][0]


async def _migrate(amazon: Amazon, wish: Wish, told: Mapping[str, str], say: Say) -> None:
    task = await _start(amazon, told, await _with_image(amazon, told["MigrateTaskIs"], wish.tag))
    arn = task["taskArn"]

    async def stopped() -> bool:
        nonlocal task
        task = await _task(amazon, told["ClusterIs"], arn)
        return task.get("lastStatus") == "STOPPED"

    await _until(stopped, wish)
    codes = [one.get("exitCode") for one in task.get("containers", [])]
    if codes == [0]:
        return
    for line in await _last_lines(amazon, told["MigrateLogsIs"], arn):
        say(f"  {line}")
    why = task.get("stoppedReason") or "no reason is given"
    raise RolloutFailed(
        f"The migration failed (exit status {codes[0] if codes else None}, {why}). Nothing was "
        "replaced: the version before still runs."
    )


async def _with_image(amazon: Amazon, definition: str, tag: str) -> str:
    """Register the migration with another image; return its address."""
    found = (await amazon.tasks.describe_task_definition(taskDefinition=definition))[
        "taskDefinition"
    ]
    containers = found["containerDefinitions"]
    for one in containers:
        one["image"] = f"{one['image'].rpartition(':')[0]}:{tag}"
    kept = {name: value for name, value in found.items() if name in _KEPT}
    made = await amazon.tasks.register_task_definition(**kept)  # type: ignore[arg-type]
    return made["taskDefinition"]["taskDefinitionArn"]


async def _start(amazon: Amazon, told: Mapping[str, str], definition: str) -> "TaskTypeDef":
    started = await amazon.tasks.run_task(
        cluster=told["ClusterIs"],
        taskDefinition=definition,
        launchType="FARGATE",
        count=1,
        startedBy="rollout",
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": told["TaskSubnetsIs"].split(","),
                "securityGroups": [told["TaskGroupIs"]],
                "assignPublicIp": "DISABLED",
            }
        },
    )
    if not started["tasks"]:
        reasons = ", ".join(one.get("reason", "?") for one in started["failures"])
        raise RolloutFailed(f"The migration did not start: {reasons}. Nothing was replaced.")
    return started["tasks"][0]


async def _task(amazon: Amazon, cluster: str, arn: str) -> "TaskTypeDef":
    found = await amazon.tasks.describe_tasks(cluster=cluster, tasks=[arn])
    if not found["tasks"]:
        raise RolloutFailed("Amazon does not know the migration's task any more.")
    return found["tasks"][0]


async def _last_lines(amazon: Amazon, group: str, arn: str) -> Sequence[str]:
    stream = f"{PREFIX}/{CONTAINER}/{arn.rpartition('/')[2]}"
    try:
        found = await amazon.logs.get_log_events(
            logGroupName=group, logStreamName=stream, limit=LINES, startFromHead=False
        )
    except ClientError as error:
        return [f"Its log cannot be read ({code_of(error)}): {group}, {stream}"]
    return [one.get("message", "") for one in found["events"]]


async def _update(amazon: Amazon, wish: Wish, stack: "StackTypeDef") -> None:
    """Have the stack replace what runs, and wait until it has."""
    changed = {"ImageTag": wish.tag, "Stage": _RUNNING}
    have = {one["ParameterKey"]: one.get("ParameterValue") for one in stack["Parameters"]}
    if changed.items() <= have.items():
        return
    parameters: list[ParameterTypeDef] = [
        {"ParameterKey": name, "ParameterValue": changed[name]}
        if name in changed
        else {"ParameterKey": name, "UsePreviousValue": True}
        for name in have
    ]
    await amazon.stacks.update_stack(
        StackName=wish.stack,
        UsePreviousTemplate=True,
        Parameters=parameters,
        Capabilities=["CAPABILITY_IAM"],
    )
    status = ""

    async def settled() -> bool:
        nonlocal status
        status = (await _stack(amazon, wish.stack))["StackStatus"]
        return not status.endswith("_IN_PROGRESS")

    await _until(settled, wish)
    if status != "UPDATE_COMPLETE":
        found = await amazon.stacks.describe_stack_events(StackName=wish.stack)
        why = next(
            (
                f"{one.get('LogicalResourceId')}: {one.get('ResourceStatusReason')}"
                for one in reversed(found["StackEvents"])
                if one.get("ResourceStatus", "").endswith("_FAILED")
            ),
            "no reason is given",
        )
        raise RolloutFailed(
            f"The new version did not become healthy ({status}; {why}). Amazon went back to the "
            "one before. The migration stays: it only adds."
        )


async def _begin(amazon: Amazon, wish: Wish, cluster: str) -> None:
    """Start what the stack was made without, and wait until every service is well."""
    found = await amazon.tasks.describe_services(cluster=cluster, services=[*SERVICES])
    for one in found["services"]:
        if one["desiredCount"] < LEAST_COPIES:
            await amazon.tasks.update_service(
                cluster=cluster, service=one["serviceName"], desiredCount=LEAST_COPIES
            )

    async def well() -> bool:
        found = await amazon.tasks.describe_services(cluster=cluster, services=[*SERVICES])
        good = [
            one["serviceName"]
            for one in found["services"]
            if one["runningCount"] >= one["desiredCount"] >= LEAST_COPIES
        ]
        return sorted(good) == sorted(SERVICES)

    await _until(well, wish)


async def _until(true: Callable[[], Awaitable[bool]], wish: Wish) -> None:
    while not await true():  # noqa: ASYNC110 - nothing here ever hears of it
        await asyncio.sleep(wish.poll_s)


@contextmanager
def _our_errors() -> Iterator[None]:
    """Turn what clients raise into words; what is not set up is said as everywhere."""
    try:
        yield
    except ClientError as error:
        raise RolloutFailed(
            f"Amazon refused {error.operation_name} ({code_of(error)}: "
            f"{error.response.get('Error', {}).get('Message', '')})."
        ) from error
    except BotoCoreError as error:
        raise RolloutFailed(f"Amazon cannot be reached ({type(error).__name__}).") from error
