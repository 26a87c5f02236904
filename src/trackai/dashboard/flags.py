"""Flags: what is off for the account in view; the installation's operators also change it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.dashboard.connecting import ON, title_of
from trackai.dashboard.rendering import render_page
from trackai.dashboard.visiting import Operating, See, Visit, fields_of, tools_of
from trackai.errors import InvalidField, NotFound
from trackai.flags.catalogue import flags_for, is_gateway, subject_of
from trackai.flags.setting import Change, FlagSetting, rules_of, verdicts_of
from trackai.gateways.registry import titles
from trackai.model.alarm import INSTALLATION
from trackai.model.flag import EVERYBODY, NOBODY, FlagSet, OffMode, Verdict
from trackai.storage.audit_logs import Scribe
from trackai.storage.held import Held, count_held

router = APIRouter()


@dataclass(frozen=True, slots=True)
class FlagView:
    """A flag, what it means for the account in view, and what was said of it."""

    key: str
    title: str
    of_gateway: bool
    verdict: Verdict
    held: int
    since: dt.datetime | None
    everybodys: FlagSet | None
    own: FlagSet | None

    @property
    def choice(self) -> str:
        """Return what is chosen for this account alone."""
        if self.own is None:
            return "same"
        return "on" if self.own.rule.percent == EVERYBODY else "off"


@router.get("/flags")
async def flags(request: Request, visit: See) -> Response:
    """Show what is on and off for the account."""
    return await _page(request, visit)


@router.post("/flags/everybody")
async def say_of_everybody(request: Request, visit: Operating) -> Response:
    """Let a flag be on for a part of all accounts."""
    fields = await fields_of(request)
    percent = fields.get("percent", "").strip()
    change = Change(int(percent) if percent.isascii() and percent.isdigit() else -1, _mode(fields))
    return await _said(request, visit, INSTALLATION, change)


@router.post("/flags/everybody/kill")
async def kill(request: Request, visit: Operating) -> Response:
    """Turn something off for everybody at once, whatever else was said."""
    return await _said(request, visit, INSTALLATION, Change(killed=True))


@router.post("/flags/everybody/revive")
async def revive(request: Request, visit: Operating) -> Response:
    """End that: the percentage counts again."""
    return await _said(request, visit, INSTALLATION, Change(killed=False))


@router.post("/flags/account")
async def say_of_account(request: Request, visit: Operating) -> Response:
    """Turn something on or off for the account in view, or let count what counts for everybody."""
    fields, tenant_id = await fields_of(request), visit.membership.tenant_id
    choice = fields.get("choice", "")
    if choice == "same":
        await _setting(request, visit, tenant_id).clear(fields.get("key", ""))
        return RedirectResponse("/flags", status_code=303)
    percent = {"on": EVERYBODY, "off": NOBODY}.get(choice, -1)
    return await _said(request, visit, tenant_id, Change(percent, _mode(fields)))


async def _said(request: Request, visit: Visit, owner: UUID, change: Change) -> Response:
    key = (await fields_of(request)).get("key", "")
    try:
        await _setting(request, visit, owner).change(key, change)
    except InvalidField as error:
        return await _page(request, visit, problem=error.field)
    return RedirectResponse("/flags", status_code=303)


async def _page(request: Request, visit: Visit, *, problem: str | None = None) -> Response:
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    known = _known(request)
    verdicts = await verdicts_of(tools.database, tenant_id, known)
    operates = visit.who.user.platform_operator
    everybodys = await rules_of(tools.database, INSTALLATION) if operates else {}
    own = await rules_of(tools.database, tenant_id) if operates else {}
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        held = await count_held(tx, tenant_id=tenant_id)
    return await render_page(
        request,
        visit,
        "flags.html",
        status=422 if problem else 200,
        flags=[_view(key, verdicts, held, everybodys.get(key), own.get(key)) for key in known],
        modes=[*OffMode],
        operates=operates,
        problem=problem,
    )


def _view(
    key: str,
    verdicts: Mapping[str, Verdict],
    held: list[Held],
    everybodys: FlagSet | None,
    own: FlagSet | None,
) -> FlagView:
    name, of_gateway = subject_of(key), is_gateway(key)
    waiting = [
        one for one in held if one.name == name and (one.destination_id is None) == of_gateway
    ]
    return FlagView(
        key=key,
        title=title_of(name) if of_gateway else name.capitalize(),
        of_gateway=of_gateway,
        verdict=verdicts.get(key, ON),
        held=sum(one.number for one in waiting),
        since=min((one.since for one in waiting), default=None),
        everybodys=everybodys,
        own=own,
    )


def _mode(fields: Mapping[str, str]) -> OffMode | None:
    given = fields.get("off_mode") or None
    if given is not None and given not in [*OffMode]:
        raise NotFound("There is no such choice.")
    return OffMode(given) if given else None


def _known(request: Request) -> tuple[str, ...]:
    return flags_for(titles(), tools_of(request).platforms)


def _setting(request: Request, visit: Visit, owner: UUID) -> FlagSetting:
    tools = tools_of(request)
    scribe = Scribe(owner, visit.who.actor, tools.clock, tools.new_id)
    return FlagSetting(tools.database, tools.clock, scribe, _known(request))
