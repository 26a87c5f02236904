"""Erasing a person: everything personal goes, the facts of their sales stay.

First the person is noted among the erased, so that nothing brings them back from then on. Then
their rows are emptied in small batches, each a transaction with its deed in the audit log, which
so tells how far it is (`requests.py`). What leads to other rows goes last: page events and clicks
of the same browser, clicks, webhooks, sales, hashes. So an erasure that was interrupted finds what
is left when it is run again.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from trackai.accounts import words as checked
from trackai.errors import InvalidField
from trackai.privacy.desk import Desk
from trackai.privacy.mentions import keys_in
from trackai.privacy.person import Person
from trackai.privacy.remains import campaign
from trackai.privacy.sales import empty_sale
from trackai.privacy.search import Found, Search
from trackai.storage import erased_people, erasing, person_rows
from trackai.storage.erasing import Utm
from trackai.storage.person_deeds import ERASE
from trackai.storage.pool import Tx

T = TypeVar("T")

# Rows a transaction.
BATCH = 100

Changed = dict[str, int]


def checked_why(text: str, person: Person) -> str:
    """Return why somebody is erased, for the audit log; InvalidField when it names the person."""
    why = text.strip()
    if not why or not person.keys.isdisjoint(keys_in(why)):
        raise InvalidField("--why needs a reason that does not name the person.", field="why")
    return checked.why(why)


class Erasure:
    """One erasure of one person in one tenant. May be run again at any time."""

    def __init__(self, desk: Desk, person: Person, *, why: str) -> None:
        self._desk = desk
        self._person = person
        self._why = why
        self.id = desk.new_id()  # by which the audit log names it
        self._named = {"tenant_id": desk.tenant_id}
        self._changed: Changed = {}

    async def run(self) -> Mapping[str, int]:
        """Erase; return how many rows changed, by table, and what `finish` says besides."""
        await self.begin()
        return await self.finish()

    async def finish(self) -> Mapping[str, int]:
        """Empty what there is of the person, who may not come back any more.

        `waiting_receipts` are webhooks that no worker has worked on yet: one will, and empties
        them then. `unreadable` are rows that do not open, so that nobody can say whose they are.
        """
        found = await Search(self._desk, self._person).run()
        async with self._desk.transaction() as tx:
            await self._note(tx, {}, found=found.counts())
        await self._empty(found)
        async with self._desk.transaction() as tx:
            waiting = await erasing.count_waiting(tx, **self._named, receipt_ids=found.receipts)
            left = {"waiting_receipts": waiting, "unreadable": found.unreadable}
            await self._note(tx, {}, left=left)
        return {**self._changed, **left}

    async def begin(self) -> None:
        """Let nothing bring the person back; receipts that are worked on now are let through."""
        desk = self._desk
        async with desk.transaction() as tx:
            await erased_people.lock_alone(tx, **self._named)
            now, keys = desk.clock.now(), desk.digests(self._person)
            number = await erased_people.insert_erased(tx, **self._named, keys=keys, now=now)
            await self._note(tx, {"erased_people": number} if number else {})

    async def _empty(self, found: Found) -> None:
        for events in _batches(found.page_events):
            await self._batch(self._page_events, events)
        for clicks in (found.clicks_of_the_same, found.clicks):
            for click_ids in _batches(sorted(clicks)):
                await self._batch(self._clicks, click_ids)
        for receipt_ids in _batches(sorted(found.receipts)):
            await self._batch(self._receipts, receipt_ids)
        for rejection_ids in _batches(sorted(found.rejections)):
            await self._batch(self._rejections, rejection_ids)
        for conversion_id in sorted(found.conversions):
            await self._batch(self._sale, conversion_id)
        everything = sorted(found.clicks | found.clicks_of_the_same)
        for click_ids in _batches(everything) or [[]]:
            await self._batch(self._identities, click_ids)

    async def _batch(self, work: Callable[[Tx, T], Awaitable[Changed]], what: T) -> None:
        """Do one piece of work in one transaction, and write down what it changed."""
        async with self._desk.transaction() as tx:
            changed = {table: number for table, number in (await work(tx, what)).items() if number}
            if changed:
                await self._note(tx, changed)
        for table, number in changed.items():
            self._changed[table] = self._changed.get(table, 0) + number

    async def _note(self, tx: Tx, changed: Changed, **more: Changed) -> None:
        details = {"why": self._why, "changed": changed, **more}
        await self._desk.note(tx, ERASE, str(self.id), self._person, details)

    async def _page_events(self, tx: Tx, events: Sequence[tuple[str, str]]) -> Changed:
        return {"page_events": await erasing.erase_page_events(tx, **self._named, events=events)}

    async def _clicks(self, tx: Tx, click_ids: Collection[str]) -> Changed:
        held = await erasing.lock_clicks(tx, **self._named, click_ids=click_ids)
        keys = self._person.marks
        kept = {
            click_id: Utm(*(campaign(one, keys) for one in utm)) for click_id, utm in held.items()
        }
        number = await erasing.erase_clicks(
            tx, **self._named, kept=kept, now=self._desk.clock.now()
        )
        return {"clicks": number}

    async def _receipts(self, tx: Tx, receipt_ids: Sequence[UUID]) -> Changed:
        now = self._desk.clock.now()
        numbers = [
            await erasing.erase_receipt(
                tx,
                self._desk.envelope,
                tenant_id=self._desk.tenant_id,
                receipt_id=receipt_id,
                now=now,
            )
            for receipt_id in await erasing.lock_receipts(tx, **self._named, ids=receipt_ids)
        ]
        return {"webhook_receipts": sum(numbers)}

    async def _rejections(self, tx: Tx, ids: Sequence[UUID]) -> Changed:
        return {"webhook_rejections": await erasing.delete_rejections(tx, **self._named, ids=ids)}

    async def _sale(self, tx: Tx, conversion_id: UUID) -> Changed:
        """Empty a sale, and clicks that it was matched to since the search."""
        changed = await empty_sale(
            tx,
            self._desk.envelope,
            self._person.marks,
            tenant_id=self._desk.tenant_id,
            conversion_id=conversion_id,
            now=self._desk.clock.now(),
        )
        clicks = await person_rows.clicks_of_conversions(
            tx, **self._named, conversion_ids=[conversion_id]
        )
        return {**changed, **await self._clicks(tx, clicks)}

    async def _identities(self, tx: Tx, click_ids: Sequence[str]) -> Changed:
        """Forget the person's hashes, and empty clicks that came with them since the search."""
        freed = await erasing.delete_identities(
            tx, self._desk.envelope, **self._named, keys=self._person.keys, click_ids=click_ids
        )
        return {"identities": len(freed), **await self._clicks(tx, set(freed))}


def _batches(rows: Sequence[T]) -> list[Sequence[T]]:
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
