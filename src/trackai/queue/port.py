"""What a queue engine is. A message names a delivery; the row in `deliveries` is the truth.

At least once: a message that is neither acknowledged nor postponed comes back when its lease
ends. Whoever receives one looks at the delivery and acknowledges what needs no more work.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from trackai.storage.pool import Tx
from trackai.storage.queue_messages import ClaimedDelivery, QueuedDelivery, Share

# Longer than a dispatcher may go without a sign of life; shorter than anybody likes to wait after
# a crash.
LEASE = dt.timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Lease:
    """Messages handed out together, ours until `until`."""

    id: UUID
    until: dt.datetime
    messages: tuple[ClaimedDelivery, ...]


class Queue(Protocol):
    """One engine."""

    async def enqueue(self, tx: Tx, messages: Sequence[QueuedDelivery]) -> None:
        """Owe these messages to the workers, with the caller's commit."""
        ...

    async def hasten(
        self, tx: Tx, *, tenant_id: UUID, delivery_ids: Sequence[UUID], now: dt.datetime
    ) -> None:
        """Make messages that nobody has received yet due now, with the caller's commit."""
        ...

    async def receive(self, share: Share) -> Lease:
        """Lease due messages of several destinations; an empty lease when none is due.

        No destination keeps another waiting, however much it has. One whose breaker holds has
        nothing due.
        """
        ...

    async def extend(self, lease: Lease, messages: Sequence[ClaimedDelivery]) -> None:
        """Keep messages of a lease for LEASE from now: their work goes on."""
        ...

    async def acknowledge(self, lease: Lease, messages: Sequence[ClaimedDelivery]) -> None:
        """Be done with messages of a lease; those it no longer holds are left alone."""
        ...

    async def hold(self, lease: Lease, messages: Sequence[ClaimedDelivery]) -> None:
        """Give messages of a lease back; they are due when they are released (storage/held)."""
        ...

    async def postpone(
        self, lease: Lease, messages: Sequence[tuple[ClaimedDelivery, dt.datetime]]
    ) -> None:
        """Give messages of a lease back until the time that stands beside each."""
        ...
