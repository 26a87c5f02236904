"""The pages as one ASGI application: routes, static files, and every error as a page."""

from contextlib import suppress
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from trackai.accounts.signing_in import SignedIn
from trackai.dashboard import (
    account,
    ad_spend,
    alarms,
    audit,
    campaigns,
    connections,
    conversions,
    doors,
    events,
    exports,
    failures,
    flags,
    funnels,
    gateway,
    go_live,
    home,
    keys,
    live,
    match_rate,
    passwords,
    performance,
    pixel,
    privacy,
    runbooks,
    second_factor,
    settings,
    starting,
    static,
    team,
)
from trackai.dashboard.error_pages import error_page, known, page_before
from trackai.dashboard.tools import DashboardTools
from trackai.dashboard.uploads import Forms
from trackai.dashboard.visiting import COOKIE, SignInNeeded, recognized
from trackai.errors import Forbidden, RequestRefused, TrackaiError, Unavailable
from trackai.telemetry.logging import get_logger

LEAST_GZIPPED_BYTES = 1000
ROOMS = (
    *(static, doors, passwords, account, second_factor),
    *(home, live, conversions, campaigns, ad_spend, events, match_rate, performance, failures),
    *(exports, alarms, runbooks, team, keys, audit, go_live),
    *(funnels, connections, gateway, pixel, starting, settings, privacy, flags),
)


def create_dashboard(tools: DashboardTools) -> Forms:
    """Return the pages over these tools."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.tools = tools
    app.add_middleware(GZipMiddleware, minimum_size=LEAST_GZIPPED_BYTES)
    for room in ROOMS:
        app.include_router(room.router)
    app.add_exception_handler(SignInNeeded, _to_sign_in)
    app.add_exception_handler(TrackaiError, _refused)
    # An id in an address that is none.
    app.add_exception_handler(RequestValidationError, _refused)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _broken)
    return Forms(app, tools.signing_in)


async def _to_sign_in(request: Request, _error: Exception) -> Response:
    """Lead to the sign-in page, and from there back to where they wanted to go, or came from."""
    said = {}
    if (back := request.url.path if request.method == "GET" else page_before(request)) is not None:
        said["next"] = back
    if COOKIE in request.cookies:
        said["over"] = "1"  # they were signed in, and wonder
    address = "/sign-in" + (f"?{urlencode(said, safe='/')}" if said else "")
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"hx-redirect": address})
    return RedirectResponse(address, status_code=303)


async def _refused(request: Request, error: Exception) -> Response:
    if COOKIE in request.cookies and not hasattr(request.state, "who"):
        # An address that there is not asked nobody; the page is in their language all the same.
        with suppress(TrackaiError):
            await recognized(request)
    told = error if isinstance(error, TrackaiError) else known(error)
    if isinstance(told, Forbidden):
        _note_refusal(request, told)
    elif not isinstance(told, RequestRefused | Unavailable):
        _note(request, told)
    return error_page(request, told)


async def _broken(request: Request, error: Exception) -> Response:
    _note(request, error)
    return error_page(request, TrackaiError("Something broke here. It was noted; try again."))


def _note_refusal(request: Request, error: Forbidden) -> None:
    """Write down who tried what they may not: nobody is led there by a page."""
    who: SignedIn | None = getattr(request.state, "who", None)
    get_logger().warning(
        "page.refused",
        reason=error.code,
        method=request.method,
        path=getattr(request.scope.get("route"), "path", None),
        who=who.actor if who else None,
        tenant_id=str(who.membership.tenant_id) if who and who.membership else None,
    )


def _note(request: Request, error: Exception) -> None:
    # As it is written in the code: what stands in an address may be a secret.
    path = getattr(request.scope.get("route"), "path", None)
    get_logger().error("page.failed", error=type(error).__name__, path=path)
