"""What was not delivered: why, how often it was tried, and sending it again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.accounts import words as checked
from trackai.dashboard.breakers import open_breakers
from trackai.dashboard.rendering import render_page
from trackai.dashboard.visiting import Operate, See, Visit, fields_of, tools_of
from trackai.dispatch.dead_letters import DeadLetters, Wish
from trackai.errors import InvalidField, NotFound
from trackai.gateways.registry import titles
from trackai.storage.dead_letters import Wanted

router = APIRouter()


# Most that are listed, and most that are counted by gateway and reason. Each of these is looked up
# by itself: a thousand took 35 ms on a busy machine, with rows that lie at random.
SHOWN, COUNTED = 200, 1000
# Reasons that somebody mends where pixels are connected.
OF_PIXELS = frozenset(
    (
        *("token_refused", "permission_missing", "account_invalid", "event_name_missing"),
        *("destination_gone", "destination_disconnected"),
    )
)


@router.get("/failures")
async def failures(
    request: Request, visit: See, reason: str | None = None, gateway: str | None = None
) -> Response:
    """Show the newest dead letters, of one reason or of all, and what is held back now.

    The latter alone to whoever asks for the part that changes.
    """
    held = await open_breakers(tools_of(request), tenant_id=visit.membership.tenant_id)
    if request.headers.get("hx-request"):
        return await render_page(request, visit, "breakers.html", breakers=held)
    letters, asked = _letters(request, visit), checked.reason(reason or None)
    of = _gateway(gateway)
    known = await letters.count(limit=COUNTED)
    shown = await letters.list(Wanted(reason=asked, gateway=of), limit=SHOWN)
    return await render_page(
        request,
        visit,
        "failures.html",
        breakers=held,
        letters=shown,
        known=known,
        reasons=_reasons(known),
        reason=asked,
        gateway=of,
        counted=COUNTED if sum(number for *_, number in known) == COUNTED else None,
        full=len(shown) == SHOWN,
        shown=SHOWN,
        of_pixels=OF_PIXELS,
        titles=titles(),
    )


@router.get("/failures/{delivery_id}")
async def failure(request: Request, visit: See, delivery_id: UUID) -> Response:
    """Show one with every try."""
    return await render_page(
        request,
        visit,
        "failure.html",
        letter=await _letters(request, visit).show(delivery_id),
        of_pixels=OF_PIXELS,
        titles=titles(),
    )


@router.post("/failures/replays")
async def replay(request: Request, visit: Operate) -> Response:
    """Send one again, those of a reason, or all."""
    wish = Wish(visit.who.actor, _wanted(await fields_of(request)))
    made = await _letters(request, visit).replay(wish)
    return RedirectResponse(f"/failures/replays/{made['id']}", status_code=303)


@router.get("/failures/replays/{replay_id}")
async def progress(request: Request, visit: See, replay_id: UUID) -> Response:
    """Show how far a replay is, and what holds it back."""
    part = "replay_progress.html" if request.headers.get("hx-request") else "replay.html"
    found = await _letters(request, visit).progress(replay_id)
    over = not found["waiting"] and not found["under_way"]
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    held = [] if over else await open_breakers(tools, tenant_id=tenant_id)
    return await render_page(request, visit, part, replay=found, over=over, breakers=held)


@router.post("/failures/discards")
async def discard(request: Request, visit: Operate) -> Response:
    """Give one up for good, or those of a reason; the audit log keeps why."""
    fields = await fields_of(request)
    wanted = _wanted(fields)
    if wanted == Wanted():
        raise InvalidField("Say which.", field="reason")
    why = checked.why(fields.get("why", ""))
    await _letters(request, visit).discard(wanted, actor=visit.who.actor, why=why)
    return RedirectResponse("/failures", status_code=303)


def _letters(request: Request, visit: Visit) -> DeadLetters:
    tools = tools_of(request)
    return DeadLetters(tools.database, tools.clock, tools.new_id, visit.membership.tenant_id)


def _wanted(fields: Mapping[str, str]) -> Wanted:
    if not fields.get("delivery_id"):
        return Wanted(
            reason=checked.reason(fields.get("reason") or None),
            gateway=_gateway(fields.get("gateway")),
        )
    try:
        return Wanted(ids=[UUID(fields["delivery_id"])])
    except ValueError:
        raise NotFound("There is no such dead letter.") from None


def _gateway(text: str | None) -> str | None:
    """Return a gateway to filter by, of which there may be none any more."""
    return checked.word(text, "gateway", most=checked.MOST_REASON) if text else None


def _reasons(known: Sequence[tuple[str, str, int]]) -> list[tuple[str, int]]:
    """Return reasons by how often they are seen, of all gateways together."""
    of: Counter[str] = Counter()
    for _, reason, number in known:
        of[reason] += number
    return of.most_common()
