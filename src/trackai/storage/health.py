"""What the database says of itself."""

from dataclasses import dataclass

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


async def load_server(tx: Tx) -> Server:
    """Return the server's version and durability."""
    (row,) = await tx.fetch(LOAD_SERVER)
    return Server(**dict(row))
