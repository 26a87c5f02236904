"""Every error as a page: what went wrong and what to do next; to programs, in JSON."""

import math
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from trackai.dashboard.entering import own_path
from trackai.dashboard.rendering import render
from trackai.dashboard.words import USUAL, words_of
from trackai.errors import (
    BodyTooLarge,
    MalformedBody,
    MethodNotAllowed,
    NoTeam,
    NotFound,
    PasswordLinkGone,
    TooManyRequests,
    TrackaiError,
    Unavailable,
)
from trackai.ingest.wire import HANG_UP, Answer, Scope, refusal

# What the framework says by a number alone; anything else is an address that there is not.
_BY_STATUS = {
    400: MalformedBody("The form cannot be read."),
    405: MethodNotAllowed("This address does not take that method."),
    413: BodyTooLarge("The form is too large."),
}
# What may go well a moment later, unchanged.
_PASSES = (Unavailable, TooManyRequests)


@dataclass(frozen=True, slots=True)
class Way:
    """Where a page of an error leads on to; `label` is a key of words."""

    to: str
    label: str


def error_page(request: Request, error: TrackaiError) -> Response:
    """Say in the reader's language what is wrong; to programs, in JSON."""
    if "text/html" not in request.headers.get("accept", ""):
        answer = refusal(error, ((b"cache-control", b"no-store"),))
        response = Response(answer.body, status_code=answer.status)
        response.raw_headers.extend(answer.headers)
        return response
    way = _way_on(request, error)
    page = render(request, "error.html", status=error.status, code=code_of(error), way=way)
    if error.retry_after_s is not None:
        page.headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s)))
    return page


def error_answer(scope: Scope, error: TrackaiError) -> Answer:
    """Return the same for who is refused before the pages see the request."""
    page = error_page(Request(scope), error)
    headers = tuple(one for one in page.raw_headers if one[0] != b"content-length")
    told = refusal(error)
    hangs_up = (HANG_UP,) if HANG_UP in told.headers and HANG_UP not in headers else ()
    return Answer(page.status_code, bytes(page.body), (*headers, *hangs_up))


def known(error: Exception) -> TrackaiError:
    """Return our error for one of the framework: an id in an address that is none, a method."""
    by_status = _BY_STATUS.get(error.status_code) if isinstance(error, HTTPException) else None
    return by_status or NotFound("There is nothing at this address.")


def code_of(error: TrackaiError) -> str:
    """Return which words tell an error: its own, else that something broke."""
    return error.code if f"errors.{error.code}" in words_of(USUAL) else TrackaiError.code


def page_before(request: Request) -> str | None:
    """Return the page of this site that a request came from, if it says so."""
    said = urlsplit(request.headers.get("referer", ""))
    if not said.netloc or said.netloc != request.headers.get("host"):
        return None
    return _own(said.path, said.query)


def _way_on(request: Request, error: TrackaiError) -> Way:
    if isinstance(error, NoTeam):
        return Way("/account", "errors.to_account")
    if isinstance(error, PasswordLinkGone):
        return Way("/forgot", "forgot.title")
    if request.method != "GET":
        before = page_before(request)
        return Way(before, "errors.to_form") if before else Way("/", "errors.back")
    if isinstance(error, _PASSES) or error.status == TrackaiError.status:
        return Way(_own(request.url.path, request.url.query), "errors.again")
    return Way("/", "errors.back")


def _own(path: str, query: str) -> str:
    return own_path(f"{path}?{query}" if query else path)
