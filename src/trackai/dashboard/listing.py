"""A page of a list, newest first: which rows are wanted, and where the pages beside it are."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from fastapi import Request

from trackai.analytics.export import Listing
from trackai.analytics.periods import FARTHEST, OLDEST
from trackai.analytics.places import cursor_of, place_of
from trackai.dashboard.asking import Question, text_of
from trackai.errors import InvalidField
from trackai.storage.events import Page, Place, Wanted
from trackai.storage.pool import Row, Tx

FILTERS = ("gateway", "funnel", "status", "campaign", "event_id")
_WAYS = ("older", "newer")


class ListingLater(Protocol):
    """What lists rows the other way."""

    async def __call__(
        self,
        tx: Tx,
        wanted: Wanted,
        before: Place,
        *,
        tenant_id: UUID,
        until: dt.datetime,
        limit: int,
    ) -> Page:
        """Return the page that comes next after a place."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What lists a table's rows, a page of so many."""

    listed: Listing
    listed_later: ListingLater
    at: str  # the column that they are in the order of
    statuses: Collection[str]
    words: str  # the table of words that says what cannot be
    shown: int

    def place(self, row: Row) -> Place:
        """Return where a row is."""
        return Place(row[self.at], row["id"])


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of rows, and where the pages beside it are."""

    rows: Sequence[Row] = ()
    newer: str | None = None
    older: str | None = None
    first: bool = True  # nothing is newer

    @property
    def campaigns(self) -> Sequence[str]:
        """Return the campaigns that are met in it."""
        return sorted({row["campaign"] for row in self.rows if row["campaign"]})


async def list_page(
    tx: Tx, request: Request, question: Question, kind: Kind, *, tenant_id: UUID
) -> tuple[Question, Listed]:
    """Return the page that an address asks for; what cannot be is among the question's problems."""
    try:
        wanted = wanted_of(question, kind.statuses)
        places = [place_of(request.query_params.get(one), question.now) for one in _WAYS]
    except InvalidField as error:
        problems = [*question.problems, f"{kind.words}.bad_{error.field}"]
        return replace(question, problems=problems), Listed()
    older, newer = places
    if newer is not None and wanted.event_id is None:
        until = question.period.end
        page = await kind.listed_later(
            tx, wanted, newer, tenant_id=tenant_id, until=until, limit=kind.shown
        )
        if page.next is not None:
            last = kind.place(page.rows[-1]) if page.rows else newer
            found = Listed(page.rows, cursor_of(page.next), cursor_of(last), first=False)
            return question, found
    # Before the first page is the first page.
    newest = newest_of(question, wanted)
    page = await kind.listed(
        tx, wanted, min(newest, older or newest), tenant_id=tenant_id, limit=kind.shown
    )
    return question, _beside(page, older, kind.place)


def wanted_of(question: Question, statuses: Collection[str]) -> Wanted:
    """Return which rows are asked for; InvalidField for a filter that cannot be."""
    picks: Mapping[str, str] = question.picks
    status, event_id = picks.get("status"), text_of(picks, "event_id")
    if status is not None and status not in statuses:
        raise InvalidField("There is no such status.", field="status")
    return Wanted(
        # Whoever names one wants it, whenever it was.
        question.now - OLDEST if event_id else question.period.start,
        question.filters.gateway,
        question.filters.funnel_id,
        status,
        text_of(picks, "campaign"),
        event_id,
    )


def newest_of(question: Question, wanted: Wanted) -> Place:
    """Return the place before which everything is that is asked for."""
    until = question.now + FARTHEST if wanted.event_id else question.period.end
    return Place.before(until)


def _beside(page: Page, older: Place | None, place: Callable[[Row], Place]) -> Listed:
    if older is None:
        return Listed(page.rows, None, cursor_of(page.next))
    first = place(page.rows[0]) if page.rows else older
    return Listed(page.rows, cursor_of(first), cursor_of(page.next), first=False)
