"""Files that pages load: named by their digest, kept for a year."""

import gzip
import mimetypes
from functools import cache

from fastapi import APIRouter, Request, Response

from trackai.dashboard.rendering import static_address, static_file
from trackai.errors import NotFound

router = APIRouter()

HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "vary": "accept-encoding",
    "x-content-type-options": "nosniff",
}
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@router.get("/static/{digest}/{name:path}")
async def file(request: Request, digest: str, name: str) -> Response:
    """Return a file of this digest, compressed for whoever takes that."""
    try:
        if static_address(name) != f"/static/{digest}/{name}":
            raise NotFound("There is nothing at this address.")
    except (OSError, ValueError):
        raise NotFound("There is nothing at this address.") from None
    body, headers = static_file(name), dict(HEADERS)
    if "gzip" in request.headers.get("accept-encoding", ""):
        body = _gzipped(name)
        headers["content-encoding"] = "gzip"
    return Response(body, media_type=_type_of(name), headers=headers)


@cache
def _gzipped(name: str) -> bytes:
    return gzip.compress(static_file(name), 9, mtime=0)


def _type_of(name: str) -> str:
    ending = "." + name.rpartition(".")[2]
    return _TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
