"""Where the edge's rows go: one group commit a table, each a transaction of the ingest role."""

import dataclasses
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence

from trackai.errors import StorageUnavailable
from trackai.ingest.group_commit import GroupCommit, GroupLimits
from trackai.ingest.outage import Reach
from trackai.model.click import Click, PageEvent
from trackai.storage.clicks import insert_clicks
from trackai.storage.envelope import Envelope
from trackai.storage.page_events import insert_page_events
from trackai.storage.receipts import NewReceipt, StoredReceipt, insert_receipts
from trackai.storage.rejections import insert_rejection

_MIB = 1024 * 1024
# Receipts are weighed in bytes: bodies reach 1 MiB, and a transaction holds them twice.
_RECEIPTS = GroupLimits(weight=8 * _MIB, waiting=64 * _MIB)
# Evidence of forgeries is best effort: one writer, little room.
_REJECTIONS = GroupLimits(writers=1, rows=50, weight=4 * _MIB, waiting=8 * _MIB)
# What a receipt weighs besides its body.
_OVERHEAD_BYTES = 4096


@dataclasses.dataclass(frozen=True, slots=True)
class Rejection:
    """A webhook without proof, about to be kept for diagnosis."""

    receipt: NewReceipt
    reason: str
    keyless: bool  # sent to the address without a key
    expires_at: dt.datetime


# Keeps what pages report while the database cannot.
Keep = Callable[[Sequence[Click | PageEvent]], Awaitable[None]]


class Stores:
    """The four tables that the edge adds to.

    A payment platform that is told to come back does. A page does not: what it reports is kept.
    """

    @staticmethod
    def connections(writers: int) -> int:
        """Return how many connections commit at once when all tables are busy."""
        return 3 * writers + _REJECTIONS.writers

    def __init__(self, reach: Reach, envelope: Envelope, *, keep: Keep, writers: int) -> None:
        self._reach = reach
        self._keep = keep
        self._envelope = envelope
        rows = GroupLimits(writers=writers)
        receipts = dataclasses.replace(_RECEIPTS, writers=writers)
        self.clicks = GroupCommit(self._store_clicks, table="clicks", limits=rows)
        self.page_events = GroupCommit(self._store_page_events, table="page_events", limits=rows)
        self.receipts = GroupCommit(
            self._store_receipts, table="webhook_receipts", limits=receipts, weigh=_bytes
        )
        self.rejections = GroupCommit(
            self._store_rejections,
            table="webhook_rejections",
            limits=_REJECTIONS,
            weigh=lambda rejection: _bytes(rejection.receipt),
        )

    async def close(self) -> None:
        """Take nothing more and commit what waits."""
        for group in (self.clicks, self.page_events, self.receipts, self.rejections):
            await group.close()

    # Two writers that insert the same keys in different orders would deadlock: hence the sorting.

    async def _store_clicks(self, clicks: Sequence[Click]) -> Sequence[None]:
        ordered = sorted(clicks, key=lambda click: (click.click_id, click.tenant_id))
        known = not self._envelope.unknown(click.tenant_id for click in ordered)
        try:
            async with self._reach.one_statement() if known else self._reach.transaction() as tx:
                await insert_clicks(tx, self._envelope, ordered)
        except StorageUnavailable:
            await self._keep(clicks)
        return [None] * len(clicks)

    async def _store_page_events(self, events: Sequence[PageEvent]) -> Sequence[None]:
        ordered = sorted(events, key=lambda event: (event.event_key, event.kind, event.tenant_id))
        try:
            async with self._reach.transaction() as tx:
                await insert_page_events(tx, self._envelope, ordered)
        except StorageUnavailable:
            await self._keep(events)
        return [None] * len(events)

    async def _store_receipts(self, receipts: Sequence[NewReceipt]) -> Sequence[StoredReceipt]:
        async with self._reach.transaction() as tx:
            return await insert_receipts(tx, self._envelope, receipts)

    async def _store_rejections(self, rejections: Sequence[Rejection]) -> Sequence[None]:
        async with self._reach.transaction() as tx:
            for rejection in rejections:
                await insert_rejection(
                    tx,
                    self._envelope,
                    rejection.receipt,
                    reason=rejection.reason,
                    keyless=rejection.keyless,
                    expires_at=rejection.expires_at,
                )
        return [None] * len(rejections)


def _bytes(receipt: NewReceipt) -> int:
    return len(receipt.body) + _OVERHEAD_BYTES
