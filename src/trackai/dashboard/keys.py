"""Keys of the tenant's programs: made, shown once, revoked."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.accounts.api_keys import ApiKeys, ApiScope
from trackai.dashboard.rendering import render_page
from trackai.dashboard.visiting import Manage, Visit, fields_of, tools_of
from trackai.errors import InvalidField

router = APIRouter()


@router.get("/keys")
async def keys(request: Request, visit: Manage) -> Response:
    """Show what keys there are; none can be read again."""
    return await _page(request, visit)


@router.post("/keys")
async def create(request: Request, visit: Manage) -> Response:
    """Make a key; it is shown this once."""
    fields = await fields_of(request)
    scopes = [scope for scope in ApiScope if fields.get(f"scope_{scope}")]
    try:
        _, key = await _keys(request, visit).create(
            fields.get("name", ""), scopes, actor=visit.who.actor
        )
    except InvalidField as error:
        return await _page(request, visit, problem=error.field)
    return await _page(request, visit, key=key)


@router.post("/keys/{key_id}/revoke")
async def revoke(request: Request, visit: Manage, key_id: UUID) -> Response:
    """Let a key open nothing from now on."""
    await _keys(request, visit).revoke(key_id, actor=visit.who.actor)
    return RedirectResponse("/keys", status_code=303)


async def _page(
    request: Request, visit: Visit, *, key: str | None = None, problem: str | None = None
) -> Response:
    return await render_page(
        request,
        visit,
        "keys.html",
        status=422 if problem else 200,
        keys=await _keys(request, visit).list(),
        scopes=[*ApiScope],
        key=key,
        problem=problem,
    )


def _keys(request: Request, visit: Visit) -> ApiKeys:
    tools = tools_of(request)
    return ApiKeys(tools.database, tools.clock, tools.new_id, visit.membership.tenant_id)
