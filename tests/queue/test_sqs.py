"""What is SQS's own: references without data, a relay that may die anywhere, the dead queue."""

import asyncio
import datetime as dt
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import pytest

from trackai.dispatch.backstop import Backstop
from trackai.errors import ConfigurationError, QueueUnavailable, StorageUnavailable
from trackai.model.clock import new_id
from trackai.queue.postgres import PostgresQueue
from trackai.queue.sqs import GRACE, IN_SQS, SENDING, SqsBounds, SqsQueue
from trackai.queue.sqs_client import MOST_RECEIVES, find_queue, open_sqs
from trackai.sandbox.platforms import SaleStatus
from trackai.storage.pool import Database, Role
from trackai.storage.queue_messages import QueuedDelivery, Share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.queue.conftest import Post
    from types_aiobotocore_sqs import SQSClient

SHARE = Share(destinations=10, each=100)
LEASED = "select count(*) as number from queue_messages where tenant_id = $1 and lease is not null"


class Killed(BaseException):
    """Where a process would have ended."""


class Cut:
    """A client whose process dies right before or right after a call."""

    def __init__(self, client: "SQSClient", call: str, *, after: bool) -> None:
        self._client = client
        self._call = call
        self._after = after

    def __getattr__(self, name: str) -> Any:
        if name != self._call:
            return getattr(self._client, name)

        async def cut(**arguments: object) -> None:
            if self._after:
                await getattr(self._client, name)(**arguments)
            raise Killed

        return cut


def _dying(post: "Post", call: str, *, after: bool) -> SqsQueue:
    client = cast("SQSClient", Cut(post.client, call, after=after))
    return SqsQueue(
        client, post.url, post.world.workers, post.world.clock, new_id, SqsBounds(long_poll_s=0)
    )


async def test_a_reference_holds_ids_and_nothing_else(post: "Post") -> None:
    (message,) = await post.put()
    await post.queue.relay(SHARE)
    (received,) = (await post.client.receive_message(QueueUrl=post.url))["Messages"]
    body = json.loads(received["Body"])

    assert set(body) == {"tenant", "delivery", "lease"}
    assert (str(message.tenant_id), str(message.delivery_id)) == (body["tenant"], body["delivery"])


async def test_batches_are_of_ten(post: "Post") -> None:
    await post.put(25)

    assert await post.queue.relay(SHARE) == 25
    assert len((await post.queue.receive(SHARE)).messages) == 25


@pytest.mark.parametrize("after", [False, True], ids=["before_sending", "after_sending"])
async def test_a_relay_killed_while_it_sends_loses_and_doubles_nothing(
    post: "Post",
    after: bool,  # noqa: FBT001 - a case
) -> None:
    messages = await post.put(3)
    with suppress(Killed):
        await _dying(post, "send_message_batch", after=after).relay(SHARE)
    post.world.clock.forward(seconds=SENDING.total_seconds())
    await post.queue.relay(SHARE)
    lease = await post.queue.receive(SHARE)
    await post.queue.acknowledge(lease, lease.messages)

    assert {one.delivery_id for one in messages} == {one.delivery_id for one in lease.messages}
    assert len(lease.messages) == 3
    assert (await post.queue.receive(SHARE)).messages == ()
    assert await post.visible() == 0


async def test_a_reference_that_sqs_loses_is_sent_again(post: "Post") -> None:
    (message,) = await post.put()
    await post.queue.relay(SHARE)
    await post.client.purge_queue(QueueUrl=post.url)
    post.world.clock.forward(seconds=IN_SQS.total_seconds())
    await post.queue.relay(SHARE)

    (received,) = (await post.queue.receive(SHARE)).messages
    assert message.delivery_id == received.delivery_id


async def test_a_worker_killed_after_its_commit_leaves_only_a_leftover(post: "Post") -> None:
    await post.put()
    await post.queue.relay(SHARE)
    dying = _dying(post, "delete_message_batch", after=False)
    lease = await dying.receive(SHARE)
    with suppress(Killed):
        await dying.acknowledge(lease, lease.messages)
    await post.client.change_message_visibility(
        QueueUrl=post.url,
        ReceiptHandle=lease.handles[lease.messages[0].delivery_id],
        VisibilityTimeout=0,
    )

    assert (await post.queue.receive(SHARE)).messages == ()
    assert await post.visible() == 0


async def test_what_sqs_redelivers_from_a_dead_worker_is_taken_over(post: "Post") -> None:
    await post.put()
    await post.queue.relay(SHARE)
    lease = await post.queue.receive(SHARE)
    # SQS's own clock cannot be moved: its message is made visible, the row's lease is near its end.
    post.world.clock.moment = lease.until - GRACE
    await post.client.change_message_visibility(
        QueueUrl=post.url,
        ReceiptHandle=lease.handles[lease.messages[0].delivery_id],
        VisibilityTimeout=0,
    )
    again = await post.queue.receive(SHARE)

    assert len(again.messages) == 1
    await post.queue.acknowledge(lease, lease.messages)
    assert [1] == [row["number"] for row in await post.world.rows(LEASED)]


async def test_a_message_twice_in_one_receive_is_one(post: "Post") -> None:
    await post.put()
    await post.queue.relay(SHARE)
    (message,) = (await post.client.receive_message(QueueUrl=post.url, VisibilityTimeout=0))[
        "Messages"
    ]
    await post.client.send_message(QueueUrl=post.url, MessageBody=message["Body"])
    lease = await post.queue.receive(SHARE)
    await post.queue.acknowledge(lease, lease.messages)

    assert len(lease.messages) == 1
    assert (await post.queue.receive(SHARE)).messages == ()


@pytest.mark.parametrize("body", ["hello", "{}", '{"tenant": "x"}', '{"delivery": 1}', "[1]"])
async def test_messages_that_are_not_ours_are_dropped(post: "Post", body: str) -> None:
    await post.client.send_message(QueueUrl=post.url, MessageBody=body)
    lease = await post.queue.receive(SHARE)

    assert lease.messages == ()
    assert await post.visible() == 0


async def test_a_destination_that_is_busy_here_gives_its_messages_back(post: "Post") -> None:
    (message,) = await post.put()
    await post.queue.relay(SHARE)
    lease = await post.queue.receive(Share(10, 100, [message.destination_id]))
    post.world.clock.forward(seconds=2)
    await post.queue.relay(SHARE)

    assert lease.messages == ()
    assert len((await post.queue.receive(SHARE)).messages) == 1


async def test_a_leftover_does_not_bring_a_retry_forward(post: "Post") -> None:
    await post.put()
    await post.queue.relay(SHARE)
    (leftover,) = (await post.client.receive_message(QueueUrl=post.url, VisibilityTimeout=0))[
        "Messages"
    ]
    lease = await post.queue.receive(SHARE)
    soon = post.world.clock.now() + dt.timedelta(seconds=20)
    await post.queue.postpone(lease, [(lease.messages[0], soon)])
    await post.client.send_message(QueueUrl=post.url, MessageBody=leftover["Body"])

    assert (await post.queue.receive(SHARE)).messages == ()


async def test_a_deletion_that_fails_undoes_nothing(post: "Post") -> None:
    await post.put()
    await post.queue.relay(SHARE)
    lease = await post.queue.receive(SHARE)
    await post.client.delete_queue(QueueUrl=post.url)
    await post.queue.acknowledge(lease, lease.messages)

    assert [] == list(await post.world.rows("select 1 from queue_messages where tenant_id = $1"))


async def test_a_flood_does_not_fill_the_queue(post: "Post") -> None:
    queue = SqsQueue(
        post.client, post.url, post.world.workers, post.world.clock, new_id, SqsBounds(crowd=20)
    )
    await post.put(30)
    other = await post.world.open_account("Outra loja")
    await post.put_all(
        [
            QueuedDelivery(other.tenant.id, new_id(), other.destination.id, post.world.clock.now())
            for _ in range(5)
        ]
    )

    sent = [await queue.relay(Share(destinations=1, each=20)) for _ in range(3)]

    assert sorted(sent) == [0, 5, 20]


@pytest.mark.parametrize("extended", [False, True])
async def test_extending_keeps_the_message_invisible_at_sqs(
    post: "Post",
    extended: bool,  # noqa: FBT001 - a case
) -> None:
    await post.put()
    await post.queue.relay(SHARE)
    lease = await post.queue.receive(SHARE)
    # SQS's own clock cannot be moved: the visibility is nearly over.
    await post.client.change_message_visibility(
        QueueUrl=post.url,
        ReceiptHandle=lease.handles[lease.messages[0].delivery_id],
        VisibilityTimeout=1,
    )
    if extended:
        await post.queue.extend(lease, lease.messages)
    await asyncio.sleep(1.2)

    assert await post.visible() == (0 if extended else 1)


# The dead queue ----------------------------------------------------------------------------------


async def _give_up(post: "Post", *, taken: bool = True) -> None:
    """Receive until SQS gives up, as workers do that die each time; the first takes it over."""
    if taken:
        lease = await post.queue.receive(SHARE)
        for handle in lease.handles.values():
            await post.client.change_message_visibility(
                QueueUrl=post.url, ReceiptHandle=handle, VisibilityTimeout=0
            )
        post.world.clock.forward(minutes=10)
    for _ in range(MOST_RECEIVES + 1):
        await post.client.receive_message(QueueUrl=post.url, VisibilityTimeout=0)
        await asyncio.sleep(0.01)


async def _sold(post: "Post") -> "Sequence[Any]":
    await post.world.tell("kiwify", post.world.sale("kiwify"), SaleStatus.APPROVED)
    return await post.world.rows("select id, status, reason from deliveries where tenant_id = $1")


async def test_what_sqs_gave_up_on_is_a_dead_letter(post: "Post") -> None:
    assert [row["status"] for row in await _sold(post)] == ["pending"]
    post.world.clock.forward(minutes=10)
    await post.queue.relay(SHARE)
    await _give_up(post)
    worked = await Backstop(post.world.workers, post.queue, post.dead_url, post.world.clock).step()
    after = await post.world.rows("select status, reason from deliveries where tenant_id = $1")

    assert worked
    assert [("dead", "workers_died")] == [tuple(row) for row in after]
    assert [] == list(await post.world.rows("select 1 from queue_messages where tenant_id = $1"))
    assert await post.visible(post.dead_url) == 0


async def test_what_was_settled_meanwhile_stays_as_it_is(post: "Post") -> None:
    await _sold(post)
    post.world.clock.forward(minutes=10)
    await post.queue.relay(SHARE)
    await _give_up(post)
    await post.world.rows(
        "update deliveries set status = 'accepted', settled_at = now(), next_at = null "
        "where tenant_id = $1"
    )
    await Backstop(post.world.workers, post.queue, post.dead_url, post.world.clock).step()
    after = await post.world.rows("select status from deliveries where tenant_id = $1")

    assert ["accepted"] == [row["status"] for row in after]


async def test_what_no_worker_ever_took_over_is_given_back(post: "Post") -> None:
    await _sold(post)
    await post.queue.relay(SHARE)
    await _give_up(post, taken=False)  # received again and again while the database was away
    await Backstop(post.world.workers, post.queue, post.dead_url, post.world.clock).step()
    after = await post.world.rows("select status, reason from deliveries where tenant_id = $1")
    relayed = await post.queue.relay(SHARE)

    assert [("pending", None)] == [tuple(row) for row in after]
    assert relayed == 1


async def test_what_waits_for_its_time_is_not_given_up(post: "Post") -> None:
    await _sold(post)
    await post.queue.relay(SHARE)
    lease = await post.queue.receive(SHARE)
    handles = dict(lease.handles)
    later = post.world.clock.now() + dt.timedelta(hours=1)
    # Given back in the table; SQS keeps its message, as when a deletion fails.
    await PostgresQueue(post.world.workers, post.world.clock, new_id).postpone(
        lease, [(one, later) for one in lease.messages]
    )
    for handle in handles.values():
        await post.client.change_message_visibility(
            QueueUrl=post.url, ReceiptHandle=handle, VisibilityTimeout=0
        )
    await _give_up(post, taken=False)
    await Backstop(post.world.workers, post.queue, post.dead_url, post.world.clock).step()
    after = await post.world.rows("select status from deliveries where tenant_id = $1")

    assert ["pending"] == [row["status"] for row in after]


async def test_nothing_is_received_while_the_database_is_away(post: "Post") -> None:
    await _sold(post)
    await post.queue.relay(SHARE)
    gone = await Database.connect(post.world.url, Role.PIPELINE, size=1)
    await gone.close()
    away = SqsQueue(post.client, post.url, gone, post.world.clock, new_id, SqsBounds(0))
    with pytest.raises(StorageUnavailable):
        await away.receive(SHARE)

    assert await post.visible() == 1


async def test_foreign_messages_in_the_dead_queue_bury_nothing(post: "Post") -> None:
    await post.client.send_message(QueueUrl=post.dead_url, MessageBody="hello")
    backstop = Backstop(post.world.workers, post.queue, post.dead_url, post.world.clock)

    assert await backstop.step()
    assert not await backstop.step()


# Amazon ------------------------------------------------------------------------------------------


async def test_a_queue_that_is_not_there_is_named_with_what_to_do(post: "Post") -> None:
    with pytest.raises(ConfigurationError, match="trackai queue create"):
        await find_queue(post.client, "no-such-queue")


async def test_the_redrive_is_amazons(post: "Post") -> None:
    found = await post.client.get_queue_attributes(QueueUrl=post.url, AttributeNames=["All"])
    redrive = json.loads(found["Attributes"]["RedrivePolicy"])

    assert redrive["maxReceiveCount"] == MOST_RECEIVES
    assert redrive["deadLetterTargetArn"].endswith(post.names.dead)


async def test_an_amazon_that_is_away_is_an_error_of_ours(
    amazon: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert amazon
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    async with open_sqs() as client:
        with pytest.raises(QueueUnavailable, match="cannot be reached"):
            await find_queue(client, "capi-dispatch")


async def test_what_amazon_refuses_waits_in_the_table(post: "Post") -> None:
    await post.put()
    await post.client.delete_queue(QueueUrl=post.url)
    with pytest.raises(QueueUnavailable, match="refused"):
        await post.queue.relay(SHARE)

    assert len(await post.world.rows("select 1 from queue_messages where tenant_id = $1")) == 1
