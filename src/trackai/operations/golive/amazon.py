"""What Amazon says where it keeps the logs and calls people: CloudWatch's groups and alarms.

Credentials, region and endpoint are the ordinary AWS settings. Needed are logs:DescribeLogGroups,
logs:FilterLogEvents and what `trackai cloudwatch states` needs.
"""

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import msgspec
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from trackai.alarms.catalogue import watched
from trackai.alarms.cloudwatch import open_cloudwatch
from trackai.alarms.engines.cloudwatch import Place as Environment
from trackai.alarms.engines.cloudwatch import Wish, metric_alarms
from trackai.alarms.message import words_of
from trackai.aws import code_of, set_up
from trackai.errors import CloudWatchUnavailable
from trackai.model.alarm import Severity
from trackai.model.golive import Evidence
from trackai.operations.golive.look import Look

if TYPE_CHECKING:
    from types_aiobotocore_logs import CloudWatchLogsClient

HOUR = dt.timedelta(hours=1)
# Lines that hold the word are read to the end; so many pages are enough to know that there are any.
MOST_PAGES = 50


async def logs(look: Look, groups: str) -> Evidence:
    """Look for lines of the last hour in each group whose name begins so."""
    found, newest = 0, None
    async with _client() as client:
        names = await _groups(client, groups)
        for name in names:
            last = await _newest(client, name, look.clock.now() - HOUR)
            if last is not None:
                found, newest = found + 1, max(last, newest or last)
    if newest is None:
        return look.bad("logs_none", place=groups)
    return look.good("logs_groups_ok", newest, groups=len(names), found=found)


async def critical(look: Look, groups: str) -> Evidence:
    """Look for CRITICAL lines of the last hour in each of them."""
    number, event = 0, "-"
    async with _client() as client:
        names = await _groups(client, groups)
        for name in names:
            async for line in _lines(client, name, look.clock.now() - HOUR, '"critical"'):
                if line.get("level") == "critical":
                    number, event = number + 1, str(line.get("event", "-"))[:80]
    if not names:
        return look.bad("logs_none", place=groups)
    if number:
        return look.bad("critical_found", number=number, event=event)
    return look.good("critical_groups_ok", groups=len(names))


async def pager(look: Look) -> Evidence:
    """Ask whether every alarm is at CloudWatch, and those that are critical tell somebody."""
    place = look.place
    wish = Wish(
        Environment(place.environment, place.base_url),
        watched(production=place.production),
        words_of("en"),
    )
    wanted = [one["AlarmName"] for one in metric_alarms(wish)]
    # The last one says that nobody looks at alarms any more: as bad as can be.
    severities = [*(one.severity for one in wish.alarms.values()), Severity.CRITICAL]
    async with open_cloudwatch() as there:
        told = await there.told(wish)
    missing = [name for name in wanted if name not in told]
    silent = [
        name
        for name, severity in zip(wanted, severities, strict=True)
        if severity is Severity.CRITICAL and not told.get(name)
    ]
    if missing:
        return look.bad("pager_cloudwatch_lacks", missing=len(missing), alarms=len(wanted))
    if silent:
        return look.bad("pager_cloudwatch_silent", silent=len(silent))
    topics = {topic for one in told.values() for topic in one}
    return look.good("pager_cloudwatch_ok", alarms=len(wanted), topics=len(topics))


@asynccontextmanager
async def _client() -> AsyncIterator["CloudWatchLogsClient"]:
    config = AioConfig(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3})
    with _our_errors():
        async with get_session().create_client("logs", config=config) as client:
            yield client


async def _groups(client: "CloudWatchLogsClient", prefix: str) -> list[str]:
    answer = await client.describe_log_groups(logGroupNamePrefix=prefix)
    return [one["logGroupName"] for one in answer["logGroups"]]


async def _newest(
    client: "CloudWatchLogsClient", group: str, since: dt.datetime
) -> dt.datetime | None:
    """Return the time of a line since then; the first page that has any will do."""
    pages = client.get_paginator("filter_log_events")
    number = 0
    async for page in pages.paginate(logGroupName=group, startTime=_ms(since)):
        if page["events"]:
            last = max(one["timestamp"] for one in page["events"])
            return dt.datetime.fromtimestamp(last / 1000, dt.UTC)
        number += 1
        if number >= MOST_PAGES:
            break
    return None


async def _lines(
    client: "CloudWatchLogsClient", group: str, since: dt.datetime, pattern: str
) -> AsyncIterator[dict[str, object]]:
    """Yield lines that are JSON and hold a word."""
    pages = client.get_paginator("filter_log_events")
    asked = pages.paginate(logGroupName=group, startTime=_ms(since), filterPattern=pattern)
    async for page in asked:
        for one in page["events"]:
            try:
                yield msgspec.json.decode(one["message"], type=dict[str, object])
            except msgspec.DecodeError:
                continue


def _ms(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        with set_up("CloudWatch Logs"):
            yield
    except ClientError as error:
        raise CloudWatchUnavailable(f"Amazon refused ({code_of(error)}).") from error
    except (BotoCoreError, OSError) as error:
        kind = type(error).__name__
        raise CloudWatchUnavailable(f"CloudWatch Logs cannot be reached ({kind}).") from error
