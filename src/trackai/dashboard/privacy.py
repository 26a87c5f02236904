"""Requests of a person: what is stored about them, as a document too, and erasing it.

Who is meant is written into forms and nowhere else: never in an address, a log or the audit log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.dashboard.gateway import EVERY_S, looks_left
from trackai.dashboard.rendering import HEADERS, render_page
from trackai.dashboard.slowly import slowly
from trackai.dashboard.visiting import Manage, Visit, address_of, fields_of, tools_of
from trackai.errors import InvalidField, RequestRefused, TooManyRequests
from trackai.model.identity import phone_forms
from trackai.privacy.desk import Desk
from trackai.privacy.erase import Erasure, checked_why
from trackai.privacy.export import Export
from trackai.privacy.person import Person
from trackai.privacy.requests import follow
from trackai.privacy.search import Found, search
from trackai.storage.person_deeds import list_requests

router = APIRouter()

# Requests that are listed.
SHOWN = 50
# No name in the name of the file either: it stays among downloads.
DOWNLOAD = {
    **HEADERS,
    "content-type": "application/json",
    "content-disposition": 'attachment; filename="person.json"',
}
PAGE = {**HEADERS, "content-type": "text/html; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a form came to; who is meant is shown again, a password is not."""

    fields: Mapping[str, str]
    problem: str | None = None  # a field, or the code of a refusal
    found: Found | None = None

    @property
    def contacts(self) -> list[str]:
        """Return other e-mails and phones of the same sales, each phone in one form."""
        known = self.found.also_known_by if self.found else ()
        forms = {one: one if "@" in one else "".join(phone_forms(one)[:1]) for one in known}
        return sorted({form or one for one, form in forms.items()})


NOTHING = Told({})


@router.get("/privacy")
async def privacy(request: Request, visit: Manage) -> Response:
    """Ask who it is about, and list past requests."""
    return await _page(request, visit)


@router.post("/privacy")
async def look(request: Request, visit: Manage) -> Response:
    """Show what is stored about a person, and what can be done with it."""
    fields = await fields_of(request)
    return await slowly(_found(request, visit, fields), PAGE)


@router.post("/privacy/export")
async def export(request: Request, visit: Manage) -> Response:
    """Download all of it as one document."""
    fields = await fields_of(request)
    try:
        person = _person(fields)
    except InvalidField as error:
        return await _page(request, visit, Told(fields, error.field))
    return await slowly(_document(_desk(request, visit), person), DOWNLOAD)


@router.post("/privacy/erasures")
async def erase(request: Request, visit: Manage) -> Response:
    """Erase a person, once it is proved who wants that; it goes on when this has answered."""
    tools, fields = tools_of(request), await fields_of(request)
    try:
        person = _person(fields)
    except InvalidField as error:
        return await _page(request, visit, Told(fields, error.field))
    try:
        why = checked_why(fields.get("why", ""), person)
        await _prove(request, visit, fields)
    except (InvalidField, TooManyRequests) as error:
        return await slowly(_found(request, visit, fields, error), PAGE)
    erasure = Erasure(_desk(request, visit), person, why=why)
    await erasure.begin()
    tools.errands.start(f"erasure {erasure.id}", erasure.finish)
    return RedirectResponse(f"/privacy/erasures/{erasure.id}", status_code=303)


@router.get("/privacy/erasures/{erasure_id}")
async def progress(request: Request, visit: Manage, erasure_id: UUID) -> Response:
    """Show how far an erasure is."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        erasure = await follow(tx, tenant_id=tenant_id, erasure_id=erasure_id)
    left = looks_left(request)
    waits = erasure.left is None and left
    part = "erasure_progress.html" if request.headers.get("hx-request") else "erasure.html"
    return await render_page(
        request,
        visit,
        part,
        erasure=erasure,
        silent=erasure.is_silent(tools.clock.now()),
        looks=f"/privacy/erasures/{erasure_id}?left={left}" if waits else None,
        every_s=EVERY_S,
    )


async def _found(
    request: Request, visit: Visit, fields: Mapping[str, str], problem: RequestRefused | None = None
) -> Response:
    """Search for who is meant; show that, and what is wrong with what else was written."""
    try:
        found = await search(_desk(request, visit), _person(fields))
    except InvalidField as error:
        return await _page(request, visit, Told(fields, error.field))
    wrong = (problem.field or problem.code) if problem else None
    return await _page(request, visit, Told(fields, wrong, found))


async def _document(desk: Desk, person: Person) -> Response:
    document = await Export(desk, person).run()
    written = msgspec.json.format(msgspec.json.encode(document, enc_hook=str))
    return Response(written, headers=DOWNLOAD)


async def _prove(request: Request, visit: Visit, fields: Mapping[str, str]) -> None:
    user = visit.who.user
    prove = partial(tools_of(request).proving.prove, user, fields.get("old", ""))
    code = fields.get("code", "") if user.second_factor else None
    await prove(address=address_of(request), code=code)


async def _page(request: Request, visit: Visit, told: Told = NOTHING) -> Response:
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        requests = await list_requests(tx, tenant_id=tenant_id, limit=SHOWN)
    names = await tools.team.names(tenant_id)
    return await render_page(
        request,
        visit,
        "privacy.html",
        status=422 if told.problem else 200,
        told=told,
        email=told.fields.get("email", ""),
        phone=told.fields.get("phone", ""),
        why_text=told.fields.get("why", ""),
        requests=requests,
        names=names,
        shown=SHOWN,
    )


def _person(fields: Mapping[str, str]) -> Person:
    email, phone = fields.get("email", "").strip(), fields.get("phone", "").strip()
    return Person.named(email=email or None, phone=phone or None)


def _desk(request: Request, visit: Visit) -> Desk:
    tools = tools_of(request)
    return Desk(
        *(tools.database, tools.envelope, tools.clock, tools.new_id),
        *(visit.membership.tenant_id, visit.who.actor, tools.secrets),
    )
