"""Turns templates into pages: words of the reader's language, formats of the tenant's time zone."""

import hashlib
from collections.abc import Mapping
from functools import cache, partial
from importlib.resources import files
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from trackai.accounts.signing_in import SignedIn
from trackai.analytics.metrics import zone_of
from trackai.analytics.spend import name_of
from trackai.dashboard.formats import Formats
from trackai.dashboard.guides import spans
from trackai.dashboard.navigation import PLACES
from trackai.dashboard.visiting import Visit, masked_token, tools_of
from trackai.dashboard.words import LANGUAGES, meant, preferred, say, why

# A page runs scripts and styles of this site alone, and nobody may frame it.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "cache-control": "no-store",
}


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("trackai.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = static_address
    made.globals["places"] = PLACES
    made.globals["spans"] = spans
    made.filters["ad_name"] = name_of
    return made


@cache
def static_file(name: str) -> bytes:
    """Return a file that pages load; FileNotFoundError when there is none."""
    found = files("trackai.dashboard") / "static"
    for part in name.split("/"):
        found = found / part
    return found.read_bytes()


@cache
def static_address(name: str) -> str:
    """Return where a file is, with its own digest: it may be kept for ever."""
    return f"/static/{hashlib.sha256(static_file(name)).hexdigest()[:12]}/{name}"


def language_of(request: Request) -> str:
    """Return the reader's language: their own, or what their browser asks for."""
    who: SignedIn | None = getattr(request.state, "who", None)
    if who is not None:
        return who.user.language
    return preferred(request.headers.get("accept-language", ""))


async def render_page(
    request: Request,
    visit: Visit,
    template: str,
    *,
    zone: ZoneInfo | None = None,
    status: int = 200,
    **values: object,
) -> HTMLResponse:
    """Return a page of the tenant in view, with its menu; `zone` spares asking for it again."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    if zone is None:
        async with tools.database.transaction(tenant_id=tenant_id) as tx:
            zone = await zone_of(tx, tenant_id=tenant_id)
    known = await tools.signing_in.memberships(visit.who.user)
    return render(
        request, template, zone=zone, status=status, visit=visit, memberships=known, **values
    )


def render(
    request: Request,
    template: str,
    *,
    zone: ZoneInfo | None = None,
    status: int = 200,
    **values: object,
) -> HTMLResponse:
    """Return a page; moments are in the tenant's time zone."""
    language = language_of(request)
    who: SignedIn | None = getattr(request.state, "who", None)
    context: Mapping[str, object] = {
        "t": partial(say, language),
        "why": why,
        "meant": meant,
        "f": Formats(language, zone or ZoneInfo("UTC")),
        "language": language,
        "html_language": LANGUAGES[language],
        "who": who,
        "csrf": masked_token(who) if who else "",
        "path": request.url.path,
        **values,
    }
    text = _templates().get_template(template).render(context)
    return HTMLResponse(text, status_code=status, headers=HEADERS)


def draw(template: str, language: str, zone: ZoneInfo, **values: object) -> str:
    """Return a part of a page that is the same for all who read it in a language."""
    words = {"t": partial(say, language), "f": Formats(language, zone)}
    return _templates().get_template(template).render({**words, **values})
