"""Who asks: a program with a tenant's key, what it may do, and how often."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Header, Request

from trackai.accounts.api_keys import ApiScope, recognize
from trackai.api.tools import ApiTools
from trackai.errors import Forbidden, NotAuthenticated, TooManyRequests

_SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class Caller:
    """A program of a tenant's."""

    tenant_id: UUID
    actor: str  # for the audit log


def caller_with(scope: ApiScope) -> Callable[..., Awaitable[Caller]]:
    """Return a dependency: the caller, whose key must have this scope."""

    async def caller(
        request: Request,
        authorization: Annotated[
            str | None, Header(description="`Bearer` and an API key: trackai key create")
        ] = None,
    ) -> Caller:
        tools: ApiTools = request.app.state.tools
        given = authorization or ""
        key = given[len(_SCHEME) :].strip() if given.lower().startswith(_SCHEME) else ""
        known = await recognize(tools.keys, key, tools.clock.now())
        if known is None:
            raise NotAuthenticated("Send a valid API key: Authorization: Bearer trk_...")
        wait_s = tools.throttle.wait_s(known.tenant_id)
        if wait_s:
            raise TooManyRequests("Too many requests for this tenant.", retry_after_s=wait_s)
        if scope not in known.scopes:
            raise Forbidden(f"The key lacks the scope {scope}. Make one: trackai key create")
        return Caller(known.tenant_id, f"key:{known.id}")

    return caller
