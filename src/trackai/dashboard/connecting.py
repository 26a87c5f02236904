"""What pages know of a tenant's connections, and what works on them: shared by the two rooms."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from fastapi import Request

from trackai.accounts.onboarding import Onboarding
from trackai.accounts.upkeep import Upkeep
from trackai.dashboard.tools import DashboardTools
from trackai.dashboard.visiting import Visit, tools_of
from trackai.dispatch.pixels import Pixels, Said, Trial
from trackai.dispatch.token_watch import SOON
from trackai.errors import InvalidField, NotFound, RequestRefused, TooManyRequests
from trackai.flags.catalogue import destination_flag, flags_for, gateway_flag
from trackai.flags.setting import verdicts_of
from trackai.gateways.registry import gateways, titles
from trackai.model.flag import Verdict, Why
from trackai.model.tenant import DestinationAccount, Funnel, GatewayConnection
from trackai.storage import heard
from trackai.storage.destinations import list_destinations
from trackai.storage.envelope import Envelope
from trackai.storage.gateway_connections import list_connections
from trackai.storage.held import Held, count_held
from trackai.storage.pool import Row, Tx
from trackai.storage.receipts import ReceiptState
from trackai.storage.tenants import list_funnels
from trackai.storage.token_checks import list_checks

# What "lately" means on these pages; what was heard before the longer one is not looked for.
DAY = dt.timedelta(hours=24)
LOOKED_BACK = dt.timedelta(days=30)
PIXEL_KIND = "meta"
# Of a platform that is not installed any more.
ON = Verdict(on=True, why=Why.DEFAULT)
# How a state is painted: good, low (somebody has to do something), or pending (it goes on).
TONES = {
    **dict.fromkeys(("working", "valid"), "good"),
    **dict.fromkeys(("waiting", "quiet", "unknown", "not_said", "not_reached"), "pending"),
}


@dataclass(frozen=True, slots=True)
class GatewayView:
    """A connection to a payment platform, and when it was last heard of."""

    connection: GatewayConnection
    title: str
    funnel: str
    address: str
    standing: str  # a key of words, below `gateway_state`
    last_at: dt.datetime | None
    number: int  # webhooks of the last 24 hours
    refused: Sequence[Row]  # by reason, the one met last first
    refusals_kept: dt.timedelta  # so long
    flag: Verdict  # whether its webhooks are worked on
    held: int  # webhooks that wait for that

    @property
    def tone(self) -> str:
        """Return how its state is painted."""
        return TONES.get(self.standing, "low")


@dataclass(frozen=True, slots=True)
class PixelView:
    """A pixel, what its platform says of its token, and when it last took an event."""

    account: DestinationAccount
    funnel: str | None  # None: all
    standing: str  # a key of words, below `token_state`
    checked_at: dt.datetime | None
    expires_at: dt.datetime | None
    scopes: Sequence[str]
    accepted_at: dt.datetime | None
    flag: Verdict  # whether anything is sent to it
    held: int  # events that wait for that

    @property
    def tone(self) -> str:
        """Return how its state is painted."""
        return TONES.get(self.standing, "low")


@dataclass(frozen=True, slots=True)
class Connections:
    """Everything a tenant has connected."""

    gateways: Sequence[GatewayView]
    pixels: Sequence[PixelView]
    funnels: Sequence[Funnel]

    def of(self, funnel_id: UUID) -> "Connections":
        """Return what sells for a funnel, and what is told of its sales."""
        return replace(
            self,
            gateways=[one for one in self.gateways if one.connection.funnel_id == funnel_id],
            pixels=[one for one in self.pixels if one.account.funnel_id in {None, funnel_id}],
        )

    def gateway(self, connection_id: UUID) -> GatewayView:
        """Return one; NotFound when the tenant has none of this id."""
        for one in self.gateways:
            if one.connection.id == connection_id:
                return one
        raise NotFound("The tenant has no such gateway connection.")

    def pixel(self, destination_id: UUID) -> PixelView:
        """Return one; NotFound when the tenant has none of this id."""
        for one in self.pixels:
            if one.account.id == destination_id:
                return one
        raise NotFound("The tenant has no such destination.")


@dataclass(frozen=True, slots=True)
class _Looking:
    """Whose connections are looked at, with what, and when."""

    tx: Tx
    envelope: Envelope
    tenant_id: UUID
    now: dt.datetime
    base_url: str
    refusals_kept: dt.timedelta
    names: Mapping[UUID, str]  # of funnels
    verdicts: Mapping[str, Verdict]  # of flags
    held: Sequence[Held]

    def held_of(self, name: str | UUID) -> int:
        """Return how many webhooks of a gateway, or events of a destination, wait for a flag."""
        return sum(one.number for one in self.held if name == (one.destination_id or one.name))


async def load_connections(
    request: Request, visit: Visit, *, gateways: bool = True, pixels: bool = True
) -> Connections:
    """Read what the tenant in view has connected; nothing of what is not asked for."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    flags = flags_for(titles(), tools.platforms)
    verdicts = await verdicts_of(tools.database, tenant_id, flags)
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        funnels = await list_funnels(tx, tenant_id=tenant_id)
        names = {one.id: one.name for one in funnels}
        looking = _Looking(
            *(tx, tools.envelope, tenant_id, tools.clock.now()),
            *(tools.base_url, tools.refusals_kept, names),
            *(verdicts, await count_held(tx, tenant_id=tenant_id)),
        )
        return Connections(
            await _gateways(looking) if gateways else (),
            await _pixels(looking) if pixels else (),
            funnels,
        )


async def _gateways(at: _Looking) -> list[GatewayView]:
    known = await list_connections(at.tx, at.envelope, tenant_id=at.tenant_id)
    ids, of = [one.id for one in known], {"tenant_id": at.tenant_id}
    lately = await heard.count_receipts_since(at.tx, **of, since=at.now - DAY)
    newest = await heard.find_newest_receipts(at.tx, ids, **of, since=at.now - LOOKED_BACK)
    refused = await heard.count_rejections(at.tx, ids, **of)
    views = []
    for one in known:
        number, last_at = lately.get(one.id, (0, None))
        receipt, bad = newest.get(one.id), refused.get(one.id, [])
        last_at = last_at or (receipt["received_at"] if receipt else None)
        views.append(
            GatewayView(
                connection=one,
                title=title_of(one.gateway),
                funnel=at.names.get(one.funnel_id, ""),
                address=f"{at.base_url}/api/v1/webhooks/{one.gateway}/{one.endpoint_key}",
                standing=gateway_state(one, last_at, receipt, bad, at.now),
                last_at=last_at,
                number=number,
                refused=bad,
                refusals_kept=at.refusals_kept,
                flag=at.verdicts.get(gateway_flag(one.gateway), ON),
                held=at.held_of(one.gateway),
            )
        )
    return views


async def _pixels(at: _Looking) -> list[PixelView]:
    known = await list_destinations(at.tx, at.envelope, tenant_id=at.tenant_id)
    of = {"tenant_id": at.tenant_id}
    checks = await list_checks(at.tx, **of)
    accepted = await heard.find_last_accepted(
        at.tx, [one.id for one in known], **of, since=at.now - LOOKED_BACK
    )
    return [_pixel(one, at, checks.get(one.id), accepted.get(one.id)) for one in known]


def _pixel(
    account: DestinationAccount, at: _Looking, check: Row | None, accepted_at: dt.datetime | None
) -> PixelView:
    return PixelView(
        account=account,
        funnel=at.names.get(account.funnel_id) if account.funnel_id else None,
        standing=token_state(check, at.now),
        checked_at=check["checked_at"] if check else None,
        expires_at=check["expires_at"] if check else None,
        scopes=check["scopes"] if check else (),
        accepted_at=accepted_at,
        flag=at.verdicts.get(destination_flag(account.kind), ON),
        held=at.held_of(account.id),
    )


def gateway_state(
    connection: GatewayConnection,
    last_at: dt.datetime | None,
    newest: Row | None,
    refused: Sequence[Row],
    now: dt.datetime,
) -> str:
    """Return how a connection stands: the newest of what was heard decides."""
    if not connection.valid_secrets(now):
        return "no_secret"
    if refused and (last_at is None or refused[0]["last_at"] > last_at):
        return "refused"
    if last_at is None:
        return "waiting"
    if newest is not None and newest["state"] == ReceiptState.FAILED:
        return "not_understood"
    return "working" if now - last_at < DAY else "quiet"


def token_state(check: Row | None, now: dt.datetime) -> str:
    """Return how a token stands; unknown until its platform was asked."""
    if check is None or check["checked_at"] is None:
        return "unknown"
    ends, valid = check["expires_at"], check["valid"]
    if ends is not None and ends <= now:
        return "ended"
    if valid and ends is not None and ends - now < SOON:
        return "ending"
    usual = {True: "valid", False: "refused", None: "not_said"}[valid]
    return str(check["state"] or usual)


def title_of(gateway: str) -> str:
    """Return a platform's name for people; that of a plugin that is gone is its own."""
    known = gateways().get(gateway)
    return known.title if known else gateway


def onboarding_of(request: Request, visit: Visit) -> Onboarding:
    """Return what connects things, in the visitor's name."""
    tools = tools_of(request)
    return Onboarding(*(tools.database, tools.envelope, tools.clock, tools.new_id, visit.who.actor))


def upkeep_of(request: Request, visit: Visit) -> Upkeep:
    """Return what changes and ends connections, in the visitor's name."""
    tools = tools_of(request)
    return Upkeep(
        *(tools.database, tools.envelope, tools.clock, tools.new_id),
        tenant_id=visit.membership.tenant_id,
        actor=visit.who.actor,
    )


def pixels_of(request: Request, visit: Visit) -> Pixels:
    """Return what connects pixels, in the visitor's name; TooManyRequests in time."""
    tools = _asking(request, visit)
    return Pixels(
        *(tools.database, onboarding_of(request, visit), tools.platforms, tools.clock),
        visit.membership.tenant_id,
    )


def trial_of(request: Request, visit: Visit) -> Trial:
    """Return what sends test events, in the visitor's name; TooManyRequests in time."""
    tools = _asking(request, visit)
    return Trial(tools.database, tools.platforms, tools.clock, tools.new_id, visit.who.actor)


def _asking(request: Request, visit: Visit) -> DashboardTools:
    """Count a question to an ad platform: what it allows us is everybody's."""
    tools = tools_of(request)
    wait_s = tools.platform_asks.wait_s(visit.membership.tenant_id)
    if wait_s:
        raise TooManyRequests("Too many questions for this account.", retry_after_s=wait_s)
    return tools


def refusal_of(said: Said) -> str | None:
    """Return the key of why a platform refused a token; None when it was kept."""
    if said.account is not None or said.health is None:
        return None
    return f"token_state.{said.health.state}"


def problem_of(error: RequestRefused) -> str:
    """Return the key of what is wrong with what somebody filled in."""
    what = error.field if isinstance(error, InvalidField) else "conflict"
    return f"connections.bad_{what}"
