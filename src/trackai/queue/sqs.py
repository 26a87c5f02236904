"""Amazon SQS: hands references out to many workers. The table queue_messages stays the authority.

The relay leases due rows and sends a reference for each: ids, never data. A worker that receives
one takes the row over, so whatever SQS repeats, reorders or loses, a delivery is worked on by one
at a time and none is forgotten: a row whose lease runs out is sent once more. Retries wait in the
table, where a pause has no bound, and use up none of the queue's receives.

Facts: Amazon SQS API reference and developer guide (2026): at most 10 messages a call, long polling
up to 20 s, visibility up to 12 h, redrive by maxReceiveCount.
"""

import asyncio
import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import msgspec

from trackai.errors import QueueUnavailable
from trackai.model.clock import Clock, NewId
from trackai.queue.port import LEASE, Lease
from trackai.queue.sqs_client import LONG_POLL_S, our_errors
from trackai.storage import queue_messages
from trackai.storage.held import hold_messages_all_tenants
from trackai.storage.pool import Database, Tx
from trackai.storage.queue_messages import ClaimedDelivery, Named, QueuedDelivery, Share
from trackai.telemetry.logging import get_logger

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import MessageTypeDef

T = TypeVar("T")

# SQS's bound of every call.
BATCH = 10
# Receives under way side by side when one worker has much room.
RECEIVES = 8
# How long a reference may stay in SQS before its row is sent once more.
IN_SQS = dt.timedelta(minutes=15)
# A relay that dies while it sends gives its rows back after this.
SENDING = dt.timedelta(seconds=60)
# A dead worker's row outlasts SQS's own redelivery by this, so that the redelivered one finds it.
GRACE = dt.timedelta(seconds=60)
# Most references of one destination in SQS at once: what is there cannot be passed by.
CROWD = 2000
# Messages of a destination that has no room here go back for this long.
NO_ROOM = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class SqsLease(Lease):
    """A lease whose messages SQS must be told about, too: delivery id -> receipt handle."""

    handles: dict[UUID, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class DeadReference:
    """A message that SQS gave up on; `named` is None when it is not ours."""

    named: Named | None
    handle: str = field(repr=False)


class _Reference(msgspec.Struct, rename="lower"):
    tenant: UUID
    delivery: UUID
    lease: UUID


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Reference)


@dataclass(frozen=True, slots=True)
class SqsBounds:
    """How long a receive waits, and the most references of one destination in SQS."""

    long_poll_s: int = LONG_POLL_S
    crowd: int = CROWD


class SqsQueue:
    """`trackai.queue.port.Queue` over SQS, and its relay."""

    def __init__(
        self,
        client: "SQSClient",
        url: str,
        database: Database,
        clock: Clock,
        new_id: NewId,
        bounds: SqsBounds = SqsBounds(),
    ) -> None:
        self._client = client
        self._url = url
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._bounds = bounds

    async def enqueue(self, tx: Tx, messages: Sequence[QueuedDelivery]) -> None:
        """Owe these messages to the workers, with the caller's commit; the relay sends them."""
        await queue_messages.enqueue(tx, messages)

    async def hasten(
        self, tx: Tx, *, tenant_id: UUID, delivery_ids: Sequence[UUID], now: dt.datetime
    ) -> None:
        """Make messages that nobody has received yet due now, with the caller's commit."""
        await queue_messages.hasten(tx, tenant_id=tenant_id, delivery_ids=delivery_ids, now=now)

    async def relay(self, share: Share) -> int:
        """Send references of due rows; return how many SQS took."""
        now, token = self._clock.now(), self._new_id()
        async with self._database.transaction() as tx:
            crowded = await queue_messages.list_crowded_all_tenants(
                tx, now=now, most=self._bounds.crowd
            )
            rows = await queue_messages.claim_all_tenants(
                tx,
                now=now,
                lease=token,
                lease_until=now + SENDING,
                share=Share(share.destinations, share.each, crowded),
            )
        answers = await asyncio.gather(
            *(self._send(batch, token) for batch in _batches(rows)), return_exceptions=True
        )
        # What is not confirmed keeps the short lease and goes again when that ends.
        sent = [row for answer in answers if isinstance(answer, list) for row in answer]
        await self._keep(sent, token, self._clock.now() + IN_SQS)
        with our_errors():
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer
        return len(sent)

    async def receive(self, share: Share) -> SqsLease:
        """Lease what SQS hands out; what has no room here goes back to the table."""
        # A receive that nobody can follow up counts all the same, and SQS gives up after a few.
        async with self._database.transaction() as tx:
            await tx.fetch("select 1")
        messages = await self._receive(share)
        named = {one: message for message in messages if (one := _named(message)) is not None}
        now, lease_id = self._clock.now(), self._new_id()
        until = now + LEASE + GRACE
        async with self._database.transaction() as tx:
            claimed = await queue_messages.claim_named_all_tenants(
                tx,
                list(named),
                lease=lease_id,
                lease_until=until,
                run_out=now + GRACE,
            )
        ours = {message.delivery_id for message in claimed}
        handles = {one.delivery_id: message["ReceiptHandle"] for one, message in named.items()}
        lease = SqsLease(lease_id, until, tuple(claimed), handles)
        # Repeats, leftovers and what is no reference: the row is somebody else's, or gone.
        await self._delete(
            message["ReceiptHandle"]
            for message in messages
            if (one := _named(message)) is None or one.delivery_id not in ours
        )
        return await self._with_room(lease, share)

    async def extend(self, lease: Lease, messages: Sequence[ClaimedDelivery]) -> None:
        """Keep messages of a lease for LEASE from now: their work goes on."""
        await self._keep(messages, lease.id, self._clock.now() + LEASE + GRACE)
        with our_errors():
            for batch in _batches(self._handles(lease, messages)):
                await self._client.change_message_visibility_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {
                            "Id": str(number),
                            "ReceiptHandle": handle,
                            "VisibilityTimeout": int(LEASE.total_seconds()),
                        }
                        for number, handle in enumerate(batch)
                    ],
                )

    async def acknowledge(self, lease: Lease, messages: Sequence[ClaimedDelivery]) -> None:
        """Be done with messages of a lease; those it no longer holds are left alone."""
        if not messages:
            return
        keys = [(message.tenant_id, message.delivery_id) for message in messages]
        async with self._database.transaction() as tx:
            await queue_messages.acknowledge_all_tenants(tx, keys, lease=lease.id)
        await self._delete(self._handles(lease, messages))

    async def hold(self, lease: Lease, messages: Sequence[ClaimedDelivery]) -> None:
        """Give messages of a lease back; they are due when they are released (storage/held)."""
        keys = [(message.tenant_id, message.delivery_id) for message in messages]
        async with self._database.transaction() as tx:
            await hold_messages_all_tenants(tx, keys, lease=lease.id)
        await self._delete(self._handles(lease, messages))

    async def postpone(
        self, lease: Lease, messages: Sequence[tuple[ClaimedDelivery, dt.datetime]]
    ) -> None:
        """Give messages of a lease back to the table until the time that stands beside each."""
        if not messages:
            return
        rows = [(message.tenant_id, message.delivery_id, at) for message, at in messages]
        async with self._database.transaction() as tx:
            await queue_messages.postpone_all_tenants(tx, rows, lease=lease.id)
        await self._delete(self._handles(lease, [message for message, _ in messages]))

    async def _send(self, rows: Sequence[ClaimedDelivery], token: UUID) -> list[ClaimedDelivery]:
        answer = await self._client.send_message_batch(
            QueueUrl=self._url,
            Entries=[
                {
                    "Id": str(number),
                    "MessageBody": _ENCODER.encode(
                        _Reference(row.tenant_id, row.delivery_id, token)
                    ).decode(),
                }
                for number, row in enumerate(rows)
            ],
        )
        for failure in answer.get("Failed", []):
            get_logger().warning("relay.refused", code=failure["Code"])
        return [rows[int(one["Id"])] for one in answer.get("Successful", [])]

    async def _keep(
        self, messages: Sequence[ClaimedDelivery], lease: UUID, until: dt.datetime
    ) -> None:
        if not messages:
            return
        keys = [(message.tenant_id, message.delivery_id) for message in messages]
        async with self._database.transaction() as tx:
            await queue_messages.extend_all_tenants(tx, keys, lease=lease, until=until)

    async def _receive(self, share: Share) -> "list[MessageTypeDef]":
        side_by_side = max(1, min(RECEIVES, share.each // BATCH))
        with our_errors():
            # The first waits for something to come; the others only take what else is there.
            first = await self._receive_batch(self._bounds.long_poll_s)
            if len(first) < BATCH or side_by_side == 1:
                return first
            more = await asyncio.gather(*(self._receive_batch(0) for _ in range(side_by_side - 1)))
        return [*first, *itertools.chain.from_iterable(more)]

    async def _receive_batch(self, wait_s: int) -> "list[MessageTypeDef]":
        answer = await self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=int(LEASE.total_seconds()),
        )
        return answer.get("Messages", [])

    async def _with_room(self, lease: SqsLease, share: Share) -> SqsLease:
        busy = set(share.without)
        without = [one for one in lease.messages if one.destination_id in busy]
        if not without:
            return lease
        later = self._clock.now() + NO_ROOM
        await self.postpone(lease, [(message, later) for message in without])
        rest = tuple(one for one in lease.messages if one.destination_id not in busy)
        return SqsLease(lease.id, lease.until, rest, lease.handles)

    async def _delete(self, handles: Iterable[str]) -> None:
        """Tell SQS that messages are done with; one that it keeps all the same is a leftover."""
        try:
            with our_errors():
                for batch in _batches(list(handles)):
                    await self._client.delete_message_batch(
                        QueueUrl=self._url,
                        Entries=[
                            {"Id": str(number), "ReceiptHandle": handle}
                            for number, handle in enumerate(batch)
                        ],
                    )
        except QueueUnavailable as error:
            # What was done is done: the row says so to whoever receives the leftover.
            get_logger().warning("queue.not_deleted", reason=str(error))

    @staticmethod
    def _handles(lease: Lease, messages: Sequence[ClaimedDelivery]) -> list[str]:
        known = lease.handles if isinstance(lease, SqsLease) else {}
        return [known[one.delivery_id] for one in messages if one.delivery_id in known]

    async def receive_dead(self, dead_url: str) -> list[DeadReference]:
        """Return some of what SQS gave up on; it stays until `forget_dead`."""
        with our_errors():
            answer = await self._client.receive_message(
                QueueUrl=dead_url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=0
            )
        return [
            DeadReference(_named(message), message["ReceiptHandle"])
            for message in answer.get("Messages", [])
        ]

    async def forget_dead(self, dead_url: str, references: Sequence[DeadReference]) -> None:
        """Remove from SQS what has been written down."""
        with our_errors():
            await self._client.delete_message_batch(
                QueueUrl=dead_url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": one.handle}
                    for number, one in enumerate(references)
                ],
            )


def _named(message: "MessageTypeDef") -> Named | None:
    """Return what a message refers to; None for one that is not ours."""
    try:
        found = _DECODER.decode(message.get("Body", ""))
    except msgspec.DecodeError:
        return None
    return Named(found.tenant, found.delivery, found.lease)


def _batches(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
