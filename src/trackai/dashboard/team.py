"""Who is in the tenant's team: invited, changed, taken out."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.dashboard.rendering import render_page
from trackai.dashboard.visiting import Manage, Visit, fields_of, tools_of
from trackai.errors import Conflict, InvalidField, MailNotSent, NotFound, TooManyRequests
from trackai.mail.letters import invitation
from trackai.model.access import MemberRole

router = APIRouter()

# Longest that a page waits for a message to go; then the link is shown instead.
MAIL_S = 20.0


@dataclass(frozen=True, slots=True)
class Told:
    """What a form came to."""

    sent: bool = False
    link: str | None = None  # shown this once
    problem: str | None = None  # a key of words below `team`
    email: str = ""  # as it was written
    status: int = 200


NOTHING, LAST_OWNER = Told(), Told(problem="last_owner", status=422)


@router.get("/team")
async def team(request: Request, visit: Manage) -> Response:
    """Show the team and who is invited."""
    return await _page(request, visit)


@router.post("/team/invitations")
async def invite(request: Request, visit: Manage) -> Response:
    """Invite somebody, by a message; when none reaches them the link is shown this once."""
    tools, fields = tools_of(request), await fields_of(request)
    tenant_id = visit.membership.tenant_id
    email, role = fields.get("email", ""), _role(fields)
    try:
        await tools.team.ask(email, tenant_id=tenant_id)
        token = await tools.team.invite(email, tenant_id=tenant_id, role=role, by=visit.who.actor)
    except (InvalidField, TooManyRequests) as error:
        told = Told(problem=error.field or error.code, status=error.status, email=email)
        return await _page(request, visit, told)
    link = f"{tools.base_url}/join/{token}"
    if await _mailed(request, visit, token, link):
        return await _page(request, visit, Told(sent=True))
    return await _page(request, visit, Told(link=link))


@router.post("/team/invitations/withdraw")
async def withdraw(request: Request, visit: Manage) -> Response:
    """Take an invitation back."""
    email = (await fields_of(request)).get("email", "")
    tenant_id = visit.membership.tenant_id
    await tools_of(request).team.withdraw(email, tenant_id=tenant_id, by=visit.who.actor)
    return RedirectResponse("/team", status_code=303)


@router.post("/team/{user_id}/role")
async def change_role(request: Request, visit: Manage, user_id: UUID) -> Response:
    """Let somebody be something else."""
    role = _role(await fields_of(request))
    tenant_id = visit.membership.tenant_id
    try:
        await tools_of(request).team.change_role(tenant_id, user_id, role, by=visit.who.actor)
    except Conflict:
        return await _page(request, visit, LAST_OWNER)
    return RedirectResponse("/team", status_code=303)


@router.post("/team/{user_id}/remove")
async def remove(request: Request, visit: Manage, user_id: UUID) -> Response:
    """Take somebody out of the team."""
    tenant_id = visit.membership.tenant_id
    try:
        await tools_of(request).team.remove(tenant_id, user_id, by=visit.who.actor)
    except Conflict:
        return await _page(request, visit, LAST_OWNER)
    return RedirectResponse("/team", status_code=303)


async def _mailed(request: Request, visit: Visit, token: str, link: str) -> bool:
    """Send an invitation, in the guest's language if it is known; False when it may not arrive."""
    tools = tools_of(request)
    if tools.mail is None:
        return False
    invited, guest, _ = await tools.team.invitation(token)
    language = guest.language if guest else visit.who.user.language
    letter = invitation(
        language, to=invited.email or "", link=link, team=visit.membership.tenant_name
    )
    try:
        async with asyncio.timeout(MAIL_S):
            await tools.mail.send(letter)
    except (MailNotSent, TimeoutError):
        return False
    return tools.mail.reaches_people


async def _page(request: Request, visit: Visit, told: Told = NOTHING) -> Response:
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    return await render_page(
        request,
        visit,
        "team.html",
        status=told.status,
        colleagues=await tools.team.colleagues(tenant_id),
        invitations=await tools.team.invitations(tenant_id),
        roles=[*MemberRole],
        told=told,
    )


def _role(fields: Mapping[str, str]) -> MemberRole:
    try:
        return MemberRole(fields.get("role", ""))
    except ValueError:
        raise NotFound("There is no such role.") from None
