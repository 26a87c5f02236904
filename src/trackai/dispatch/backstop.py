"""Job: what SQS gave up on becomes a dead letter, with that as its reason.

SQS gives up on a message that was received too often and never deleted: its workers died. The
dead letter is the row in deliveries; the message in the dead queue is removed once it is written.
"""

from trackai.model.clock import Clock
from trackai.queue.sqs import SqsQueue
from trackai.storage import deliveries, queue_messages
from trackai.storage.pool import Database
from trackai.telemetry.logging import get_logger

REASON = "workers_died"


class Backstop:
    """Empties the dead queue into the table."""

    def __init__(self, database: Database, queue: SqsQueue, dead_url: str, clock: Clock) -> None:
        self._database = database
        self._queue = queue
        self._dead_url = dead_url
        self._clock = clock

    async def step(self) -> bool:
        """Write some down; False when there was nothing."""
        references = await self._queue.receive_dead(self._dead_url)
        if not references:
            return False
        keys = sorted({one.ids for one in references if one.ids is not None})
        async with self._database.transaction() as tx:
            number = await deliveries.bury_all_tenants(
                tx, keys, reason=REASON, now=self._clock.now()
            )
            await queue_messages.forget_all_tenants(tx, keys)
        get_logger().warning("delivery.buried", reason=REASON, number=number)
        await self._queue.forget_dead(self._dead_url, references)
        return True
