"""One payment platform: its webhook address, its secret, and whether its webhooks are believed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.accounts.onboarding import ROTATION
from trackai.dashboard.connecting import (
    GatewayView,
    load_connections,
    onboarding_of,
    problem_of,
    upkeep_of,
)
from trackai.dashboard.guides import Section, gateway_guide
from trackai.dashboard.rendering import language_of, render_page, static_file
from trackai.dashboard.visiting import Manage, See, Visit, fields_of
from trackai.errors import InvalidField

router = APIRouter()

# How often an open page asks, and how often in all: twenty minutes.
EVERY_S = 2
MOST_LOOKS = 600
# Nothing is waited for any more.
HEARD = ("working", "quiet")


@dataclass(frozen=True, slots=True)
class Setup:
    """What to do at a platform, and what was heard of it: several templates show it."""

    view: GatewayView
    address: str  # of the page that asks again
    guide: Sequence[Section]
    picture: str | None
    left: int  # how often the page may still ask by itself
    every_s: int = EVERY_S
    rotation_days: int = ROTATION.days

    @property
    def looks(self) -> str | None:
        """Return what an open page asks for by itself; None when there is nothing to wait for."""
        if not self.left or self.view.standing in HEARD:
            return None
        return f"{self.address}{'&' if '?' in self.address else '?'}left={self.left}"


@router.get("/connections/gateways/{connection_id}")
async def gateway(request: Request, visit: See, connection_id: UUID) -> Response:
    """Show one, or what was heard of it to whoever asks for that alone."""
    return await _page(request, visit, connection_id)


@router.post("/connections/gateways/{connection_id}/secret")
async def set_secret(request: Request, visit: Manage, connection_id: UUID) -> Response:
    """Set the secret; the one before it is believed for two days more."""
    try:
        await change_secret(request, visit, connection_id, await fields_of(request))
    except InvalidField as error:
        return await _page(request, visit, connection_id, problem=problem_of(error))
    return RedirectResponse(f"/connections/gateways/{connection_id}?done=secret", status_code=303)


@router.post("/connections/gateways/{connection_id}/rotate")
async def rotate(request: Request, visit: Manage, connection_id: UUID) -> Response:
    """Give it another webhook address."""
    await upkeep_of(request, visit).rotate_gateway(connection_id)
    return RedirectResponse(f"/connections/gateways/{connection_id}?done=address", status_code=303)


async def change_secret(
    request: Request, visit: Visit, connection_id: UUID, fields: Mapping[str, str]
) -> None:
    """Set the secret of a form."""
    tenant_id = visit.membership.tenant_id
    await onboarding_of(request, visit).set_secret(
        tenant_id, connection_id, fields.get("secret", "")
    )


def setup_of(request: Request, view: GatewayView, address: str) -> Setup:
    """Return what a page at this address shows about setting a platform up."""
    name, language = view.connection.gateway, language_of(request)
    guide, picture = gateway_guide(name, language), picture_of(name, language)
    return Setup(view, address, guide, picture, looks_left(request))


def picture_of(name: str, language: str) -> str | None:
    """Return the drawing of a platform's screen; some platforms have one for each language."""
    for file in (f"guides/{name}.{language}.svg", f"guides/{name}.svg"):
        try:
            static_file(file)
        except OSError:
            continue
        return file
    return None


def looks_left(request: Request) -> int:
    """Return how often the page may still ask by itself."""
    try:
        left = int(request.query_params.get("left", MOST_LOOKS))
    except ValueError:
        return 0
    return min(max(left - 1, 0), MOST_LOOKS)


async def _page(
    request: Request, visit: Visit, connection_id: UUID, *, problem: str | None = None
) -> Response:
    known = await load_connections(request, visit)
    address = f"/connections/gateways/{connection_id}"
    part = "heard.html" if request.headers.get("hx-request") else "gateway.html"
    return await render_page(
        request,
        visit,
        part,
        status=422 if problem else 200,
        setup=setup_of(request, known.gateway(connection_id), address),
        problem=problem,
        done=request.query_params.get("done"),
    )
