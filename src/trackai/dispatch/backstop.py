"""Job: what SQS gave up on becomes a dead letter, with that as its reason.

SQS gives up on a message that was received too often and never deleted. When a worker had taken it
over, its workers died of it: the row in deliveries becomes a dead letter. When none ever had (the
database was away), it is given back. The message in the dead queue is removed once that is written.
"""

from trackai.model.clock import Clock
from trackai.queue.sqs import GRACE, SqsQueue
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
        named = [one.named for one in references if one.named is not None]
        now = self._clock.now()
        async with self._database.transaction() as tx:
            # The delivery's row first, as everybody does who ends or revives one.
            await deliveries.lock_all_tenants(
                tx, [(one.tenant_id, one.delivery_id) for one in named]
            )
            given_back = await queue_messages.give_back_all_tenants(tx, named, now=now)
            keys = await queue_messages.abandon_all_tenants(tx, named, run_out=now + GRACE)
            buried = await deliveries.bury_all_tenants(tx, keys, reason=REASON, now=now)
        get_logger().warning("delivery.buried", reason=REASON, number=buried, given_back=given_back)
        await self._queue.forget_dead(self._dead_url, references)
        return True
