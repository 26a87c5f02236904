"""/api/v1/conversions: why a sale is matched to its click; what `trackai explain` prints."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field

from trackai.accounts.api_keys import ApiScope
from trackai.api.caller import Caller, caller_with
from trackai.api.tools import ApiTools
from trackai.matching.explain import explain, parse_conversion

router = APIRouter(prefix="/api/v1/conversions", tags=["conversions"])

Reader = Annotated[Caller, Depends(caller_with(ApiScope.READ))]
# PostgreSQL's text cannot hold NUL.
Named = Annotated[
    str,
    Path(
        min_length=1,
        max_length=300,
        pattern=r"^[^\x00]*$",
        description="Conversion id, or gateway:transaction.",
    ),
]


class LookedAt(BaseModel):
    """A click that a rung looked at."""

    click_id: str
    clicked_at: dt.datetime


class Rung(BaseModel):
    """One way to match, and what came of it."""

    rung: str
    shared: str = Field(description="What a sale and a click share on this rung.")
    confidence: str
    result: str
    meaning: str
    looked_at: list[LookedAt]


class Explained(BaseModel):
    """A decision and its ladder."""

    conversion_id: UUID
    gateway: str
    transaction: str
    status: str
    recurrence: int
    sold_at: dt.datetime
    funnel: str
    attribution: str
    attribution_window_h: int
    visitor_window_min: int
    strategy: str
    confidence: str | None
    click_id: str | None = Field(description="The click that counts.")
    clicked_at: dt.datetime | None
    click_to_sale_s: int | None
    found_click_id: str | None = Field(description="The click of the browser that bought.")
    utm_source: str | None
    utm_campaign: str | None
    utm_content: str | None
    page_url: str | None
    decided_at: dt.datetime | None
    look_again_at: dt.datetime | None = Field(description="When a late click is looked for.")
    ladder: list[Rung]


@router.get("/{conversion}/match")
async def explain_match(request: Request, caller: Reader, conversion: Named) -> Explained:
    """Explain how a sale was matched: every rung, what was tried and what was found."""
    tools: ApiTools = request.app.state.tools
    async with tools.database.transaction(tenant_id=caller.tenant_id) as tx:
        found = await explain(
            tx, tenant_id=caller.tenant_id, conversion=parse_conversion(conversion)
        )
    return Explained.model_validate(found)
