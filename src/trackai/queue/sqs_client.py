"""The client of Amazon SQS: opened, its two queues found or made, its errors in our words."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from trackai.aws import code_of, set_up
from trackai.errors import ConfigurationError, QueueUnavailable
from trackai.queue.port import LEASE

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.literals import QueueAttributeNameType

# Longest wait of a receive that finds nothing; a stopping worker waits as long.
LONG_POLL_S = 5
# Connections that a worker's receives, sends and deletes share.
CONNECTIONS = 32
# Deliveries whose workers die so often are left to people.
MOST_RECEIVES = 5
# SQS keeps what nobody takes for this long; the table is the authority anyway.
RETENTION_S = 4 * 24 * 3600


@dataclass(frozen=True, slots=True)
class SqsNames:
    """The two queues."""

    queue: str = "capi-dispatch"
    dead: str = "capi-dispatch-dlq"


@asynccontextmanager
async def open_sqs() -> AsyncIterator["SQSClient"]:
    """Open a client; endpoint, region and credentials come from the ordinary AWS settings."""
    config = AioConfig(
        connect_timeout=5,
        read_timeout=LONG_POLL_S + 10,
        retries={"total_max_attempts": 2},
        max_pool_connections=CONNECTIONS,
    )
    with our_errors():
        context = get_session().create_client("sqs", config=config)
        client = await context.__aenter__()
    try:
        yield client
    finally:
        await context.__aexit__(None, None, None)


async def find_queue(client: "SQSClient", name: str) -> str:
    """Return a queue's address; ConfigurationError when there is none."""
    try:
        return (await client.get_queue_url(QueueName=name))["QueueUrl"]
    except ClientError as error:
        if "NonExistentQueue" in code_of(error) or "QueueDoesNotExist" in code_of(error):
            raise ConfigurationError(
                f"Amazon SQS has no queue {name} in this account and region. "
                "Make both queues with: trackai queue create"
            ) from error
        raise QueueUnavailable(f"Amazon SQS refused ({code_of(error)}).") from error
    except BotoCoreError as error:
        raise QueueUnavailable(f"Amazon SQS cannot be reached ({type(error).__name__}).") from error


async def create_queues(client: "SQSClient", names: SqsNames) -> dict[str, str]:
    """Make both queues with the redrive between them; safe to repeat. Return name -> address."""
    retention: dict[QueueAttributeNameType, str] = {
        "MessageRetentionPeriod": str(RETENTION_S),
        "SqsManagedSseEnabled": "true",
    }
    with our_errors():
        dead = (await client.create_queue(QueueName=names.dead))["QueueUrl"]
        await client.set_queue_attributes(QueueUrl=dead, Attributes=retention)
        found = await client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
        url = (await client.create_queue(QueueName=names.queue))["QueueUrl"]
        redrive = {
            "deadLetterTargetArn": found["Attributes"]["QueueArn"],
            "maxReceiveCount": MOST_RECEIVES,
        }
        await client.set_queue_attributes(
            QueueUrl=url,
            Attributes={
                **retention,
                "VisibilityTimeout": str(int(LEASE.total_seconds())),
                "RedrivePolicy": msgspec.json.encode(redrive).decode(),
            },
        )
    return {names.queue: url, names.dead: dead}


@contextmanager
def our_errors() -> Iterator[None]:
    """Turn what the client raises into QueueUnavailable, or ConfigurationError."""
    try:
        with set_up("Amazon SQS"):
            yield
    except ClientError as error:
        raise QueueUnavailable(f"Amazon SQS refused ({code_of(error)}).") from error
    except (BotoCoreError, OSError) as error:
        raise QueueUnavailable(f"Amazon SQS cannot be reached ({type(error).__name__}).") from error


async def load_redrive(client: "SQSClient", url: str, dead_url: str) -> int | None:
    """Return after how many tries a queue gives up to the other; None when it never does."""
    with our_errors():
        found = await client.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
        dead = await client.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])
    text = found.get("Attributes", {}).get("RedrivePolicy", "")
    policy = msgspec.json.decode(text) if text else {}
    if policy.get("deadLetterTargetArn") != dead["Attributes"]["QueueArn"]:
        return None
    return int(policy["maxReceiveCount"])
