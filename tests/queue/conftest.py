"""Two queues at a stand-in for Amazon SQS, a tenant's deliveries, and the relay between."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.support.world import World, open_world

from trackai.model.clock import new_id
from trackai.queue.sqs import SqsBounds, SqsQueue
from trackai.queue.sqs_client import SqsNames, create_queues, open_sqs
from trackai.storage.queue_messages import QueuedDelivery

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient


@dataclass
class Post:
    """A world whose queue is at Amazon."""

    world: World
    client: "SQSClient"
    names: SqsNames
    url: str
    dead_url: str
    queue: SqsQueue

    async def put(self, count: int = 1) -> list[QueuedDelivery]:
        """Owe so many messages, due now."""
        account, now = self.world.account, self.world.clock.now()
        messages = [
            QueuedDelivery(account.tenant.id, new_id(), account.destination.id, now)
            for _ in range(count)
        ]
        await self.put_all(messages)
        return messages

    async def put_all(self, messages: Sequence[QueuedDelivery]) -> None:
        """Owe these."""
        async with self.world.workers.transaction() as tx:
            await self.queue.enqueue(tx, messages)

    async def visible(self, url: str | None = None) -> int:
        """Return how many messages wait in SQS."""
        found = await self.client.get_queue_attributes(
            QueueUrl=url or self.url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(found["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture
async def post(amazon: dict[str, str], fresh_database_url: str) -> AsyncIterator[Post]:
    assert amazon
    names = SqsNames(f"q-{new_id()}", f"d-{new_id()}")
    async with open_world(fresh_database_url) as world, open_sqs() as client:
        urls = await create_queues(client, names)
        url, dead = urls[names.queue], urls[names.dead]
        queue = SqsQueue(client, url, world.workers, world.clock, new_id, SqsBounds(long_poll_s=0))
        yield Post(world, client, names, url, dead, queue)
