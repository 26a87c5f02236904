"""/api/v1/analytics/export.csv and export.json: all events or tries of a period, as one download.

Rows are read page by page, each in a transaction of its own, and sent as they come: memory holds
one page, and nothing long-lived holds the database back.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from trackai.api.analytics.asking import Reader, looking
from trackai.api.analytics.events import Attempt, Event, Listing, RowsAsked
from trackai.errors import InvalidField
from trackai.storage import events
from trackai.storage.events import Page, Place, Wanted
from trackai.storage.pool import Database

router = APIRouter()

PAGE_ROWS = 2000
# Spreadsheets run what begins so; the last ones are those of wide letters.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class What(StrEnum):
    """What is exported."""

    EVENTS = "events"
    ATTEMPTS = "dispatch-attempts"


@dataclass(frozen=True, slots=True)
class Kind:
    """What lists rows, what they look like, and which statuses they know."""

    listed: Listing
    model: type[BaseModel]
    statuses: tuple[str, ...]


_KINDS = {
    What.EVENTS: Kind(events.list_events, Event, ("pending", "accepted", "dead", "withheld")),
    What.ATTEMPTS: Kind(events.list_attempts, Attempt, events.STATUSES_OF_ATTEMPTS),
}


class ExportAsked(RowsAsked):
    """Which rows; of the last 30 days when no period is given."""

    what: What = What.EVENTS

    def check(self) -> None:
        """InvalidField for a filter that the rows do not have."""
        known = _KINDS[self.what].statuses
        if self.status is not None and self.status not in known:
            raise InvalidField(f"Status is one of {', '.join(known)}.", field="status")
        if self.campaign is not None and self.what is What.ATTEMPTS:
            raise InvalidField("Tries know no campaign; export events.", field="campaign")


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of an export, a page after the other."""

    database: Database
    tenant_id: UUID
    kind: Kind
    wanted: Wanted
    start: Place

    async def pages(self) -> AsyncIterator[list[BaseModel]]:
        """Yield pages, none of them empty."""
        place: Place | None = self.start
        while place is not None:
            # Who goes away in the middle does not tear a transaction apart: its page ends unseen.
            page = await asyncio.shield(self._page(place))
            if page.rows:
                yield [self.kind.model.model_validate(dict(row)) for row in page.rows]
            place = page.next

    async def _page(self, place: Place) -> Page:
        async with self.database.transaction(tenant_id=self.tenant_id) as tx:
            return await self.kind.listed(
                tx, self.wanted, place, tenant_id=self.tenant_id, limit=PAGE_ROWS
            )


@router.get("/export.csv", response_class=StreamingResponse)
async def export_csv(
    request: Request, caller: Reader, asked: Annotated[ExportAsked, Query()]
) -> StreamingResponse:
    """Download as CSV: UTF-8, commas, a line of names first."""
    rows = await _rows(request, caller, asked)
    return _download(_csv(rows), asked, "csv", "text/csv; charset=utf-8")


@router.get("/export.json", response_class=StreamingResponse)
async def export_json(
    request: Request, caller: Reader, asked: Annotated[ExportAsked, Query()]
) -> StreamingResponse:
    """Download as one JSON array."""
    rows = await _rows(request, caller, asked)
    return _download(_json(rows), asked, "json", "application/json")


async def _rows(request: Request, caller: Reader, asked: ExportAsked) -> Rows:
    asked.check()
    async with looking(request, caller, asked) as view:
        period = asked.period_in(view, usual="30d")
    return Rows(
        request.app.state.tools.database,
        caller.tenant_id,
        _KINDS[asked.what],
        asked.wanted(period.start),
        Place.before(period.end),
    )


async def _csv(rows: Rows) -> AsyncIterator[str]:
    names = list(rows.kind.model.model_fields)
    yield _lines([names])
    async for page in rows.pages():
        told = (row.model_dump(mode="json") for row in page)
        yield _lines([_cell(row[name]) for name in names] for row in told)


async def _json(rows: Rows) -> AsyncIterator[str]:
    before = "["
    async for page in rows.pages():
        yield before + ",\n".join(row.model_dump_json() for row in page)
        before = ",\n"
    yield "[]" if before == "[" else "]"


def _lines(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(value: object) -> object:
    """Return a value so that no spreadsheet takes it for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _download(
    parts: AsyncIterator[str], asked: ExportAsked, ending: str, media_type: str
) -> StreamingResponse:
    name = f"trackai-{asked.what.value}.{ending}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "Vary": "Authorization",
    }
    return StreamingResponse(parts, media_type=media_type, headers=headers)
