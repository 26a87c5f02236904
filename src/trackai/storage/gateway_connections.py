"""Table gateway_connections: tenants' accounts at payment platforms. Secrets are sealed."""

import datetime as dt
from uuid import UUID

import msgspec

from trackai.model.tenant import GatewayConnection, Secret
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Row, Tx
from trackai.storage.tenant_keys import know

TABLE = "gateway_connections"

# A new connection.
INSERT_CONNECTION = """
insert into gateway_connections
  (tenant_id, id, funnel_id, gateway, endpoint_key, secrets_sealed, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""

# The connection that a webhook address belongs to, whoever the tenant is: the unguessable key in
# the address is what names the tenant.
FIND_BY_ENDPOINT_KEY_ALL_TENANTS = """
select tenant_id, id, funnel_id, gateway, endpoint_key, secrets_sealed
from gateway_connections where endpoint_key = $1 and disabled_at is null
"""

# A tenant's connections to one gateway, newest first.
LIST_BY_GATEWAY = """
select tenant_id, id, funnel_id, gateway, endpoint_key, secrets_sealed
from gateway_connections
where tenant_id = $1 and gateway = $2 and disabled_at is null
order by created_at desc, id limit 20
"""

# The funnel that a connection's sales belong to.
FIND_FUNNEL_ID = "select funnel_id from gateway_connections where tenant_id = $1 and id = $2"

# All of a tenant's connections, oldest first.
LIST_CONNECTIONS = """
select tenant_id, id, funnel_id, gateway, endpoint_key, secrets_sealed
from gateway_connections
where tenant_id = $1 and disabled_at is null order by created_at, id
"""

# The secrets of all connections a tenant ever had.
LIST_SECRETS = "select secrets_sealed from gateway_connections where tenant_id = $1"

# Set the secrets of a connection (rotation).
UPDATE_SECRETS = """
update gateway_connections set secrets_sealed = $3 where tenant_id = $1 and id = $2
"""

# Retire a connection's webhook address.
DISABLE_CONNECTION = """
update gateway_connections set disabled_at = $3
where tenant_id = $1 and id = $2 and disabled_at is null
"""

# Retire all webhook addresses of a tenant.
DISABLE_ALL = """
update gateway_connections set disabled_at = $2 where tenant_id = $1 and disabled_at is null
"""

# Give a connection another webhook address.
UPDATE_ENDPOINT_KEY = """
update gateway_connections set endpoint_key = $3
where tenant_id = $1 and id = $2 and disabled_at is null
"""

# The newest connection of all, whoever's: what proves that the key at hand is the one in use.
FIND_NEWEST_ALL_TENANTS = """
select tenant_id, id, funnel_id, gateway, endpoint_key, secrets_sealed
from gateway_connections order by created_at desc limit 1
"""

_SECRETS = msgspec.msgpack.Decoder(tuple[Secret, ...])


async def open_newest_connection_all_tenants(tx: Tx, envelope: Envelope) -> None:
    """Open the connection made last; InvariantBroken when the key does not fit.

    For a database from before tenants had keys.
    """
    row = await tx.fetch_one(FIND_NEWEST_ALL_TENANTS)
    if row is not None:
        await know(tx, envelope, (row["tenant_id"],))
        _connection(envelope, row)


async def insert_connection(
    tx: Tx, envelope: Envelope, connection: GatewayConnection, *, now: dt.datetime
) -> None:
    """Store a new connection."""
    await know(tx, envelope, (connection.tenant_id,))
    await tx.execute(
        INSERT_CONNECTION,
        connection.tenant_id,
        connection.id,
        connection.funnel_id,
        connection.gateway,
        connection.endpoint_key,
        _seal(envelope, connection.tenant_id, connection.secrets),
        now,
    )


async def find_connection_by_endpoint_key_all_tenants(
    tx: Tx, envelope: Envelope, endpoint_key: str
) -> GatewayConnection | None:
    """Return the connection that owns this webhook address."""
    row = await tx.fetch_one(FIND_BY_ENDPOINT_KEY_ALL_TENANTS, endpoint_key)
    if row is None:
        return None
    await know(tx, envelope, (row["tenant_id"],))
    return _connection(envelope, row)


async def find_funnel_id(tx: Tx, *, tenant_id: UUID, connection_id: UUID) -> UUID | None:
    """Return the funnel of a connection, a disabled one too."""
    row = await tx.fetch_one(FIND_FUNNEL_ID, tenant_id, connection_id)
    return row["funnel_id"] if row else None


async def list_connections_of_gateway(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, gateway: str
) -> list[GatewayConnection]:
    """Return the tenant's connections to this gateway, newest first, at most 20."""
    await know(tx, envelope, (tenant_id,))
    rows = await tx.fetch(LIST_BY_GATEWAY, tenant_id, gateway)
    return [_connection(envelope, row) for row in rows]


async def list_connections(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID
) -> list[GatewayConnection]:
    """Return the tenant's connections, oldest first."""
    await know(tx, envelope, (tenant_id,))
    rows = await tx.fetch(LIST_CONNECTIONS, tenant_id)
    return [_connection(envelope, row) for row in rows]


async def list_secrets(tx: Tx, envelope: Envelope, *, tenant_id: UUID) -> list[str]:
    """Return the tenant's secrets, those of disabled connections too: what must not be shown."""
    await know(tx, envelope, (tenant_id,))
    return [
        secret.value
        for row in await tx.fetch(LIST_SECRETS, tenant_id)
        for secret in _SECRETS.decode(
            envelope.open(row["secrets_sealed"], table=TABLE, tenant_id=tenant_id)
        )
    ]


async def set_secrets(
    tx: Tx,
    envelope: Envelope,
    *,
    tenant_id: UUID,
    connection_id: UUID,
    secrets: tuple[Secret, ...],
) -> bool:
    """Replace the connection's secrets; False when the tenant has no such connection."""
    await know(tx, envelope, (tenant_id,))
    sealed = _seal(envelope, tenant_id, secrets)
    return await tx.execute(UPDATE_SECRETS, tenant_id, connection_id, sealed) == 1


async def disable_connection(
    tx: Tx, *, tenant_id: UUID, connection_id: UUID, now: dt.datetime
) -> bool:
    """Retire its webhook address; False when the tenant has no such connection in use."""
    return await tx.execute(DISABLE_CONNECTION, tenant_id, connection_id, now) == 1


async def set_endpoint_key(tx: Tx, *, tenant_id: UUID, connection_id: UUID, key: str) -> bool:
    """Replace its webhook address; False when the tenant has no such connection in use."""
    return await tx.execute(UPDATE_ENDPOINT_KEY, tenant_id, connection_id, key) == 1


async def disable_all(tx: Tx, *, tenant_id: UUID, now: dt.datetime) -> None:
    """Retire all webhook addresses of the tenant."""
    await tx.execute(DISABLE_ALL, tenant_id, now)


def _seal(envelope: Envelope, tenant_id: UUID, secrets: tuple[Secret, ...]) -> bytes:
    return envelope.seal(msgspec.msgpack.encode(secrets), table=TABLE, tenant_id=tenant_id)


def _connection(envelope: Envelope, row: Row) -> GatewayConnection:
    plain = envelope.open(row["secrets_sealed"], table=TABLE, tenant_id=row["tenant_id"])
    return GatewayConnection(
        tenant_id=row["tenant_id"],
        id=row["id"],
        funnel_id=row["funnel_id"],
        gateway=row["gateway"],
        endpoint_key=row["endpoint_key"],
        secrets=_SECRETS.decode(plain),
    )
