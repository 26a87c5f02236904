"""Somebody's own: language, password, and the browsers they are signed in with."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.accounts.signing_in import SignedIn
from trackai.dashboard.rendering import render
from trackai.dashboard.visiting import Somebody, Visit, fields_of, tools_of
from trackai.errors import InvalidField, NotFound

router = APIRouter()


@router.get("/account")
async def account(request: Request, who: Somebody) -> Response:
    """Show it."""
    return await _page(request, who)


@router.post("/account/language")
async def language(request: Request, who: Somebody) -> Response:
    """Read pages in another language."""
    asked = (await fields_of(request)).get("language", "")
    await tools_of(request).team.set_language(who.user, asked)
    return RedirectResponse("/account", status_code=303)


@router.post("/account/password")
async def password(request: Request, who: Somebody) -> Response:
    """Change the password; other browsers are signed out."""
    fields = await fields_of(request)
    try:
        await tools_of(request).team.change_password(
            who.user,
            old=fields.get("old", ""),
            new=fields.get("new", ""),
            session_id=who.session.id,
        )
    except InvalidField as error:
        return await _page(request, who, problem=error.field)
    return await _page(request, who, done=True)


@router.post("/account/sessions/{session_id}/end")
async def end(request: Request, who: Somebody, session_id: UUID) -> Response:
    """Sign another browser out."""
    if not await tools_of(request).signing_in.end_session(who.user.id, session_id):
        raise NotFound("There is no such session.")
    return RedirectResponse("/account", status_code=303)


async def _page(
    request: Request, who: SignedIn, *, problem: str | None = None, done: bool = False
) -> Response:
    signing_in = tools_of(request).signing_in
    return render(
        request,
        "account.html",
        status=422 if problem else 200,
        visit=Visit(who, who.membership) if who.membership else None,
        memberships=await signing_in.memberships(who.user),
        sessions=await signing_in.sessions(who.user.id),
        problem=problem,
        done=done,
    )
