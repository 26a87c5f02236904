"""/api/v1/match-quality: how well events can be matched at Meta, and what would raise it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from trackai.accounts.api_keys import ApiScope
from trackai.api.caller import Caller, caller_with
from trackai.api.tools import ApiTools
from trackai.dispatch.quality import MOST_DAYS, EventQuality, qualities

router = APIRouter(prefix="/api/v1/match-quality", tags=["match quality"])

Reader = Annotated[Caller, Depends(caller_with(ApiScope.READ))]


class Raise(BaseModel):
    """Keys that would raise the score."""

    keys: list[str]
    gain: float
    how: str


class MatchQuality(BaseModel):
    """The events of one name at one destination."""

    destination_id: UUID
    pixel_id: str
    event_name: str
    events: int
    score: float = Field(description="0 to 10; an estimate of ours, Meta's own is not public.")
    coverage: dict[str, float] = Field(description="Key -> share of the events that carried it.")
    raises_it: list[Raise] = Field(description="The most useful first.")


@router.get("")
async def list_match_quality(
    request: Request, caller: Reader, days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 7
) -> list[MatchQuality]:
    """Estimate match quality by destination and event, of so many days."""
    tools: ApiTools = request.app.state.tools
    async with tools.database.transaction(tenant_id=caller.tenant_id) as tx:
        found = await qualities(tx, tenant_id=caller.tenant_id, days=days, now=tools.clock.now())
    return [_told(one) for one in found]


def _told(one: EventQuality) -> MatchQuality:
    summary = one.summary
    return MatchQuality(
        destination_id=one.destination_id,
        pixel_id=one.pixel_id,
        event_name=one.event_name,
        events=summary.events,
        score=summary.tenths / 10,
        coverage={key: round(share, 3) for key, share in summary.coverage.items()},
        raises_it=[
            Raise(keys=list(said.keys), gain=said.gain / 10, how=said.how)
            for said in summary.advice
        ],
    )
