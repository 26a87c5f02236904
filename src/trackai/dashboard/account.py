"""Somebody's own: language, password, second factor, and the browsers they are signed in with."""

from collections.abc import Sequence
from uuid import UUID

import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.accounts.signing_in import SignedIn
from trackai.analytics.metrics import zone_of
from trackai.dashboard.rendering import render
from trackai.dashboard.visiting import Somebody, Visit, address_of, fields_of, tools_of
from trackai.errors import InvalidField, NotFound, RequestRefused, TooManyRequests

router = APIRouter()


@router.get("/account")
async def account(request: Request, who: Somebody) -> Response:
    """Show it."""
    return await account_page(request, who)


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
        await tools_of(request).new_passwords.change(
            who.user,
            old=fields.get("old", ""),
            new=fields.get("new", ""),
            session=who.session,
            address=address_of(request),
        )
    except (InvalidField, TooManyRequests) as error:
        return await account_page(request, who, problem=error)
    return await account_page(request, who, done=True)


@router.post("/account/sessions/{session_id}/end")
async def end(request: Request, who: Somebody, session_id: UUID) -> Response:
    """Sign another browser out."""
    if not await tools_of(request).signing_in.end_session(who.user.id, session_id):
        raise NotFound("There is no such session.")
    return RedirectResponse("/account", status_code=303)


async def account_page(
    request: Request,
    who: SignedIn,
    *,
    problem: RequestRefused | None = None,
    factor_problem: RequestRefused | None = None,
    done: bool = False,
    recovery_codes: Sequence[str] = (),
) -> Response:
    """Return the page, with what could not be done, or with what is shown this once."""
    tools = tools_of(request)
    zone = None
    if who.membership:
        tenant_id = who.membership.tenant_id
        async with tools.database.transaction(tenant_id=tenant_id) as tx:
            zone = await zone_of(tx, tenant_id=tenant_id)
    standing = await tools.second_factor.standing(who.user)
    refused = problem or factor_problem
    return render(
        request,
        "account.html",
        zone=zone,
        status=refused.status if refused else 200,
        visit=Visit(who, who.membership) if who.membership else None,
        memberships=await tools.signing_in.memberships(who.user),
        sessions=await tools.signing_in.sessions(who.user.id),
        factor=standing,
        picture=_picture_of(standing.address) if standing.address else None,
        recovery_codes=recovery_codes,
        problem=_word_of(problem),
        factor_problem=_word_of(factor_problem),
        done=done,
    )


def _word_of(refused: RequestRefused | None) -> str | None:
    """Return what words say that: the field that is wrong, or the error."""
    return (refused.field or refused.code) if refused else None


def _picture_of(address: str) -> str:
    """Return a QR code as an address of its own: no file, and nothing in any log."""
    made = segno.make(address, error="m")
    # On white whatever the theme: cameras look for dark on light.
    return made.svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
