"""Job: leased messages to attempts, recorded, then acknowledged.

1. Lease due messages; load the deliveries they name. What is settled already is acknowledged.
2. Group by destination; send each group in requests as large as the destination takes.
3. Record every try and what each delivery becomes, in one transaction a request.
4. Acknowledge what is settled, give the rest back until its time.

A crash before 3 sends the group again under the same event ids; a crash between 3 and 4 only
acknowledges again. Cancelled in mid-request (shutdown): nothing is recorded, the lease runs out.
"""

import asyncio
import datetime as dt
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.destinations.port import Destination
from trackai.dispatch.record import Batch, Tried, record
from trackai.dispatch.retry import Next, RetryAt, Standing, next_step
from trackai.model.clock import Clock, NewId
from trackai.model.delivery import CallFacts, Deferred, Outcome
from trackai.model.tenant import DestinationAccount
from trackai.queue.port import Lease, Queue
from trackai.storage import deliveries, destinations
from trackai.storage.deliveries import Owed
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database
from trackai.storage.queue_messages import ClaimedDelivery

# Most messages taken at once; Meta takes 1000 events a request.
CLAIM_LIMIT = 1000
# One group may take this long, well inside the queue's lease.
SEND_TIMEOUT_S = 90.0
# When a destination's account is gone or of an unknown kind: look again after this.
UNROUTABLE_PAUSE_S = 300.0


@dataclass(frozen=True, slots=True)
class DispatchTools:
    """What dispatching needs; wired once by the worker."""

    database: Database
    envelope: Envelope
    queue: Queue
    destinations: Mapping[str, Destination]
    clock: Clock
    new_id: NewId
    concurrency: int = 4


class Dispatcher:
    """Sends what is due; several may run, in one process or many."""

    def __init__(self, tools: DispatchTools) -> None:
        self._tools = tools
        self._slots = asyncio.Semaphore(tools.concurrency)
        # Jitter needs no secrecy.
        self._random = random.Random()  # noqa: S311

    async def step(self) -> bool:
        """Send one lease's worth; False when nothing was due."""
        lease = await self._tools.queue.receive(CLAIM_LIMIT)
        if not lease.messages:
            return False
        owed, accounts = await self._load(lease)
        settled = [message for message in lease.messages if message.delivery_id not in owed]
        await self._tools.queue.acknowledge(lease, settled)
        # Not a task group: one destination's trouble must not cancel another's request.
        results = await asyncio.gather(
            *(
                self._deliver(lease, accounts.get(destination_id), chunk, owed)
                for destination_id, messages in _by_destination(lease, owed).items()
                for chunk in self._chunks(accounts.get(destination_id), messages)
            ),
            return_exceptions=True,
        )
        for failure in results:
            if failure is not None:
                raise failure
        return True

    async def _load(self, lease: Lease) -> tuple[dict[UUID, Owed], dict[UUID, DestinationAccount]]:
        async with self._tools.database.transaction() as tx:
            found = await deliveries.load_owed_all_tenants(
                tx,
                self._tools.envelope,
                [(message.tenant_id, message.delivery_id) for message in lease.messages],
            )
            accounts = await destinations.load_destinations_all_tenants(
                tx,
                self._tools.envelope,
                sorted({(one.tenant_id, one.destination_id) for one in found}),
            )
        return {one.event.delivery_id: one for one in found}, accounts

    def _chunks(
        self, account: DestinationAccount | None, messages: list[ClaimedDelivery]
    ) -> list[list[ClaimedDelivery]]:
        destination = self._tools.destinations.get(account.kind) if account else None
        size = destination.batch_limit if destination else len(messages)
        return [messages[start : start + size] for start in range(0, len(messages), size)]

    async def _deliver(
        self,
        lease: Lease,
        account: DestinationAccount | None,
        messages: Sequence[ClaimedDelivery],
        owed: Mapping[UUID, Owed],
    ) -> None:
        batch = [owed[message.delivery_id] for message in messages]
        async with self._slots:
            outcomes = await self._send(account, batch)
        now = self._tools.clock.now()
        tried = [
            Tried(one, outcome, self._next(one, outcome, now))
            for one, outcome in zip(batch, outcomes, strict=True)
        ]
        kind = account.kind if account else "unknown"
        await record(
            self._tools.database, Batch(self._tools.new_id(), kind, now, tried), self._tools.new_id
        )
        await self._settle(lease, messages, [one.step for one in tried])

    async def _send(
        self, account: DestinationAccount | None, batch: Sequence[Owed]
    ) -> list[Outcome]:
        destination = self._tools.destinations.get(account.kind) if account else None
        if account is None or destination is None:
            facts = CallFacts(batch_size=len(batch))
            reason = "destination_gone" if account is None else "destination_unknown"
            return [Deferred(reason, facts, retry_after_s=UNROUTABLE_PAUSE_S) for _ in batch]
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                return await destination.send(account, [one.event for one in batch])
        except TimeoutError:
            return [Deferred("timeout", CallFacts(batch_size=len(batch))) for _ in batch]

    def _next(self, owed: Owed, outcome: Outcome, now: dt.datetime) -> Next:
        standing = Standing(owed.attempts + 1, owed.event.event_time, now)
        return next_step(outcome, standing, self._random.random())

    async def _settle(
        self, lease: Lease, messages: Sequence[ClaimedDelivery], steps: Sequence[Next]
    ) -> None:
        pairs = list(zip(messages, steps, strict=True))
        done = [message for message, step in pairs if not isinstance(step, RetryAt)]
        later = [(message, step.at) for message, step in pairs if isinstance(step, RetryAt)]
        await self._tools.queue.acknowledge(lease, done)
        await self._tools.queue.postpone(lease, later)


def _by_destination(lease: Lease, owed: Mapping[UUID, Owed]) -> dict[UUID, list[ClaimedDelivery]]:
    groups: defaultdict[UUID, list[ClaimedDelivery]] = defaultdict(list)
    for message in lease.messages:
        if message.delivery_id in owed:
            groups[owed[message.delivery_id].destination_id].append(message)
    return groups
