"""Finding all that a tenant stores about a person, complete before it is quick.

E-mails and phones are sealed, so sales, notices, receipts and rejections are opened one by one, in
pages of bounded size; only ids of what is the person's are kept. Clicks are reached through hashes,
through the sales, and one step further through the browser and the site's own id, unless somebody
else came with these, too.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from trackai.model.notice import Buyer
from trackai.privacy.desk import Desk
from trackai.privacy.mentions import keys_in, mentions
from trackai.privacy.person import Person
from trackai.storage import person_rows as rows
from trackai.storage import receipts, rejections
from trackai.storage.person_deeds import SEARCH
from trackai.storage.person_rows import StoredBody, StoredEvent, StoredNotice, StoredSale
from trackai.storage.pool import Tx

K = TypeVar("K")
T = TypeVar("T")

# A shorter code may be any number in a body.
SHORTEST_CODE = 6


@dataclass
class Found:
    """Ids of what is a person's."""

    conversions: set[UUID] = field(default_factory=set)
    receipts: set[UUID] = field(default_factory=set)
    rejections: set[UUID] = field(default_factory=set)
    # Clicks that hashes and sales name, stored or not, and those of the same browser or site's id.
    clicks: set[str] = field(default_factory=set)
    clicks_of_the_same: set[str] = field(default_factory=set)
    stored_clicks: int = 0
    page_events: list[tuple[str, str]] = field(default_factory=list)
    # Other e-mails and phones of these sales: whoever asks may ask for them, too.
    also_known_by: set[str] = field(default_factory=set)
    # Rows that do not open with the keys at hand: nobody can say whose they are.
    unreadable: int = 0

    def counts(self) -> dict[str, int]:
        """Return how many rows were found, by table."""
        return {
            "clicks": self.stored_clicks,
            "page_events": len(self.page_events),
            "conversions": len(self.conversions),
            "webhook_receipts": len(self.receipts),
            "webhook_rejections": len(self.rejections),
        }


async def search(desk: Desk, person: Person) -> Found:
    """Look at everything once, and write down that somebody asked."""
    found = await Search(desk, person).run()
    async with desk.transaction() as tx:
        details = {"found": {name: number for name, number in found.counts().items() if number}}
        await desk.note(tx, SEARCH, str(desk.new_id()), person, details)
    return found


class Search:
    """One search for one person in one tenant."""

    def __init__(self, desk: Desk, person: Person) -> None:
        self._desk = desk
        self._person = person
        self._envelope = desk.envelope
        self._tenant_id = desk.tenant_id
        self._found = Found()
        self._codes: set[str] = set()
        self._carried: set[str] = set()  # click ids that came back through checkouts
        self._browsers: set[str] = set()

    async def run(self) -> Found:
        """Look at everything once."""
        await self._look_at_notices()
        await self._look_at_sales()
        async with self._desk.transaction() as tx:
            self._found.receipts |= await rows.receipts_of_conversions(
                tx, tenant_id=self._tenant_id, conversion_ids=self._found.conversions
            )
        await self._look_at_bodies(receipts.TABLE, self._found.receipts)
        await self._look_at_bodies(rejections.TABLE, self._found.rejections)
        await self._look_at_clicks()
        await self._look_at_page_events()
        return self._found

    async def _look_at_notices(self) -> None:
        async def page(tx: Tx, after: tuple[UUID, UUID, int]) -> Sequence[StoredNotice]:
            return await rows.page_of_notices(
                tx, self._envelope, tenant_id=self._tenant_id, after=after
            )

        first = (rows.FIRST, rows.FIRST, -1)
        async for one in self._walk(page, first, lambda notice: notice.key):
            if one.notice is None:
                self._found.unreadable += 1
            elif self._is_theirs(one.notice.buyer):
                self._found.conversions.add(one.key[0])
                self._carried.update(one.notice.tracking.click_ids)

    async def _look_at_sales(self) -> None:
        async def page(tx: Tx, after: UUID) -> Sequence[StoredSale]:
            return await rows.page_of_conversions(
                tx, self._envelope, tenant_id=self._tenant_id, after=after
            )

        async for sale in self._walk(page, rows.FIRST, lambda sale: sale.id):
            if sale.buyer is None:
                self._found.unreadable += 1
            elif self._is_theirs(sale.buyer):
                self._found.conversions.add(sale.id)
            if sale.id in self._found.conversions:
                self._codes.update(_as_told(sale.codes))
                self._carried.update(sale.click_ids)
                self._browsers.update([sale.fbp] if sale.fbp else [])

    def _is_theirs(self, buyer: Buyer) -> bool:
        if not self._person.is_buyer(buyer):
            return False
        parts = (Buyer(email=buyer.email), Buyer(phone=buyer.phone, country=buyer.country))
        self._found.also_known_by.update(
            value
            for part in parts
            if (value := part.email or part.phone) and not self._person.is_buyer(part)
        )
        return True

    async def _look_at_bodies(self, table: str, found: set[UUID]) -> None:
        async def page(tx: Tx, after: UUID) -> Sequence[StoredBody]:
            return await rows.page_of_bodies(
                tx, self._envelope, table, tenant_id=self._tenant_id, after=after
            )

        async for one in self._walk(page, rows.FIRST, lambda body: body.id):
            if one.body is None:
                self._found.unreadable += 1
                continue
            said = mentions(one.body, one.request.query, *one.request.headers.values())
            named = not self._person.marks.isdisjoint(said.keys)
            if named or not self._codes.isdisjoint(said.words):
                found.add(one.id)

    async def _look_at_clicks(self) -> None:
        async def page(tx: Tx, after: str) -> Sequence[tuple[str, str]]:
            return await rows.page_of_addressed_clicks(tx, tenant_id=self._tenant_id, after=after)

        direct = set(self._carried)
        async for click_id, said in self._walk(page, "", lambda click: click[0]):
            if not self._person.marks.isdisjoint(keys_in(said)):
                direct.add(click_id)
        envelope = self._desk.envelope
        named, keys = {"tenant_id": self._tenant_id}, self._person.keys
        async with self._desk.transaction() as tx:
            direct |= await rows.clicks_of_keys(tx, envelope, **named, keys=keys)
            direct |= await rows.clicks_of_conversions(
                tx, **named, conversion_ids=self._found.conversions
            )
            reached, self._browsers = await rows.clicks_of_the_same(
                tx, envelope, **named, click_ids=direct, fbps=self._browsers, keys=keys
            )
            self._found.stored_clicks = await rows.count_clicks(
                tx, **named, click_ids=direct | reached
            )
        self._found.clicks = direct
        self._found.clicks_of_the_same = reached - direct

    async def _look_at_page_events(self) -> None:
        async def page(tx: Tx, after: tuple[str, str]) -> Sequence[StoredEvent]:
            return await rows.page_of_page_events(tx, tenant_id=self._tenant_id, after=after)

        clicks = self._found.clicks | self._found.clicks_of_the_same
        async for event in self._walk(page, ("", ""), lambda event: event.key):
            if (
                event.click_id in clicks
                or event.fbp in self._browsers
                or not self._person.marks.isdisjoint(keys_in(event.said))
            ):
                self._found.page_events.append(event.key)

    async def _walk(
        self,
        page: Callable[[Tx, K], Awaitable[Sequence[T]]],
        first: K,
        key_of: Callable[[T], K],
    ) -> AsyncIterator[T]:
        """Yield the rows of all pages; each page is a transaction of its own."""
        after = first
        while True:
            async with self._desk.transaction() as tx:
                found = await page(tx, after)
            for one in found:
                yield one
                # Reading a body takes milliseconds; whoever else this process serves has a turn.
                await asyncio.sleep(0)
            if not found:
                return
            after = key_of(found[-1])


def _as_told(codes: Iterable[str]) -> set[str]:
    """Return a sale's codes as its platform writes them: renewals and carts are marked by us."""
    plain = {code.removeprefix("cart:").partition("#")[0] for code in codes}
    return {code for code in plain if len(code) >= SHORTEST_CODE}
