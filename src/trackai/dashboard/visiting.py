"""Who asks for a page: a browser's session, what it may do, and proof that it meant to."""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from trackai.accounts.signing_in import SignedIn
from trackai.dashboard.navigation import Place
from trackai.dashboard.tools import DashboardTools
from trackai.errors import (
    Forbidden,
    FromElsewhere,
    NotAuthenticated,
    NoTeam,
    OperatorsOnly,
    PageTooOld,
)
from trackai.model.access import Permission
from trackai.storage.memberships import Membership

# The prefix makes browsers refuse one of another host, or that came in the clear (RFC 6265bis).
COOKIE = "__Host-trackai"
# What a browser holds whose password was right, while its code is awaited.
HALF_COOKIE = "__Host-trackai-half"
FIELD = "csrf"
HEADER = "x-csrf-token"
_MASK_BYTES = 32


class SignInNeeded(NotAuthenticated):
    """A page needs somebody who is signed in."""

    def __init__(self) -> None:
        super().__init__("Sign in first.")


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who is signed in and looks at a tenant."""

    who: SignedIn
    membership: Membership

    def may(self, permission: Permission) -> bool:
        """Return whether they may do what needs this permission."""
        return self.who.may(permission)

    def may_enter(self, place: Place) -> bool:
        """Return whether a page of the menu is for them."""
        operates = self.who.user.platform_operator or not place.operators_only
        return operates and self.may(place.permission)


def tools_of(request: Request) -> DashboardTools:
    """Return what pages work with."""
    tools: DashboardTools = request.app.state.tools
    return tools


def address_of(request: Request) -> str:
    """Return where a request comes from, through proxies that are trusted; blank if unknown."""
    peer = request.client.host if request.client else None
    forwarded = request.headers.getlist("x-forwarded-for")
    return tools_of(request).proxies.client_address(peer, forwarded) or ""


async def recognized(request: Request) -> SignedIn | None:
    """Return who is signed in, if anybody is; the page is then in their language."""
    who = await tools_of(request).signing_in.recognize(request.cookies.get(COOKIE, ""))
    request.state.who = who
    return who


async def somebody(request: Request) -> SignedIn:
    """Return who is signed in; whatever changes something has to be meant."""
    who = await recognized(request)
    if who is None:
        raise SignInNeeded
    if request.method != "GET":
        check_origin(request)
        await _check_token(request, who)
    return who


def visit_with(permission: Permission) -> Callable[..., Awaitable[Visit]]:
    """Return a dependency: somebody who may do this with the tenant in view."""

    async def visit(request: Request) -> Visit:
        who = await somebody(request)
        if who.membership is None:
            raise NoTeam
        if not who.may(permission):
            raise Forbidden("Your role in this team does not allow that.")
        return Visit(who, who.membership)

    return visit


# What a page's function takes: who asks, and that they may.
Somebody = Annotated[SignedIn, Depends(somebody)]
See = Annotated[Visit, Depends(visit_with(Permission.SEE))]
Operate = Annotated[Visit, Depends(visit_with(Permission.OPERATE))]
Configure = Annotated[Visit, Depends(visit_with(Permission.CONFIGURE))]
Manage = Annotated[Visit, Depends(visit_with(Permission.MANAGE))]


async def operating(visit: See) -> Visit:
    """Return a visit of somebody who runs the installation."""
    if not visit.who.user.platform_operator:
        raise OperatorsOnly
    return visit


# What is of all tenants.
Operating = Annotated[Visit, Depends(operating)]


def check_origin(request: Request) -> None:
    """Refuse what another site's page sent: browsers name it with every POST."""
    origin = urlsplit(request.headers.get("origin", ""))
    if not origin.netloc or origin.netloc != request.headers.get("host"):
        raise FromElsewhere


def masked_token(who: SignedIn) -> str:
    """Return proof that a form is of a page that this session was shown, new each time.

    A token that were the same in every page could be guessed from the lengths of compressed pages
    (BREACH, 2013).
    """
    mask = secrets.token_bytes(_MASK_BYTES)
    return (mask + _xor(mask, _token_of(who))).hex()


def is_token(who: SignedIn, given: str) -> bool:
    """Return whether a form holds the proof of this session."""
    try:
        raw = bytes.fromhex(given)
    except ValueError:
        return False
    mask, masked = raw[:_MASK_BYTES], raw[_MASK_BYTES:]
    return len(masked) == _MASK_BYTES and hmac.compare_digest(_xor(mask, masked), _token_of(who))


async def fields_of(request: Request) -> Mapping[str, str]:
    """Return a form's text fields, the last of each name."""
    form = await _form_of(request)
    return {name: value for name, value in form.items() if isinstance(value, str)}


async def file_of(request: Request, name: str) -> bytes | None:
    """Return what a form's file holds; None when it brings none."""
    await _form_of(request)
    found: bytes | None = request.state.files.get(name)
    return found


async def _form_of(request: Request) -> FormData:
    """Return a form; its file is read at once, so that none stays open whatever becomes of it."""
    form: FormData = await request.form(max_files=1, max_fields=200)
    if not hasattr(request.state, "files"):
        request.state.files = {}
        for name, given in form.multi_items():
            if isinstance(given, UploadFile):
                request.state.files[name] = await given.read()
                await given.close()
    return form


async def _check_token(request: Request, who: SignedIn) -> None:
    given = request.headers.get(HEADER)
    if given is None:
        given = (await fields_of(request)).get(FIELD, "")
    if not is_token(who, given):
        raise PageTooOld


def _token_of(who: SignedIn) -> bytes:
    return hmac.digest(who.token.encode(), b"forms", "sha256")


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
