"""What every queue engine keeps, whatever it is made of. A new engine is one more parameter."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import pytest
from tests.support.world import World, open_world
from typing_extensions import override

from trackai.model.clock import new_id
from trackai.queue.postgres import PostgresQueue
from trackai.queue.sqs import SqsBounds, SqsLease, SqsQueue
from trackai.queue.sqs_client import SqsNames, create_queues, open_sqs
from trackai.storage.held import (
    HeldDestination,
    list_held_destinations_all_tenants,
    release_messages,
)
from trackai.storage.queue_messages import QueuedDelivery, Share
from trackai.storage.wakeups import Channel, Wakeups

if TYPE_CHECKING:
    from trackai.queue.port import Lease, Queue
    from trackai.storage.pool import Database

WAIT_S = 120.0
POLL_S = 0.01


@dataclass
class Counter:
    """A queue, the database its messages commit with, and the clock it goes by."""

    queue: "Queue"
    world: World
    database: "Database"

    async def put(self, *messages: QueuedDelivery) -> None:
        async with self.database.transaction() as tx:
            await self.queue.enqueue(tx, messages)

    def message(self, *, due_in: dt.timedelta = dt.timedelta()) -> QueuedDelivery:
        account = self.world.account
        due = self.world.clock.now() + due_in
        return QueuedDelivery(account.tenant.id, new_id(), account.destination.id, due)


class RelayedQueue(SqsQueue):
    """SQS with its relay run before each receive, as the worker runs it all the time."""

    @override
    async def receive(self, share: Share) -> SqsLease:
        """Relay what is due, then receive."""
        await self.relay(share)
        return await super().receive(share)


@pytest.fixture(params=["postgres", "sqs"])
async def counter(
    request: pytest.FixtureRequest, fresh_database_url: str
) -> AsyncIterator[Counter]:
    async with open_world(fresh_database_url) as world, AsyncExitStack() as stack:
        queue: Queue = PostgresQueue(world.workers, world.clock, new_id)
        if request.param == "sqs":
            request.getfixturevalue("amazon")
            client = await stack.enter_async_context(open_sqs())
            urls = await create_queues(client, names := SqsNames(f"q-{new_id()}", f"d-{new_id()}"))
            queue = RelayedQueue(
                client,
                urls[names.queue],
                world.workers,
                world.clock,
                new_id,
                SqsBounds(long_poll_s=0),
            )
        yield Counter(queue, world, world.workers)


def share(each: int) -> Share:
    return Share(destinations=10, each=each)


def ids(lease: "Lease") -> list[UUID]:
    return [message.delivery_id for message in lease.messages]


def ids_of(messages: Sequence[QueuedDelivery]) -> list[UUID]:
    return [message.delivery_id for message in messages]


async def test_nothing_due_is_an_empty_lease(counter: Counter) -> None:
    assert (await counter.queue.receive(share(10))).messages == ()


async def test_what_was_put_is_received_with_its_facts(counter: Counter) -> None:
    await counter.put(message := counter.message())
    (received,) = (await counter.queue.receive(share(10))).messages

    assert (message.tenant_id, message.delivery_id, message.destination_id, 1) == (
        received.tenant_id,
        received.delivery_id,
        received.destination_id,
        received.receives,
    )


async def test_a_message_comes_with_the_commit_or_not_at_all(counter: Counter) -> None:
    with suppress(KeyError):
        async with counter.database.transaction() as tx:
            await counter.queue.enqueue(tx, [counter.message()])
            raise KeyError
    rolled_back = await counter.queue.receive(share(10))
    async with counter.database.transaction() as tx:
        await counter.queue.enqueue(tx, [counter.message()])
        uncommitted = await counter.queue.receive(share(10))

    assert ids(rolled_back) == []
    assert ids(uncommitted) == []
    assert len(ids(await counter.queue.receive(share(10)))) == 1


async def test_putting_the_same_again_is_one_message(counter: Counter) -> None:
    await counter.put(message := counter.message())
    await counter.put(message)

    assert len(ids(await counter.queue.receive(share(10)))) == 1


async def test_a_message_waits_for_its_time(counter: Counter) -> None:
    await counter.put(counter.message(due_in=dt.timedelta(seconds=30)))
    early = await counter.queue.receive(share(10))
    counter.world.clock.forward(seconds=30)

    assert ids(early) == []
    assert len(ids(await counter.queue.receive(share(10)))) == 1


async def test_what_is_held_comes_when_it_is_released_and_not_before(counter: Counter) -> None:
    await counter.put(*(counter.message() for _ in range(3)))
    lease, account = await counter.queue.receive(share(10)), counter.world.account
    await counter.queue.hold(lease, lease.messages)
    counter.world.clock.forward(days=30)
    early, now = await counter.queue.receive(share(10)), counter.world.clock.now()
    destination = HeldDestination(account.tenant.id, account.destination.id, "meta")
    async with counter.database.transaction() as tx:
        waiting = await list_held_destinations_all_tenants(tx)
        released = await release_messages(tx, destination, most=2, now=now)
    after = await counter.queue.receive(share(10))

    assert ([], [destination], 2) == (ids(early), waiting, released)
    assert set(ids(after)) < set(ids(lease))
    assert 2 == len(ids(after))


async def test_a_lease_that_is_over_holds_nothing(counter: Counter) -> None:
    await counter.put(counter.message())
    lost = await counter.queue.receive(share(10))
    counter.world.clock.forward(minutes=20)
    lease = await counter.queue.receive(share(10))
    await counter.queue.hold(lost, lost.messages)
    await counter.queue.postpone(
        lease, [(one, counter.world.clock.now()) for one in lease.messages]
    )

    assert ids(lease) == ids(await counter.queue.receive(share(10)))


async def test_the_oldest_come_first_and_no_more_than_asked_for(counter: Counter) -> None:
    messages = [counter.message(due_in=dt.timedelta(seconds=-n)) for n in range(5)]
    await counter.put(*messages)
    first, second = await counter.queue.receive(share(2)), await counter.queue.receive(share(10))

    assert set(ids_of(messages[3:])) == set(ids(first))
    assert set(ids_of(messages[:3])) == set(ids(second))


async def test_no_message_is_handed_out_twice_while_leased(counter: Counter) -> None:
    await counter.put(*(counter.message() for _ in range(60)))
    leases = await asyncio.gather(*(counter.queue.receive(share(10)) for _ in range(12)))
    handed_out = [one for lease in leases for one in ids(lease)]

    assert len(handed_out) == len(set(handed_out))
    rest = [one for lease in [await counter.queue.receive(share(100))] for one in ids(lease)]
    assert len(handed_out) + len(rest) == 60


async def test_acknowledged_messages_are_gone(counter: Counter) -> None:
    await counter.put(*(counter.message() for _ in range(3)))
    lease = await counter.queue.receive(share(10))
    await counter.queue.acknowledge(lease, lease.messages[:2])
    counter.world.clock.moment = lease.until

    assert ids(lease)[2:] == ids(await counter.queue.receive(share(10)))


async def test_an_unsettled_message_comes_back_when_its_lease_ends(counter: Counter) -> None:
    await counter.put(counter.message())
    lease = await counter.queue.receive(share(10))
    counter.world.clock.moment = lease.until - dt.timedelta(seconds=1)
    early = await counter.queue.receive(share(10))
    counter.world.clock.moment = lease.until
    again = await counter.queue.receive(share(10))

    assert ids(early) == []
    assert ids(lease) == ids(again)
    assert again.messages[0].receives == 2


async def test_a_postponed_message_comes_back_at_its_time(counter: Counter) -> None:
    await counter.put(counter.message())
    lease = await counter.queue.receive(share(10))
    at = counter.world.clock.now() + dt.timedelta(seconds=5)
    await counter.queue.postpone(lease, [(lease.messages[0], at)])
    early = await counter.queue.receive(share(10))
    counter.world.clock.moment = at

    assert ids(early) == []
    assert ids(lease) == ids(await counter.queue.receive(share(10)))


async def test_an_extended_lease_is_kept_and_then_ends(counter: Counter) -> None:
    await counter.put(counter.message())
    lease = await counter.queue.receive(share(10))
    counter.world.clock.moment = lease.until - dt.timedelta(seconds=1)
    await counter.queue.extend(lease, lease.messages)
    counter.world.clock.moment = lease.until + dt.timedelta(seconds=10)
    kept = await counter.queue.receive(share(10))
    counter.world.clock.forward(minutes=10)

    assert ids(kept) == []
    assert ids(lease) == ids(await counter.queue.receive(share(10)))


async def test_a_lease_that_was_taken_over_cannot_be_extended(counter: Counter) -> None:
    await counter.put(counter.message())
    old = await counter.queue.receive(share(10))
    counter.world.clock.moment = old.until
    new = await counter.queue.receive(share(10))
    await counter.queue.extend(old, old.messages)
    await counter.queue.acknowledge(new, new.messages)
    counter.world.clock.forward(minutes=10)

    assert ids(await counter.queue.receive(share(10))) == []


@pytest.mark.parametrize("settle", ["acknowledge", "postpone"])
async def test_a_lease_that_ended_settles_nothing(counter: Counter, settle: str) -> None:
    await counter.put(counter.message())
    old = await counter.queue.receive(share(10))
    counter.world.clock.moment = old.until
    new = await counter.queue.receive(share(10))
    if settle == "acknowledge":
        await counter.queue.acknowledge(old, old.messages)
    else:
        at = counter.world.clock.now() + dt.timedelta(days=1)
        await counter.queue.postpone(old, [(old.messages[0], at)])
    counter.world.clock.moment = new.until

    assert ids(new) == ids(await counter.queue.receive(share(10)))


async def test_hastened_messages_are_due_now(counter: Counter) -> None:
    held = counter.message(due_in=dt.timedelta(seconds=90))
    await counter.put(held)
    async with counter.database.transaction() as tx:
        await counter.queue.hasten(
            tx,
            tenant_id=held.tenant_id,
            delivery_ids=[held.delivery_id],
            now=counter.world.clock.now(),
        )

    assert [held.delivery_id] == ids(await counter.queue.receive(share(10)))


async def test_hastening_leaves_alone_what_somebody_has_received(counter: Counter) -> None:
    await counter.put(message := counter.message())
    lease = await counter.queue.receive(share(10))
    async with counter.database.transaction() as tx:
        await counter.queue.hasten(
            tx,
            tenant_id=message.tenant_id,
            delivery_ids=[message.delivery_id],
            now=counter.world.clock.now(),
        )
    second = await counter.queue.receive(share(10))
    at = counter.world.clock.now() + dt.timedelta(minutes=5)
    await counter.queue.postpone(lease, [(lease.messages[0], at)])

    assert ids(second) == []
    assert ids(await counter.queue.receive(share(10))) == []


LISTENS = """
select count(*) from pg_stat_activity where datname = current_database() and state = 'idle'
  and query ilike 'listen%trackai_deliveries%'
"""


async def test_putting_wakes_those_who_wait(counter: Counter) -> None:
    async with Wakeups(counter.world.url) as wakeups:
        await _until_it_listens(counter.world.url)
        waiting = asyncio.create_task(wakeups.wait(Channel.DELIVERIES, timeout_s=WAIT_S))
        await asyncio.sleep(0)
        await counter.put(counter.message())
        async with asyncio.timeout(WAIT_S / 2):
            await waiting


async def _until_it_listens(url: str) -> None:
    connection = await asyncpg.connect(url)
    for _ in range(round(WAIT_S / POLL_S)):
        if await connection.fetchval(LISTENS):
            break
        await asyncio.sleep(POLL_S)
    await connection.close()
