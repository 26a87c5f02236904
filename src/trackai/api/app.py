"""The API as one ASGI application: routes, and every error in the installation's one shape."""

from importlib.metadata import version

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from trackai.api import conversions, dead_letters, match_quality
from trackai.api.analytics import routes as analytics
from trackai.api.tools import ApiTools
from trackai.errors import (
    Forbidden,
    InvalidField,
    MalformedBody,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    TrackaiError,
    UnsupportedBody,
)
from trackai.ingest.wire import Bounded, Scope, refusal
from trackai.telemetry.logging import get_logger

PREFIX = "/api/v1/"
OPENAPI = "/api/v1/openapi.json"
_NO_STORE = ((b"cache-control", b"no-store"),)
# Longest body; it is read before the key is looked at.
MOST_BODY_BYTES = 256 * 1024
# What the framework itself answers, in our words.
_FRAMEWORK = {
    400: MalformedBody("The body is not JSON."),
    405: MethodNotAllowed("This address does not take this method."),
}


class _Bug(TrackaiError):
    """Something nobody foresaw."""

    code = "internal_error"


def _check_json(scope: Scope) -> None:
    if scope["method"] == "POST" and not _is_json(scope):
        raise UnsupportedBody("Send JSON, with Content-Type: application/json.")


def _is_json(scope: Scope) -> bool:
    """Whether the request says that its body is JSON: curl's own word is that of a form."""
    told = dict(scope["headers"]).get(b"content-type", b"").split(b";")[0].strip().lower()
    return bool(told == b"application/json" or told.endswith(b"+json"))


def create_api(tools: ApiTools) -> Bounded:
    """Return the API over these tools."""
    app = FastAPI(
        title="Track AI",
        version=version("trackai"),
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
    )
    app.state.tools = tools
    app.include_router(dead_letters.router)
    app.include_router(conversions.router)
    app.include_router(match_quality.router)
    app.include_router(analytics.router)
    app.add_exception_handler(TrackaiError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _by_framework)
    app.add_exception_handler(Exception, _broken)
    return Bounded(app, MOST_BODY_BYTES, headers=_NO_STORE, check=_check_json)


def _answer(error: TrackaiError) -> Response:
    answer = refusal(error, _NO_STORE)
    response = Response(answer.body, status_code=answer.status)
    response.raw_headers.extend(answer.headers)
    return response


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, Forbidden | NotAuthenticated):
        path = getattr(request.scope.get("route"), "path", None)
        get_logger().warning("api.refused", reason=error.code, method=request.method, path=path)
    return _answer(error if isinstance(error, TrackaiError) else _Bug("Something broke."))


async def _invalid(_request: Request, error: Exception) -> Response:
    """Name the first field at fault; never its value."""
    problems = error.errors() if isinstance(error, RequestValidationError) else ()
    for problem in problems:
        where, what = problem["loc"], str(problem["msg"]).rstrip(".")
        # The first part says where it came from: body, query or path.
        field = ".".join(map(str, where[1:])) or str(where[0])
        return _answer(InvalidField(f"{field}: {what[:1].lower()}{what[1:]}.", field=field))
    return _answer(MalformedBody("The request cannot be read."))


async def _by_framework(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _answer(_FRAMEWORK.get(status, NotFound("There is nothing at this address.")))


async def _broken(_request: Request, error: Exception) -> Response:
    get_logger().error("api.failed", error=type(error).__name__)
    return _answer(_Bug("Something broke here. It was noted; try again."))
