"""Alarms and dashboard at Amazon CloudWatch: looked at, and brought to what there shall be.

Only what has our prefix and our tag is ever changed or deleted. What has to change is decided in
engines/cloudwatch_plan.py; safe to repeat, and whoever dies in the middle repeats it.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from trackai.alarms.engines.cloudwatch import OWNER_TAG, Wish
from trackai.alarms.engines.cloudwatch_dashboard import Account
from trackai.alarms.engines.cloudwatch_plan import Plan, There, plan_of
from trackai.aws import code_of, set_up
from trackai.errors import CloudWatchUnavailable, ConfigurationError

if TYPE_CHECKING:
    from types_aiobotocore_cloudwatch import CloudWatchClient

# Everything together; a hundred calls that are each slow.
LONGEST_S = 180.0
# Tries of a call, with growing pauses between: what is throttled comes through.
TRIES = 5
# Names that one DeleteAlarms takes.
MOST_DELETED = 100
_DENIED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized")
_UNKNOWN = re.compile(r"InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|ExpiredToken")
_THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded")
_NOT_FOUND = re.compile(r"ResourceNotFound|DashboardNotFound")


@dataclass(frozen=True, slots=True)
class CloudWatch:
    """A client, and whose account it works in."""

    client: "CloudWatchClient"
    account: Account

    async def plan(self, wish: Wish) -> Plan:
        """Return what has to change."""
        with _our_errors():
            alarms = await self._alarms(wish.place.prefix)
            ours = {
                name
                for name, alarm in alarms.items()
                if await self._owner(alarm["AlarmArn"]) == wish.place.owner
            }
            dashboard = await self._dashboard(wish.place.dashboard)
        return plan_of(wish, self.account, There(alarms, frozenset(ours), dashboard))

    async def apply(self, wish: Wish, plan: Plan) -> list[str]:
        """Change it; return what CloudWatch remarks on the dashboard."""
        with _our_errors():
            for alarm in plan.put:
                await self.client.put_metric_alarm(**alarm)  # type: ignore[arg-type]  # literals
            remarks: Sequence[Mapping[str, Any]] = ()
            if plan.dashboard is not None:
                body = msgspec.json.encode(plan.dashboard).decode()
                answer = await self.client.put_dashboard(
                    DashboardName=wish.place.dashboard, DashboardBody=body
                )
                remarks = answer.get("DashboardValidationMessages", ())
            for first in range(0, len(plan.delete), MOST_DELETED):
                names = list(plan.delete[first : first + MOST_DELETED])
                await self.client.delete_alarms(AlarmNames=names)
        return [str(one.get("Message")) for one in remarks]

    async def states(self, wish: Wish) -> dict[str, str]:
        """Return how each of our alarms stands there, by name."""
        with _our_errors():
            alarms = await self._alarms(wish.place.prefix)
        return {name: str(alarm["StateValue"]) for name, alarm in alarms.items()}

    async def told(self, wish: Wish) -> dict[str, list[str]]:
        """Return whom each of our alarms there tells, by name; nobody while its actions are off."""
        with _our_errors():
            alarms = await self._alarms(wish.place.prefix)
        return {
            name: [str(one) for one in alarm["AlarmActions"]] if alarm["ActionsEnabled"] else []
            for name, alarm in alarms.items()
        }

    async def _alarms(self, prefix: str) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        pages = self.client.get_paginator("describe_alarms")
        async for page in pages.paginate(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm"]):
            found.update({one["AlarmName"]: one for one in page["MetricAlarms"]})
        return found

    async def _owner(self, arn: str) -> str | None:
        tags = (await self.client.list_tags_for_resource(ResourceARN=arn))["Tags"]
        return next((one["Value"] for one in tags if one["Key"] == OWNER_TAG), None)

    async def _dashboard(self, name: str) -> object:
        try:
            found = await self.client.get_dashboard(DashboardName=name)
        except ClientError as error:
            if _NOT_FOUND.search(code_of(error)):
                return None
            raise
        try:
            return msgspec.json.decode(found["DashboardBody"])
        except msgspec.DecodeError:
            return "not JSON"


@asynccontextmanager
async def open_cloudwatch() -> AsyncIterator[CloudWatch]:
    """Open a client; endpoint, region and credentials come from the ordinary AWS settings."""
    config = AioConfig(
        connect_timeout=5,
        read_timeout=20,
        retries={"total_max_attempts": TRIES, "mode": "standard"},
    )
    session = get_session()
    try:
        async with asyncio.timeout(LONGEST_S):
            with _our_errors():
                async with session.create_client("sts", config=config) as sts:
                    who = await sts.get_caller_identity()
                context = session.create_client("cloudwatch", config=config)
                client = await context.__aenter__()
            try:
                partition = who["Arn"].split(":")[1]
                account = Account(client.meta.region_name, who["Account"], partition)
                yield CloudWatch(client, account)
            finally:
                await context.__aexit__(None, None, None)
    except TimeoutError as error:
        raise CloudWatchUnavailable(
            f"Amazon CloudWatch took longer than {LONGEST_S:.0f} s. Run it again: it goes on where "
            "it was."
        ) from error


@contextmanager
def _our_errors() -> Iterator[None]:
    """Turn what the client raises into CloudWatchUnavailable, or ConfigurationError."""
    try:
        with set_up("CloudWatch"):
            yield
    except ClientError as error:
        raise _refused(error) from error
    except (BotoCoreError, OSError) as error:
        raise CloudWatchUnavailable(
            f"Amazon CloudWatch cannot be reached ({type(error).__name__})."
        ) from error


def _refused(error: ClientError) -> Exception:
    code, deed = code_of(error), error.operation_name
    if _UNKNOWN.search(code):
        return ConfigurationError(
            f"Amazon does not take these credentials ({code}). Are they of this account, and still "
            "valid?"
        )
    # What stands between may refuse in words of its own.
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if _DENIED.search(code) or status == HTTPStatus.FORBIDDEN:
        return ConfigurationError(
            f"These credentials may not do {deed} ({code}). What they must be allowed is in "
            "docs/alarms.md, under CloudWatch."
        )
    if _THROTTLED.search(code):
        return CloudWatchUnavailable(
            f"Amazon throttled {deed} {TRIES} times. Wait a minute and run it again."
        )
    return CloudWatchUnavailable(f"Amazon refused {deed} ({code}).")
