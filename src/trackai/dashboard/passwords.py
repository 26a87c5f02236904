"""A password that was forgotten: a link by mail, and where it leads."""

from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from trackai.accounts.scribing import NOBODY
from trackai.dashboard.entering import enter
from trackai.dashboard.rendering import render
from trackai.dashboard.tools import DashboardTools
from trackai.dashboard.visiting import address_of, check_origin, fields_of, tools_of
from trackai.errors import InvalidField, TooManyRequests, TrackaiError
from trackai.mail.letters import new_password
from trackai.telemetry.logging import get_logger

router = APIRouter()


@router.get("/forgot")
async def forgot_page(request: Request) -> Response:
    """Show where to ask for a link; without mail, whom to ask."""
    return _page(request)


@router.post("/forgot")
async def forgot(request: Request) -> Response:
    """Send a link to whoever has this e-mail. The answer is the same when nobody has."""
    check_origin(request)
    tools, email = tools_of(request), (await fields_of(request)).get("email", "")
    if tools.mail is None:
        return _page(request)
    try:
        await tools.new_passwords.ask(email, address=address_of(request))
    except (InvalidField, TooManyRequests) as error:
        return _page(request, status=error.status, problem=error.code, email=email)
    answer = _page(request, asked=True)
    # Looked up when the answer has gone: how long that takes would tell who is known.
    answer.background = BackgroundTask(_send_link, tools, email)
    return answer


@router.get("/password/{token}")
async def password_page(request: Request, token: str) -> Response:
    """Show where to set a new password."""
    await tools_of(request).new_passwords.check_link(token)
    return render(request, "password.html", problem=None)


@router.post("/password/{token}")
async def set_password(request: Request, token: str) -> Response:
    """Set a password by a link."""
    check_origin(request)
    fields = await fields_of(request)
    try:
        user = await tools_of(request).new_passwords.set_by_link(token, fields.get("password", ""))
    except InvalidField as error:
        return render(request, "password.html", status=error.status, problem=error.field)
    return await enter(request, user)


async def _send_link(tools: DashboardTools, email: str) -> None:
    try:
        found = await tools.new_passwords.forgot(email, by=NOBODY)
        if found is None or tools.mail is None:
            return
        user, token = found
        link = f"{tools.base_url}/password/{token}"
        await tools.mail.send(new_password(user.language, to=user.email, link=link))
    except TrackaiError as error:
        # Nobody waits for an answer any more; who asked asks again.
        get_logger().warning("password_link.not_sent", error=error.code)


def _page(
    request: Request,
    *,
    status: int = 200,
    asked: bool = False,
    problem: str | None = None,
    email: str = "",
) -> Response:
    return render(
        request,
        "forgot.html",
        status=status,
        mails=tools_of(request).mail is not None,
        asked=asked,
        problem=problem,
        email=email,
    )
