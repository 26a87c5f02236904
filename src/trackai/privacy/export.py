"""All that a tenant stores about a person, as one document; the search's ids, read in batches.

Secrets of the tenant stay out: headers of webhooks, which prove their sender, and whatever in a
body is a secret or stands under a name of one. Where a webhook names the person but is about a
sale to somebody else, that somebody's data stays out, too: the document says that it was found.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar
from uuid import UUID

import msgspec

from trackai.errors import SecretMissing
from trackai.privacy.desk import Desk
from trackai.privacy.person import Person
from trackai.privacy.search import Found, Search
from trackai.secrets.port import is_reference
from trackai.storage import gateway_connections, person_rows, receipts, rejections
from trackai.storage import person_document as stored
from trackai.storage.person_deeds import EXPORT
from trackai.storage.person_document import Document
from trackai.storage.person_rows import StoredBody
from trackai.storage.pool import Tx

T = TypeVar("T")

# Rows a question.
BATCH = 100
REMOVED = "[secret]"
OF_ANOTHER = "[a sale to somebody else, who is not shown]"
# Fields of platforms' bodies that prove the sender.
_SECRET_FIELD = re.compile(r"(^|_)(hottok|token|secret|signature|password)$", re.IGNORECASE)
_SHORTEST_SECRET = 6
# How long a secret that was looked up is believed.
SECRET_S = 300.0


class Export:
    """One document about one person in one tenant."""

    def __init__(self, desk: Desk, person: Person) -> None:
        self._desk = desk
        self._person = person
        self._named = {"tenant_id": desk.tenant_id}
        self._secrets: Sequence[str] = ()

    async def run(self) -> Document:
        """Search, read, and write down that somebody asked."""
        desk = self._desk
        found = await Search(desk, self._person).run()
        async with desk.transaction() as tx:
            stored_ones = await gateway_connections.list_secrets(tx, desk.envelope, **self._named)
        self._secrets = await self._values(stored_ones)
        document: Document = {
            "tenant_id": desk.tenant_id,
            "made_at": desk.clock.now(),
            "identities": await self._identities(found),
            **await self._rows(found),
            "audit": await self._deeds(found),
            "also_known_by": sorted(found.also_known_by),
            "unreadable_rows": found.unreadable,
        }
        async with desk.transaction() as tx:
            details = {"found": {name: n for name, n in found.counts().items() if n}}
            await desk.note(tx, EXPORT, str(desk.new_id()), self._person, details)
        return document

    async def _values(self, stored_ones: Sequence[str]) -> list[str]:
        """Look up what is kept elsewhere; what cannot be looked up cannot be left out, either."""
        values: list[str] = []
        for one in stored_ones:
            if not is_reference(one):
                values.append(one)
                continue
            with suppress(SecretMissing):
                kept = await self._desk.secrets.find(one, max_age_s=SECRET_S)
                values += [kept.value] if kept.before is None else [kept.value, kept.before]
        return values

    async def _identities(self, found: Found) -> list[Document]:
        async with self._desk.transaction() as tx:
            return await stored.list_identities(
                tx,
                self._desk.envelope,
                **self._named,
                keys=self._person.keys,
                click_ids=found.clicks | found.clicks_of_the_same,
            )

    async def _rows(self, found: Found) -> Document:
        envelope, named = self._desk.envelope, self._named
        async with self._desk.transaction() as tx:
            theirs = await person_rows.receipts_of_conversions(
                tx, **named, conversion_ids=found.conversions
            )
            of_another = await person_rows.receipts_with_notices(
                tx, **named, receipt_ids=found.receipts - theirs
            )

        async def webhooks(tx: Tx, table: str, ids: Collection[UUID]) -> list[Document]:
            rows = await stored.list_webhooks(tx, envelope, table, **named, ids=ids)
            return [self._webhook(row, body, hidden=body.id in of_another) for row, body in rows]

        return {
            "clicks": await self._read(
                found.clicks | found.clicks_of_the_same,
                lambda tx, ids: stored.list_clicks(tx, envelope, **named, click_ids=ids),
            ),
            "page_events": await self._read(
                found.page_events,
                lambda tx, keys: stored.list_page_events(tx, **named, events=keys),
            ),
            "conversions": await self._read(
                found.conversions,
                lambda tx, ids: stored.list_sales(tx, envelope, **named, ids=ids),
            ),
            "webhook_receipts": await self._read(
                found.receipts, lambda tx, ids: webhooks(tx, receipts.TABLE, ids)
            ),
            "webhook_rejections": await self._read(
                found.rejections, lambda tx, ids: webhooks(tx, rejections.TABLE, ids)
            ),
        }

    async def _read(
        self,
        keys: Iterable[T],
        page: Callable[[Tx, Sequence[T]], Awaitable[list[Document]]],
    ) -> list[Document]:
        ordered, rows = list(keys), list[Document]()
        for start in range(0, len(ordered), BATCH):
            async with self._desk.transaction() as tx:
                rows += await page(tx, ordered[start : start + BATCH])
        return rows

    async def _deeds(self, found: Found) -> list[Document]:
        async with self._desk.transaction() as tx:
            return await stored.list_deeds(
                tx,
                **self._named,
                subjects=found.conversions | found.receipts,
                people=[digest.hex() for digest in self._desk.digests(self._person)],
            )

    def _webhook(self, row: Document, body: StoredBody, *, hidden: bool) -> Document:
        if hidden or body.body is None:
            return {**row, "body": OF_ANOTHER if hidden else "does not open"}
        query = self._without_secrets(body.request.query)
        return {**row, "query": query, "body": self._opened(body.body)}

    def _opened(self, body: bytes) -> object:
        """Return a body as the JSON that it is, else as text, without secrets."""
        try:
            return self._cleaned(msgspec.json.decode(body))
        except (ValueError, RecursionError):
            return self._without_secrets(body.decode("utf-8", "replace"))

    def _cleaned(self, value: object) -> object:
        match value:
            case dict():
                return {
                    name: REMOVED if _SECRET_FIELD.search(str(name)) else self._cleaned(inner)
                    for name, inner in value.items()
                }
            case list():
                return [self._cleaned(inner) for inner in value]
            case str():
                return self._without_secrets(value)
            case _:
                return value

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, REMOVED)
        return text
