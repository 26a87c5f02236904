"""Coming in and going out: sign in, sign out, join a team, set a password, change tenants."""

from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.accounts.signing_in import LONGEST
from trackai.accounts.team import Newcomer
from trackai.dashboard.agents import agent_of
from trackai.dashboard.rendering import language_of, render
from trackai.dashboard.visiting import (
    COOKIE,
    Somebody,
    address_of,
    check_origin,
    fields_of,
    recognized,
    somebody,
    tools_of,
)
from trackai.errors import InvalidField, NotFound, SignInFailed, TooManyRequests
from trackai.storage.audit_logs import Scribe
from trackai.storage.users import User

router = APIRouter()


@router.get("/sign-in")
async def sign_in_page(request: Request, next: str = "/") -> Response:  # noqa: A002 - in the address
    """Show where to sign in; who is signed in already goes on."""
    if await recognized(request) is not None:
        return RedirectResponse(_own_path(next), status_code=303)
    return render(request, "sign_in.html", next=_own_path(next), email="", problem=None)


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Open a session."""
    check_origin(request)
    fields, tools = await fields_of(request), tools_of(request)
    following = _own_path(fields.get("next", "/"))
    email = fields.get("email", "")
    try:
        token = await tools.signing_in.sign_in(
            email,
            fields.get("password", ""),
            address=address_of(request),
            agent=agent_of(request.headers.get("user-agent", "")),
        )
    except (SignInFailed, TooManyRequests) as error:
        return render(
            request,
            "sign_in.html",
            status=error.status,
            next=following,
            email=email,
            problem=error.code,
        )
    return _with_session(RedirectResponse(following, status_code=303), token)


@router.post("/sign-out")
async def sign_out(request: Request, who: Somebody) -> Response:
    """End the session."""
    await tools_of(request).signing_in.sign_out(who)
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return answer


@router.post("/tenant")
async def change_tenant(request: Request, who: Somebody) -> Response:
    """Look at another tenant; a platform operator's entry is noted there."""
    tools = tools_of(request)
    try:
        tenant_id = UUID((await fields_of(request)).get("tenant_id", ""))
    except ValueError:
        raise NotFound("There is no such tenant.") from None
    found = await tools.signing_in.switch(who, tenant_id)
    if found is None:
        raise NotFound("There is no such tenant.")
    if who.user.platform_operator:
        scribe = Scribe(tenant_id, who.actor, tools.clock, tools.new_id)
        async with tools.database.transaction(tenant_id=tenant_id) as tx:
            await scribe.note(tx, "tenant.enter", tenant_id)
    return RedirectResponse("/", status_code=303)


@router.get("/join/{token}")
async def join_page(request: Request, token: str) -> Response:
    """Show an invitation."""
    return await _join_page(request, token)


@router.post("/join/{token}")
async def join(request: Request, token: str) -> Response:
    """Take an invitation up: as somebody new, or as who is signed in."""
    check_origin(request)
    tools, fields = tools_of(request), await fields_of(request)
    _, known, _ = await tools.team.invitation(token)
    if known is not None:
        who = await somebody(request)
        await tools.team.join_as(token, who.user)
        return RedirectResponse("/", status_code=303)
    newcomer = Newcomer(
        fields.get("name", ""), fields.get("password", ""), fields.get("language", "")
    )
    try:
        user = await tools.team.join_new(token, newcomer)
    except InvalidField as error:
        return await _join_page(request, token, problem=error.field, name=newcomer.name)
    return await _enter(request, user)


@router.get("/password/{token}")
async def password_page(request: Request, token: str) -> Response:
    """Show where to set a new password."""
    await tools_of(request).team.check_password_link(token)
    return render(request, "password.html", problem=None)


@router.post("/password/{token}")
async def set_password(request: Request, token: str) -> Response:
    """Set a password by a link."""
    check_origin(request)
    fields = await fields_of(request)
    try:
        user = await tools_of(request).team.set_password(token, fields.get("password", ""))
    except InvalidField as error:
        return render(request, "password.html", status=error.status, problem=error.field)
    return await _enter(request, user)


async def _join_page(
    request: Request, token: str, *, problem: str | None = None, name: str = ""
) -> Response:
    link, known, tenant = await tools_of(request).team.invitation(token)
    who = await recognized(request)
    return render(
        request,
        "join.html",
        status=422 if problem else 200,
        email=link.email,
        tenant=tenant,
        role=link.role,
        known=known is not None,
        signed_in=who is not None and known is not None and who.user.id == known.id,
        problem=problem,
        name=name,
        chosen=language_of(request),
    )


async def _enter(request: Request, user: User) -> Response:
    tools = tools_of(request)
    agent = agent_of(request.headers.get("user-agent", ""))
    token = await tools.signing_in.enter(user, agent=agent)
    return _with_session(RedirectResponse("/", status_code=303), token)


def _with_session(answer: RedirectResponse, token: str) -> Response:
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return answer


def _own_path(asked: str) -> str:
    """Return a path of this site: a link must not lead through here to another one."""
    parts = urlsplit(asked)
    own = asked.startswith("/") and not asked.startswith(("//", "/\\"))
    return asked if own and not parts.scheme and not parts.netloc else "/"
