"""What the database says of itself."""

from dataclasses import dataclass

from trackai.errors import ConfigurationError, InvariantBroken
from trackai.storage.envelope import Envelope
from trackai.storage.gateway_connections import open_newest_connection_all_tenants
from trackai.storage.pool import Tx

# Version and the settings that durability rests on.
LOAD_SERVER = """
select current_setting('server_version_num')::integer as version,
  current_setting('synchronous_commit') as synchronous_commit
"""


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
