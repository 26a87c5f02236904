"""Table alarm_routes: whom to call, and how. Where they lead is sealed by their owner's key."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from trackai.errors import InvariantBroken
from trackai.model.alarm import INSTALLATION, RouteKind, Severity
from trackai.storage import alarms_key, tenant_keys
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Row, Tx

TABLE = "alarm_routes"
_COLUMNS = "tenant_id, id, kind, name, least, language"

# A new one.
INSERT_ROUTE = f"""
insert into alarm_routes ({_COLUMNS}, target_sealed, made_by, made_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""  # noqa: S608 - constant

# All that are used, without their addresses.
LOAD_ROUTES_ALL_TENANTS = f"""
select {_COLUMNS} from alarm_routes where ended_at is null order by made_at, id
"""  # noqa: S608 - constant

# A tenant's, the oldest first.
LIST_ROUTES = f"""
select {_COLUMNS}, made_by, made_at from alarm_routes
where tenant_id = $1 and ended_at is null order by made_at, id
"""  # noqa: S608 - constant

# Where these lead. Of a tenant that was deleted the rows are there for a while, and no key.
OPEN_ROUTES_ALL_TENANTS = f"""
select {_COLUMNS}, target_sealed from alarm_routes r
where id = any($1::uuid[]) and ended_at is null
  and not exists (select from tenants t where t.id = r.tenant_id and t.deleted_at is not null)
"""  # noqa: S608 - constant

# Nobody is called by it any more.
END_ROUTE = """
update alarm_routes set ended_at = $3, target_sealed = '' where tenant_id = $1 and id = $2
  and ended_at is null
"""


@dataclass(frozen=True, slots=True)
class Route:
    """A way to tell people: of incidents at least so bad, in their language."""

    tenant_id: UUID
    id: UUID
    kind: RouteKind
    name: str
    least: Severity
    language: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where a route leads: an address, and what proves that it is us, or opens the door there."""

    address: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)


async def insert_route(
    tx: Tx, envelope: Envelope, route: Route, target: Target, *, by: str, now: dt.datetime
) -> None:
    """Store a route; the installation's key must have been made."""
    await _know(tx, envelope, [route.tenant_id])
    sealed = envelope.seal(msgspec.json.encode(target), table=TABLE, tenant_id=route.tenant_id)
    await tx.execute(
        INSERT_ROUTE,
        *(route.tenant_id, route.id, route.kind.value, route.name, route.least.value),
        *(route.language, sealed, by, now),
    )


async def load_routes_all_tenants(tx: Tx) -> list[Route]:
    """Return all routes that are used, the oldest first."""
    return [_route(row) for row in await tx.fetch(LOAD_ROUTES_ALL_TENANTS)]


async def list_routes(tx: Tx, *, tenant_id: UUID) -> Sequence[Row]:
    """Return a tenant's routes with who made them."""
    return await tx.fetch(LIST_ROUTES, tenant_id)


async def open_routes_all_tenants(
    tx: Tx, envelope: Envelope, ids: Iterable[UUID]
) -> dict[UUID, tuple[Route, Target | None]]:
    """Return id -> route and where it leads, of those that are used; None: it does not open.

    One key that is gone must not keep everybody else from being called.
    """
    rows = await tx.fetch(OPEN_ROUTES_ALL_TENANTS, list(ids))
    await _know(tx, envelope, {row["tenant_id"] for row in rows})
    return {row["id"]: (_route(row), _opened(envelope, row)) for row in rows}


async def end_route(tx: Tx, *, tenant_id: UUID, route_id: UUID, now: dt.datetime) -> bool:
    """Call nobody by it any more, and forget where it led; False when there is none."""
    return await tx.execute(END_ROUTE, tenant_id, route_id, now) == 1


async def _know(tx: Tx, envelope: Envelope, tenant_ids: Iterable[UUID]) -> None:
    owners = set(tenant_ids)
    if INSTALLATION in owners:
        await alarms_key.know_all_tenants(tx, envelope)
    await tenant_keys.know(tx, envelope, owners - {INSTALLATION})


def _opened(envelope: Envelope, row: Row) -> Target | None:
    try:
        plain = envelope.open(row["target_sealed"], table=TABLE, tenant_id=row["tenant_id"])
    except InvariantBroken:
        return None
    return msgspec.json.decode(plain, type=Target)


def _route(row: Row) -> Route:
    kind, least = RouteKind(row["kind"]), Severity(row["least"])
    return Route(row["tenant_id"], row["id"], kind, row["name"], least, row["language"])
