"""/api/v1/dead-letters: look, replay, discard; what `trackai dlq` does, for programs."""

import datetime as dt
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from typing_extensions import override

from trackai.accounts import words
from trackai.accounts.api_keys import ApiScope
from trackai.api.caller import Caller, caller_with
from trackai.api.tools import ApiTools
from trackai.dispatch.dead_letters import MOST_KEY, MOST_RATE, RATE, DeadLetters, Wish
from trackai.errors import InvalidField
from trackai.storage.dead_letters import Wanted

router = APIRouter(prefix="/api/v1/dead-letters", tags=["dead letters"])

Reader = Annotated[Caller, Depends(caller_with(ApiScope.READ))]
Deliverer = Annotated[Caller, Depends(caller_with(ApiScope.DELIVER))]

MOST_LISTED = 500
MOST_IDS = 1000
MOST_WHY = 500
# PostgreSQL's text cannot hold NUL.
_NO_NUL = r"^[^\x00]*$"
Word = Annotated[str, Field(min_length=1, max_length=100, pattern=_NO_NUL)]
# Where every time zone's year is one.
EARLIEST, LATEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]


class DeadLetter(BaseModel):
    """A delivery that was given up."""

    id: UUID
    gateway: str
    transaction: str
    event_name: str
    event_id: str
    event_time: dt.datetime
    reason: str | None
    attempts: int
    settled_at: dt.datetime
    replay: UUID | None = Field(description="The replay that it waits in.")
    kind: str
    pixel_id: str
    destination_id: UUID
    receipt_id: UUID


class DeadLetterWithTries(DeadLetter):
    """One with every try and the destination's answer, without personal data."""

    tries: list[dict[str, Any]]


class Progress(BaseModel):
    """How far a replay is."""

    id: UUID
    actor: str
    selected: int
    too_old: int = Field(description="Older than Meta takes: refused, they stay dead letters.")
    rate: int
    created_at: dt.datetime
    finished_at: dt.datetime | None
    waiting: int
    under_way: int
    accepted: int
    dead_again: int
    discarded: int


class Narrowing(BaseModel):
    """Which dead letters; what is left out means any."""

    model_config = ConfigDict(extra="forbid")

    reason: Word | None = None
    gateway: Word | None = None
    destination_id: UUID | None = None
    since: Moment | None = None
    until: Moment | None = None

    def wanted(self) -> Wanted:
        """Return it in the house's words."""
        reason, gateway = words.reason(self.reason), words.gateway(self.gateway)
        return Wanted(None, reason, self.destination_id, gateway, self.since, self.until)


class Listing(Narrowing):
    """Which to list, and how many."""

    limit: int = Field(default=50, ge=1, le=MOST_LISTED)


class Selection(Narrowing):
    """Which to act on; something must be said."""

    delivery_ids: list[UUID] | None = Field(default=None, max_length=MOST_IDS)
    all: bool = Field(default=False, description="Needed when nothing else narrows it.")

    @override
    def wanted(self) -> Wanted:
        """Return it; InvalidField when it would mean everything without saying so."""
        wanted = replace(super().wanted(), ids=self.delivery_ids)
        if wanted == Wanted() and not self.all:
            raise InvalidField('Say which dead letters, or "all": true.', field="all")
        return wanted


class ReplayAsked(Selection):
    """Which to send again, how fast."""

    rate: int = Field(default=RATE, ge=1, le=MOST_RATE, description="Most sent again a second.")
    key: Annotated[Word, Field(max_length=MOST_KEY)] | None = Field(
        default=None, description="Twice the same is one replay."
    )


class DiscardAsked(Selection):
    """Which to give up for good, and why."""

    why: Annotated[str, Field(min_length=1, max_length=MOST_WHY, pattern=_NO_NUL)]


class Discarded(BaseModel):
    """How many were given up for good."""

    discarded: int


@router.get("")
async def list_dead_letters(
    request: Request, caller: Reader, asked: Annotated[Listing, Query()]
) -> list[DeadLetter]:
    """List dead letters, newest first."""
    rows = await _letters(request, caller).list(asked.wanted(), limit=asked.limit)
    return [DeadLetter.model_validate(row) for row in rows]


@router.get("/{delivery_id}")
async def show_dead_letter(
    request: Request, caller: Reader, delivery_id: Annotated[UUID, Path()]
) -> DeadLetterWithTries:
    """Show one with all its tries."""
    return DeadLetterWithTries.model_validate(await _letters(request, caller).show(delivery_id))


@router.post("/replays", status_code=202)
async def replay(request: Request, caller: Deliverer, asked: ReplayAsked) -> Progress:
    """Have dead letters sent again, under their event ids, a few a second."""
    wish = Wish(caller.actor, asked.wanted(), words.key(asked.key), asked.rate)
    return Progress.model_validate(await _letters(request, caller).replay(wish))


@router.get("/replays/{replay_id}")
async def show_replay(request: Request, caller: Reader, replay_id: UUID) -> Progress:
    """Say how far a replay is."""
    return Progress.model_validate(await _letters(request, caller).progress(replay_id))


@router.post("/discards")
async def discard(request: Request, caller: Deliverer, asked: DiscardAsked) -> Discarded:
    """Give dead letters up for good."""
    letters = _letters(request, caller)
    number = await letters.discard(asked.wanted(), actor=caller.actor, why=words.why(asked.why))
    return Discarded(discarded=number)


def _letters(request: Request, caller: Caller) -> DeadLetters:
    tools: ApiTools = request.app.state.tools
    return DeadLetters(tools.database, tools.clock, tools.new_id, caller.tenant_id)
