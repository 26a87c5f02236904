"""GET /t.js and /t.VERSION.js: the tracker script.

The versioned address says the same for ever and is kept for a year. The plain one is asked again
after five minutes, so that pages follow an upgrade. A version of another release gets today's
script under the plain one's terms: a page that names it goes on working.
"""

from trackai.ingest.wire import ANY_ORIGIN, Answer, Header, Request
from trackai.tracker.script import Script

PLAIN = "/t.js"
_START, _END = "/t.", ".js"

_TERMS_PLAIN: Header = (
    b"cache-control",
    # An edge that is away for a day costs no page its script.
    b"public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400",
)
_TERMS_VERSION: Header = (b"cache-control", b"public, max-age=31536000, immutable")
_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/javascript; charset=utf-8"),
    (b"vary", b"accept-encoding"),
    (b"x-content-type-options", b"nosniff"),
    # Pages of other origins load it, also with an integrity attribute.
    (b"cross-origin-resource-policy", b"cross-origin"),
    ANY_ORIGIN,
)


def is_script(path: str) -> bool:
    """Tell whether a path is the script's, of whatever version."""
    return path.startswith(_START) and path.endswith(_END) and path.count("/") == 1


def serve_script(script: Script, path: str, request: Request) -> Answer:
    """Return the script, or 304 to who has it."""
    current = path == f"{_START}{script.version}{_END}"
    tag = b'"%b"' % script.version.encode()
    headers = (*_HEADERS, _TERMS_VERSION if current else _TERMS_PLAIN, (b"etag", tag))
    if tag in request.headers.get(b"if-none-match", b""):
        return Answer(304, b"", headers)
    if _takes_gzip(request.headers.get(b"accept-encoding", b"")):
        return Answer(200, script.gzipped, (*headers, (b"content-encoding", b"gzip")))
    return Answer(200, script.plain, headers)


def _takes_gzip(accepted: bytes) -> bool:
    """Tell whether gzip is among the codings accepted, other than with a quality of nought."""
    for part in accepted.lower().split(b","):
        coding, _, quality = part.partition(b";")
        if coding.strip() == b"gzip":
            return quality.strip().replace(b" ", b"") not in (
                b"q=0",
                b"q=0.0",
                b"q=0.00",
                b"q=0.000",
            )
    return False
