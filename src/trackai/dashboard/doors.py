"""Coming in and going out: sign in, by a code too, sign out, join a team, change tenants."""

from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from trackai.accounts.team import Newcomer
from trackai.dashboard.entering import CODE_PAGE, agent_in, drop, enter, let_in, own_path
from trackai.dashboard.rendering import language_of, render
from trackai.dashboard.visiting import (
    COOKIE,
    HALF_COOKIE,
    Somebody,
    address_of,
    check_origin,
    fields_of,
    recognized,
    somebody,
    tools_of,
)
from trackai.errors import (
    CodeRefused,
    InvalidField,
    NotFound,
    RequestRefused,
    SignInFailed,
    TooManyRequests,
)
from trackai.storage.audit_logs import Scribe

router = APIRouter()


@router.get("/sign-in")
async def sign_in_page(
    request: Request,
    next: str = "/",  # noqa: A002 - in the address
    over: bool = False,  # noqa: FBT001, FBT002 - in the address
) -> Response:
    """Show where to sign in; who is signed in already goes on."""
    if await recognized(request) is not None:
        return RedirectResponse(own_path(next), status_code=303)
    return render(request, "sign_in.html", next=own_path(next), email="", problem=None, over=over)


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Open a session."""
    check_origin(request)
    fields, tools = await fields_of(request), tools_of(request)
    following = own_path(fields.get("next", "/"))
    email = fields.get("email", "")
    try:
        entry = await tools.signing_in.sign_in(
            email,
            fields.get("password", ""),
            address=address_of(request),
            agent=agent_in(request),
        )
    except (SignInFailed, TooManyRequests) as error:
        answer = render(
            request,
            "sign_in.html",
            status=error.status,
            next=following,
            email=email,
            problem=error.code,
            over=False,
        )
        if isinstance(error, SignInFailed):
            answer.background = BackgroundTask(tools.signing_in.note_failure, email)
        return answer
    return let_in(entry, following)


@router.get(CODE_PAGE)
async def code_page(
    request: Request,
    next: str = "/",  # noqa: A002 - in the address
    recovery: bool = False,  # noqa: FBT001, FBT002 - in the address
) -> Response:
    """Ask for a code, of somebody whose password was right."""
    half = request.cookies.get(HALF_COOKIE, "")
    if await tools_of(request).second_factor.awaited(half) is None:
        return RedirectResponse(f"/sign-in?next={quote(own_path(next))}", status_code=303)
    return _code_page(request, own_path(next), recovery=recovery)


@router.post(CODE_PAGE)
async def code(request: Request) -> Response:
    """Open the session that waits for a code."""
    check_origin(request)
    fields = await fields_of(request)
    following, recovery = own_path(fields.get("next", "/")), bool(fields.get("recovery"))
    try:
        entry = await tools_of(request).second_factor.finish(
            request.cookies.get(HALF_COOKIE, ""),
            fields.get("code", ""),
            address=address_of(request),
            agent=agent_in(request),
        )
    except (CodeRefused, TooManyRequests) as error:
        return _code_page(request, following, recovery=recovery, problem=error)
    if entry is None:
        return RedirectResponse(f"/sign-in?next={quote(following)}", status_code=303)
    answer = let_in(entry, following)
    drop(answer, HALF_COOKIE)
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, who: Somebody) -> Response:
    """End the session."""
    await tools_of(request).signing_in.sign_out(who)
    answer = RedirectResponse("/sign-in", status_code=303)
    drop(answer, COOKIE)
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
    return await enter(request, user)


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


def _code_page(
    request: Request, following: str, *, recovery: bool, problem: RequestRefused | None = None
) -> Response:
    return render(
        request,
        "code.html",
        status=problem.status if problem else 200,
        next=following,
        recovery=recovery,
        problem=problem.code if problem else None,
    )
