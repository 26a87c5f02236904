"""All rows of a period as one download, for programs and for pages: CSV, or a JSON array.

Rows are read page by page, each in a transaction of its own, and sent as they come: memory holds
one page, and nothing long-lived holds the database back.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from pydantic import BaseModel

from trackai.analytics.rows import Attempt, Event, Sale
from trackai.model.conversion import ConversionStatus
from trackai.storage import events, sales
from trackai.storage.events import Page, Place, Wanted
from trackai.storage.pool import Database, Tx

PAGE_ROWS = 2000
# Spreadsheets run what begins so; the last ones are those of wide letters.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Listing(Protocol):
    """What lists a page of storage's rows."""

    async def __call__(
        self, tx: Tx, wanted: Wanted, after: Place, *, tenant_id: UUID, limit: int
    ) -> Page:
        """Return the page that goes on from a place."""


class What(StrEnum):
    """What is kept row by row."""

    EVENTS = "events"
    ATTEMPTS = "dispatch-attempts"
    SALES = "conversions"


@dataclass(frozen=True, slots=True)
class Kind:
    """What lists rows, what they look like, and which statuses they know."""

    listed: Listing
    model: type[BaseModel]
    statuses: tuple[str, ...]


KINDS: Mapping[What, Kind] = {
    What.EVENTS: Kind(events.list_events, Event, ("pending", "accepted", "dead", "withheld")),
    What.ATTEMPTS: Kind(events.list_attempts, Attempt, events.STATUSES_OF_ATTEMPTS),
    What.SALES: Kind(sales.list_sales, Sale, tuple(ConversionStatus)),
}


class Rows(Protocol):
    """What is exported."""

    @property
    def model(self) -> type[BaseModel]:
        """What a row looks like."""
        ...

    def pages(self) -> AsyncIterator[Sequence[BaseModel]]:
        """Yield the rows, some at a time."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """All rows of a tenant that are wanted, a page after the other."""

    database: Database
    tenant_id: UUID
    kind: Kind
    wanted: Wanted
    start: Place

    @property
    def model(self) -> type[BaseModel]:
        """What a row looks like."""
        return self.kind.model

    async def pages(self) -> AsyncIterator[Sequence[BaseModel]]:
        """Yield pages, none of them empty."""
        place: Place | None = self.start
        while place is not None:
            # Who goes away in the middle does not tear a transaction apart: its page ends unseen.
            page = await asyncio.shield(self._page(place))
            if page.rows:
                yield [self.model.model_validate(dict(row)) for row in page.rows]
            place = page.next

    async def _page(self, place: Place) -> Page:
        async with self.database.transaction(tenant_id=self.tenant_id) as tx:
            return await self.kind.listed(
                tx, self.wanted, place, tenant_id=self.tenant_id, limit=PAGE_ROWS
            )


@dataclass(frozen=True, slots=True)
class Made:
    """Rows that were made of counts: at most some thousand."""

    model: type[BaseModel]
    rows: Sequence[BaseModel]

    async def pages(self) -> AsyncIterator[Sequence[BaseModel]]:
        """Yield them, some at a time."""
        for start in range(0, len(self.rows), PAGE_ROWS):
            yield self.rows[start : start + PAGE_ROWS]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How CSV is written for who reads it."""

    mark: str = ""  # first in the file: spreadsheets take it for UTF-8 by this
    delimiter: str = ","
    decimal: str = "."


PROGRAMS = Dialect()
# By language: where decimals have a comma, spreadsheets part cells by semicolons.
SPREADSHEETS: Mapping[str, Dialect] = {
    "pt": Dialect("\ufeff", ";", ","),
    "en": Dialect("\ufeff"),
}
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def written(rows: Rows, ending: str, dialect: Dialect = PROGRAMS) -> AsyncIterator[str]:
    """Return rows as a file of this ending, as they come."""
    return _csv(rows, dialect) if ending == "csv" else _json(rows)


async def _csv(rows: Rows, dialect: Dialect) -> AsyncIterator[str]:
    """Yield lines, one of names first."""
    names = list(rows.model.model_fields)
    yield dialect.mark + _lines([names], dialect)
    async for page in rows.pages():
        told = (row.model_dump(mode="json") for row in page)
        yield _lines(([_cell(row[name], dialect) for name in names] for row in told), dialect)


async def _json(rows: Rows) -> AsyncIterator[str]:
    """Yield one array."""
    before = "["
    async for page in rows.pages():
        yield before + ",\n".join(row.model_dump_json() for row in page)
        before = ",\n"
    yield "[]" if before == "[" else "]"


def _lines(rows: Iterable[Sequence[object]], dialect: Dialect) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=dialect.delimiter).writerows(rows)
    return text.getvalue()


def _cell(value: object, dialect: Dialect = PROGRAMS) -> object:
    """Return a value so that no spreadsheet takes it for a formula."""
    if isinstance(value, float) and dialect != PROGRAMS:
        return str(value).replace(".", dialect.decimal)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
