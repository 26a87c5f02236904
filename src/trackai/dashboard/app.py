"""The pages as one ASGI application: routes, static files, and every error as a page."""

from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

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
    funnels,
    gateway,
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
from trackai.dashboard.rendering import render
from trackai.dashboard.tools import DashboardTools
from trackai.dashboard.uploads import Forms
from trackai.dashboard.visiting import SignInNeeded
from trackai.dashboard.words import words_of
from trackai.errors import NotFound, TrackaiError
from trackai.ingest.wire import refusal
from trackai.telemetry.logging import get_logger

LEAST_GZIPPED_BYTES = 1000
ROOMS = (
    *(static, doors, passwords, account, second_factor),
    *(home, live, conversions, campaigns, ad_spend, events, match_rate, performance, failures),
    *(exports, alarms, runbooks, team, keys, audit),
    *(funnels, connections, gateway, pixel, starting, settings, privacy),
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
    app.add_exception_handler(RequestValidationError, _by_framework)
    app.add_exception_handler(HTTPException, _by_framework)
    app.add_exception_handler(Exception, _broken)
    return Forms(app, tools.signing_in)


async def _to_sign_in(request: Request, _error: Exception) -> Response:
    """Lead to the sign-in page, and from there back to where they wanted to go."""
    back = f"?next={quote(request.url.path)}" if request.method == "GET" else ""
    address = f"/sign-in{back}"
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"hx-redirect": address})
    return RedirectResponse(address, status_code=303)


async def _refused(request: Request, error: Exception) -> Response:
    known = error if isinstance(error, TrackaiError) else TrackaiError("Something broke here.")
    return _error_page(request, known)


async def _by_framework(request: Request, _error: Exception) -> Response:
    return _error_page(request, NotFound("There is nothing at this address."))


async def _broken(request: Request, error: Exception) -> Response:
    get_logger().error("page.failed", error=type(error).__name__, path=request.url.path)
    return _error_page(request, TrackaiError("Something broke here. It was noted; try again."))


def _error_page(request: Request, error: TrackaiError) -> Response:
    """Say in the reader's language what is wrong; to programs, in JSON."""
    if "text/html" not in request.headers.get("accept", ""):
        answer = refusal(error, ((b"cache-control", b"no-store"),))
        response = Response(answer.body, status_code=answer.status)
        response.raw_headers.extend(answer.headers)
        return response
    code = error.code if f"errors.{error.code}" in words_of("pt") else "error"
    return render(request, "error.html", status=error.status, code=code)
