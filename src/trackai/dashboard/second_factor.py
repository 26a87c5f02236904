"""Somebody's own second factor: offered, confirmed by a code, turned off."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.dashboard.account import account_page
from trackai.dashboard.visiting import Somebody, address_of, fields_of, tools_of
from trackai.errors import InvalidField, TooManyRequests

router = APIRouter()


@router.post("/account/second-factor")
async def offer(request: Request, who: Somebody) -> Response:
    """Offer a secret, to somebody who knows the password."""
    password = (await fields_of(request)).get("old", "")
    try:
        await tools_of(request).second_factor.offer(who.user, password, address=address_of(request))
    except (InvalidField, TooManyRequests) as error:
        return await account_page(request, who, factor_problem=error)
    return _to_it()


@router.post("/account/second-factor/confirm")
async def confirm(request: Request, who: Somebody) -> Response:
    """Let it count from a right code on; other browsers are signed out, recovery codes shown."""
    code = (await fields_of(request)).get("code", "")
    try:
        codes = await tools_of(request).second_factor.confirm(who.user, code, session=who.session)
    except InvalidField as error:
        return await account_page(request, who, factor_problem=error)
    return await account_page(request, who, recovery_codes=codes)


@router.post("/account/second-factor/off")
async def turn_off(request: Request, who: Somebody) -> Response:
    """Ask for no code any more, of somebody who knows password and code."""
    fields = await fields_of(request)
    try:
        await tools_of(request).second_factor.turn_off(
            who.user,
            fields.get("old", ""),
            fields.get("code", ""),
            address=address_of(request),
        )
    except (InvalidField, TooManyRequests) as error:
        return await account_page(request, who, factor_problem=error)
    return _to_it()


def _to_it() -> Response:
    return RedirectResponse("/account#second-factor", status_code=303)
