"""The API as one ASGI application: routes, and every error in the installation's one shape."""

from importlib.metadata import version

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from trackai.api import dead_letters
from trackai.api.tools import ApiTools
from trackai.errors import InvalidField, MalformedBody, MethodNotAllowed, NotFound, TrackaiError
from trackai.ingest.wire import refusal
from trackai.telemetry.logging import get_logger

PREFIX = "/api/v1/"
OPENAPI = "/api/v1/openapi.json"
_METHOD_NOT_ALLOWED = 405


class _Bug(TrackaiError):
    """Something nobody foresaw."""

    code = "internal_error"


def create_api(tools: ApiTools) -> FastAPI:
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
    app.add_exception_handler(TrackaiError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _by_framework)
    app.add_exception_handler(Exception, _broken)
    return app


def _answer(error: TrackaiError) -> Response:
    answer = refusal(error, ((b"cache-control", b"no-store"),))
    response = Response(answer.body, status_code=answer.status)
    response.raw_headers.extend(answer.headers)
    return response


async def _refused(_request: Request, error: Exception) -> Response:
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
    if status == _METHOD_NOT_ALLOWED:
        return _answer(MethodNotAllowed("This address does not take this method."))
    return _answer(NotFound("There is nothing at this address."))


async def _broken(_request: Request, error: Exception) -> Response:
    get_logger().error("api.failed", error=type(error).__name__)
    return _answer(_Bug("Something broke here. It was noted; try again."))
