"""Table destinations: tenants' pixels at ad platforms. Tokens are sealed."""

import contextlib
import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from trackai.errors import InvariantBroken
from trackai.model.tenant import DestinationAccount
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Row, Tx
from trackai.storage.tenant_keys import know

TABLE = "destinations"

# A new destination.
INSERT_DESTINATION = """
insert into destinations (tenant_id, id, funnel_id, kind, pixel_id, token_sealed,
  test_event_code, api_url, event_names, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

# Who gets the conversions of a funnel.
LIST_FOR_FUNNEL = """
select tenant_id, id, funnel_id, kind, pixel_id, token_sealed, test_event_code, api_url,
  event_names
from destinations
where tenant_id = $1 and (funnel_id is null or funnel_id = $2) and disabled_at is null
order by created_at, id
"""

# All of a tenant's destinations, oldest first.
LIST_DESTINATIONS = """
select tenant_id, id, funnel_id, kind, pixel_id, token_sealed, test_event_code, api_url,
  event_names
from destinations where tenant_id = $1 and disabled_at is null order by created_at, id
"""

# The destinations that a batch of claimed deliveries names; tenants pair up with ids. One that was
# disconnected is not there.
LOAD_DESTINATIONS_ALL_TENANTS = """
select d.tenant_id, d.id, d.funnel_id, d.kind, d.pixel_id, d.token_sealed, d.test_event_code,
  d.api_url, d.event_names
from unnest($1::uuid[], $2::uuid[]) as wanted (tenant_id, id)
join destinations d on d.tenant_id = wanted.tenant_id and d.id = wanted.id
  and d.disabled_at is null
"""

# Set a new token.
RESEAL_DESTINATION = """
update destinations set token_sealed = $3 where tenant_id = $1 and id = $2
"""

# Set what may be changed of a destination.
UPDATE_DESTINATION = """
update destinations set test_event_code = $3, event_names = $4 where tenant_id = $1 and id = $2
"""

# Disconnect a destination: nothing is owed or sent to it from now on.
DISABLE_DESTINATION = """
update destinations set disabled_at = $3
where tenant_id = $1 and id = $2 and disabled_at is null
"""

# Connect a destination again that was disconnected: it keeps its id, so its past stays with it.
REVIVE_DESTINATION = """
update destinations set token_sealed = $5, test_event_code = $6, api_url = $7, event_names = $8,
  disabled_at = null
where tenant_id = $1 and kind = $2 and pixel_id = $3 and funnel_id is not distinct from $4
  and disabled_at is not null
returning id
"""


async def insert_destination(
    tx: Tx, envelope: Envelope, account: DestinationAccount, *, now: dt.datetime
) -> None:
    """Store a new destination; StatementRefused when the tenant has connected it already."""
    await know(tx, envelope, (account.tenant_id,))
    await tx.execute(
        INSERT_DESTINATION,
        account.tenant_id,
        account.id,
        account.funnel_id,
        account.kind,
        account.pixel_id,
        envelope.seal(account.token.encode(), table=TABLE, tenant_id=account.tenant_id),
        account.test_event_code,
        account.api_url,
        dict(account.event_names),
        now,
    )


async def list_destinations_of_funnel(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, funnel_id: UUID
) -> list[DestinationAccount]:
    """Return the destinations that get this funnel's conversions."""
    await know(tx, envelope, (tenant_id,))
    rows = await tx.fetch(LIST_FOR_FUNNEL, tenant_id, funnel_id)
    return [_account(envelope, row) for row in rows]


async def list_destination_ids(tx: Tx, *, tenant_id: UUID) -> list[UUID]:
    """Return the ids of the tenant's destinations, oldest first; nothing is opened."""
    return [row["id"] for row in await tx.fetch(LIST_DESTINATIONS, tenant_id)]


async def list_destinations(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID
) -> list[DestinationAccount]:
    """Return the tenant's destinations, oldest first."""
    await know(tx, envelope, (tenant_id,))
    rows = await tx.fetch(LIST_DESTINATIONS, tenant_id)
    return [_account(envelope, row) for row in rows]


async def load_destinations_all_tenants(
    tx: Tx, envelope: Envelope, wanted: Sequence[tuple[UUID, UUID]]
) -> dict[UUID, DestinationAccount]:
    """Return id -> destination for these (tenant, id) pairs; for the dispatcher.

    One whose token does not open is left out: it must not stop the others.
    """
    await know(tx, envelope, (tenant_id for tenant_id, _ in wanted))
    rows = await tx.fetch(
        LOAD_DESTINATIONS_ALL_TENANTS,
        [tenant_id for tenant_id, _ in wanted],
        [destination_id for _, destination_id in wanted],
    )
    accounts = {}
    for row in rows:
        with contextlib.suppress(InvariantBroken):
            accounts[row["id"]] = _account(envelope, row)
    return accounts


async def set_token(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, destination_id: UUID, token: str
) -> bool:
    """Replace the token; False when the tenant has no such destination."""
    await know(tx, envelope, (tenant_id,))
    sealed = envelope.seal(token.encode(), table=TABLE, tenant_id=tenant_id)
    return await tx.execute(RESEAL_DESTINATION, tenant_id, destination_id, sealed) == 1


async def change_destination(tx: Tx, account: DestinationAccount) -> None:
    """Store its test event code and event names."""
    await tx.execute(
        UPDATE_DESTINATION,
        *(account.tenant_id, account.id, account.test_event_code, dict(account.event_names)),
    )


async def disable_destination(
    tx: Tx, *, tenant_id: UUID, destination_id: UUID, now: dt.datetime
) -> bool:
    """Disconnect it; False when the tenant has no such destination that is connected."""
    return await tx.execute(DISABLE_DESTINATION, tenant_id, destination_id, now) == 1


async def revive_destination(
    tx: Tx, envelope: Envelope, account: DestinationAccount
) -> UUID | None:
    """Connect this pixel of this funnel again; return its id, None when it never was connected."""
    await know(tx, envelope, (account.tenant_id,))
    row = await tx.fetch_one(
        REVIVE_DESTINATION,
        *(account.tenant_id, account.kind, account.pixel_id, account.funnel_id),
        envelope.seal(account.token.encode(), table=TABLE, tenant_id=account.tenant_id),
        *(account.test_event_code, account.api_url, dict(account.event_names)),
    )
    return row["id"] if row else None


def _account(envelope: Envelope, row: Row) -> DestinationAccount:
    token = envelope.open(row["token_sealed"], table=TABLE, tenant_id=row["tenant_id"])
    return DestinationAccount(
        tenant_id=row["tenant_id"],
        id=row["id"],
        funnel_id=row["funnel_id"],
        kind=row["kind"],
        pixel_id=row["pixel_id"],
        token=token.decode(),
        test_event_code=row["test_event_code"],
        api_url=row["api_url"],
        event_names=row["event_names"],
    )
