"""One pixel: what Meta says of its token, a test event, another token, a test event code."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.accounts.upkeep import Change
from trackai.dashboard.connecting import (
    load_connections,
    pixels_of,
    problem_of,
    refusal_of,
    trial_of,
    upkeep_of,
)
from trackai.dashboard.rendering import render_page
from trackai.dashboard.visiting import Manage, Operate, See, Visit, fields_of
from trackai.dashboard.words import why
from trackai.errors import InvalidField
from trackai.model.delivery import Accepted, Outcome

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Tested:
    """What Meta said of a test event."""

    code: str
    words: str  # a key
    taken: bool
    detail: str = ""  # Meta's own words


@router.get("/connections/pixels/{destination_id}")
async def pixel(request: Request, visit: See, destination_id: UUID) -> Response:
    """Show one."""
    return await _page(request, visit, destination_id)


@router.post("/connections/pixels/{destination_id}/token")
async def set_token(request: Request, visit: Manage, destination_id: UUID) -> Response:
    """Replace the token, if Meta takes the new one."""
    problem = await change_token(request, visit, destination_id, await fields_of(request))
    if problem:
        return await _page(request, visit, destination_id, problem=problem)
    return RedirectResponse(f"/connections/pixels/{destination_id}?done=token", status_code=303)


@router.post("/connections/pixels/{destination_id}/ask")
async def ask(request: Request, visit: Operate, destination_id: UUID) -> Response:
    """Ask Meta about the token now."""
    account = await upkeep_of(request, visit).destination(destination_id)
    await pixels_of(request, visit).ask(account)
    return RedirectResponse(f"/connections/pixels/{destination_id}", status_code=303)


@router.post("/connections/pixels/{destination_id}/test")
async def test(request: Request, visit: Operate, destination_id: UUID) -> Response:
    """Send a test event, and show what Meta says of it."""
    try:
        tested = await send_test(request, visit, destination_id, await fields_of(request))
    except InvalidField as error:
        return await _page(request, visit, destination_id, problem=problem_of(error))
    return await _page(request, visit, destination_id, tested=tested)


@router.post("/connections/pixels/{destination_id}/code")
async def set_code(request: Request, visit: Manage, destination_id: UUID) -> Response:
    """Let sales appear among Meta's test events, or no longer."""
    problem = await change_code(request, visit, destination_id, await fields_of(request))
    if problem:
        return await _page(request, visit, destination_id, problem=problem)
    return RedirectResponse(f"/connections/pixels/{destination_id}?done=code", status_code=303)


async def change_code(
    request: Request, visit: Visit, destination_id: UUID, fields: Mapping[str, str]
) -> str | None:
    """Set the test event code of a form; return a key of words when it cannot be one."""
    change = Change(test_event_code=fields.get("test_event_code", "").strip())
    try:
        await upkeep_of(request, visit).change_destination(destination_id, change)
    except InvalidField as error:
        return problem_of(error)
    return None


async def change_token(
    request: Request, visit: Visit, destination_id: UUID, fields: Mapping[str, str]
) -> str | None:
    """Set the token of a form; return a key of words when it is refused."""
    try:
        said = await pixels_of(request, visit).set_token(destination_id, fields.get("token", ""))
    except InvalidField as error:
        return problem_of(error)
    return refusal_of(said)


async def send_test(
    request: Request, visit: Visit, destination_id: UUID, fields: Mapping[str, str]
) -> Tested:
    """Send an event that stands for nothing, with the test event code of a form."""
    account = await upkeep_of(request, visit).destination(destination_id)
    code = fields.get("test_event_code", "").strip()
    outcome = await trial_of(request, visit).send(replace(account, test_event_code=code))
    return _said(code, outcome)


def _said(code: str, outcome: Outcome) -> Tested:
    if isinstance(outcome, Accepted):
        return Tested(code, "pixels.test_taken", taken=True)
    return Tested(code, why(outcome.reason), taken=False, detail=outcome.detail)


async def _page(
    request: Request,
    visit: Visit,
    destination_id: UUID,
    *,
    problem: str | None = None,
    tested: Tested | None = None,
) -> Response:
    known = await load_connections(request, visit)
    return await render_page(
        request,
        visit,
        "pixel.html",
        status=422 if problem else 200,
        one=known.pixel(destination_id),
        problem=problem,
        tested=tested,
        done=request.query_params.get("done"),
    )
