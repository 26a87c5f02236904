"""Events as they happen: click, webhook, match, try, and what the ad platform said."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from trackai.analytics.metrics import zone_of
from trackai.analytics.recent import MINUTES
from trackai.dashboard.rendering import HEADERS, draw, language_of, render_page
from trackai.dashboard.timeline import TONES
from trackai.dashboard.visiting import See, tools_of
from trackai.dashboard.watching import View, Watch, view_of
from trackai.gateways.registry import titles
from trackai.model.delivery import DeliveryStatus
from trackai.model.match import MatchStrategy
from trackai.storage.pool import Row

router = APIRouter()

# Who may look is asked anew this often: a stream ends, and the browser comes again.
LASTS_S = 60.0
# Something is sent this often, so that nothing between takes the line for dead.
BEAT_S = 15.0
# How soon the browser comes again, in milliseconds.
_AGAIN_MS = 1000


@dataclass(frozen=True, slots=True)
class Link:
    """A part of an event's way."""

    name: str  # of live.*
    tone: str  # good, bad, wait, or none: it is not there
    text: str = ""  # a key of words that says more
    number: int | None = None


@router.get("/live")
async def live(request: Request, visit: See) -> Response:
    """Show the newest events; the page's script keeps them so."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
        view = await view_of(tx, tenant_id=tenant_id, now=tools.clock.now())
    shown = _shown(view)
    return await render_page(request, visit, "live.html", zone=zone, **shown)


@router.get("/live/stream")
async def stream(request: Request, visit: See) -> Response:
    """Send the newest events whenever they change, as server-sent events (HTML Living Standard)."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    tools.watch.check_room()
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
    sent = _sent(tools.watch, tenant_id, partial(_drawn, language_of(request), zone))
    # Proxies are asked to pass on what comes when it comes.
    headers = {**HEADERS, "x-accel-buffering": "no"}
    return StreamingResponse(sent, media_type="text/event-stream", headers=headers)


async def _sent(watch: Watch, tenant_id: UUID, drawn: Callable[[View], str]) -> AsyncIterator[str]:
    """Yield what goes over a stream, until it is to be asked for again."""
    loop = asyncio.get_running_loop()
    ends, number = loop.time() + LASTS_S, 0
    yield f"retry: {_AGAIN_MS}\n\n"
    with watch.watching(tenant_id) as room:
        while not watch.over and (left := ends - loop.time()) > 0:
            view = await room.after(number, timeout_s=min(BEAT_S, left))
            if view is None:
                yield ":\n\n"
                continue
            number = view.number
            yield "".join(f"data: {line}\n" for line in drawn(view).splitlines()) + "\n"


def _drawn(language: str, zone: ZoneInfo, view: View) -> str:
    if language not in view.drawn:
        view.drawn[language] = draw("live_now.html", language, zone, **_shown(view))
    return view.drawn[language]


def _shown(view: View) -> dict[str, Any]:
    return {
        "rows": [(row, chain_of(row)) for row in view.rows],
        "recent": view.recent,
        "minutes": MINUTES,
        "gateways": titles(),
    }


def chain_of(row: Mapping[str, Any] | Row) -> Sequence[Link]:
    """Return an event's way, from the click to what the ad platform said."""
    status, strategy = DeliveryStatus(row["status"]), row["strategy"]
    undecided = "wait" if strategy is None else ""
    matched = "good" if strategy not in {None, MatchStrategy.UNMATCHED} else undecided
    # What was withheld, or given up before anything was tried, was never sent.
    tried = TONES[status] if row["attempts"] or status is DeliveryStatus.PENDING else ""
    return (
        Link("click", "good" if row["clicked_at"] else undecided),
        Link("webhook", "good"),
        Link("match", matched, f"strategy.{strategy}" if strategy else ""),
        Link("try", tried, number=row["attempts"]),
        Link("answer", TONES[status], f"status.{status}"),
    )
