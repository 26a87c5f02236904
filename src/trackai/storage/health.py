"""What the database says of itself."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from trackai.errors import ConfigurationError, InvariantBroken
from trackai.storage.envelope import Envelope
from trackai.storage.gateway_connections import open_newest_connection_all_tenants
from trackai.storage.pool import Tx
from trackai.storage.tenant_keys import check_newest_all_tenants

OLDEST_POSTGRES = 150_000  # server_version_num of 15.0

# Version and the settings that durability rests on.
LOAD_SERVER = """
select current_setting('server_version_num')::integer as version,
  current_setting('synchronous_commit') as synchronous_commit
"""

# Processes that wait for deliveries: each worker listens on one connection.
COUNT_WORKERS = """
select count(*) as number from pg_stat_activity
where datname = current_database() and application_name = 'trackai wakeups'
"""

# What waits in the queue for each destination, how much of it is due, and since when.
COUNT_QUEUED_ALL_TENANTS = """
select destination_id, count(*) as waiting, count(*) filter (where run_at <= $1) as due,
  min(run_at) filter (where run_at <= $1) as oldest_due
from queue_messages group by destination_id
"""


@dataclass(frozen=True, slots=True)
class Queued:
    """What waits in the queue for one destination."""

    destination_id: UUID
    waiting: int
    due: int
    oldest_due: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Server:
    """The server behind the URL."""

    version: int  # server_version_num: 180006 is 18.6
    synchronous_commit: str


async def check_key(tx: Tx, envelope: Envelope) -> None:
    """Open what was sealed last; ConfigurationError when the key at hand does not fit.

    A process with a wrong key would seal what nobody can open.
    """
    try:
        if not await check_newest_all_tenants(tx, envelope):
            await open_newest_connection_all_tenants(tx, envelope)
    except InvariantBroken as error:
        raise ConfigurationError(
            "TRACKAI_SECRET_KEY is not the key that this database's secrets were encrypted with. "
            "Set that key (several: comma-separated, the new one first)."
        ) from error


async def load_server(tx: Tx) -> Server:
    """Return the server's version and durability."""
    (row,) = await tx.fetch(LOAD_SERVER)
    return Server(**dict(row))


async def count_workers(tx: Tx) -> int:
    """Return how many workers are connected to this database."""
    (row,) = await tx.fetch(COUNT_WORKERS)
    number: int = row["number"]
    return number


async def count_queued_all_tenants(tx: Tx, *, now: dt.datetime) -> list[Queued]:
    """Return what waits for each destination that something waits for."""
    return [Queued(**dict(row)) for row in await tx.fetch(COUNT_QUEUED_ALL_TENANTS, now)]
