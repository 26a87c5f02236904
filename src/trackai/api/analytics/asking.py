"""What every question of analytics has: a period, filters, a note in the audit log, a short life.

An answer may be kept for a second by whoever asked; its ETag spares sending the same again.
"""

import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from trackai.accounts import words
from trackai.accounts.api_keys import ApiScope
from trackai.analytics.metrics import Filters, zone_of
from trackai.analytics.periods import Period, PeriodName
from trackai.analytics.said import said_period
from trackai.api.caller import Caller, caller_with
from trackai.api.tools import ApiTools
from trackai.errors import InvalidField
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Tx

Reader = Annotated[Caller, Depends(caller_with(ApiScope.READ))]
# PostgreSQL's text cannot hold NUL.
Word = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Said = Annotated[str, Field(max_length=40)]
Name = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[a-z0-9_-]+$")]

CACHE = {"Cache-Control": "private, max-age=1", "Vary": "Authorization"}
LOOKED = "analytics.read"
# Somebody may type what names a person: that something was typed is enough.
_TYPED = {"source", "campaign", "ad_set", "event_id"}
TYPED = "given"


class Asked(BaseModel):
    """A period; without one the last 24 hours."""

    model_config = ConfigDict(extra="forbid")

    period: PeriodName | None = Field(default=None, description="Up to now, or a day.")
    since: Said | None = Field(
        default=None,
        alias="from",
        description="In place of a period: a day of the tenant, or a time; without a zone its.",
        examples=["2026-11-01", "2026-11-01T08:30:00-03:00"],
    )
    until: Said | None = Field(
        default=None, alias="to", description="A day is in it.", examples=["2026-11-30"]
    )

    def period_in(self, view: "View", *, usual: PeriodName = "24h") -> Period:
        """Return the period, in the tenant's time zone; InvalidField names what is wrong."""
        return said_period(
            *(self.period, self.since, self.until), usual=usual, zone=view.zone, now=view.now
        )


class Filtered(Asked):
    """A period, and what of it."""

    gateway: Name | None = None
    funnel: UUID | None = Field(default=None, description="A funnel's id.")

    def filters(self) -> Filters:
        """Return them in the house's words."""
        return Filters(self.gateway, self.funnel)


@dataclass(frozen=True, slots=True)
class View:
    """A transaction that sees the caller's rows, at a moment."""

    tx: Tx
    tenant_id: UUID
    zone: ZoneInfo
    now: dt.datetime


@asynccontextmanager
async def looking(request: Request, caller: Caller, asked: BaseModel) -> AsyncIterator[View]:
    """Look at a tenant's rows, and write down that somebody did.

    InvalidField for what is asked in two ways: which of them is meant?
    """
    tools: ApiTools = request.app.state.tools
    said = Counter(name for name, _ in request.query_params.multi_items())
    if twice := next((name for name, times in said.items() if times > 1), None):
        raise InvalidField("It is said more than once.", field=twice)
    async with tools.database.transaction(tenant_id=caller.tenant_id, waits=False) as tx:
        if isinstance(asked, Filtered):
            words.gateway(asked.gateway, tools.gateways)
        await _note(tx, tools, caller, request.url.path, asked)
        zone = await zone_of(tx, tenant_id=caller.tenant_id)
        yield View(tx, caller.tenant_id, zone, tools.clock.now())


async def _note(tx: Tx, tools: ApiTools, caller: Caller, path: str, asked: BaseModel) -> None:
    """Write an access down: who, which address, and what was asked; not words that were typed."""
    told = asked.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    said: Mapping[str, object] = {
        name: TYPED if name in _TYPED else value for name, value in told.items()
    }
    scribe = Scribe(caller.tenant_id, caller.actor, tools.clock, tools.new_id)
    await scribe.note(tx, LOOKED, path.rpartition("/")[2], said)


def answer(request: Request, told: BaseModel) -> Response:
    """Return an answer with its ETag, or nothing when the caller has it."""
    body = told.model_dump_json(by_alias=True).encode()
    etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {**CACHE, "ETag": etag}
    said = request.headers.get("if-none-match", "")
    held = [one.strip().removeprefix("W/") for one in said.split(",")]
    if etag in held or held == ["*"]:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
