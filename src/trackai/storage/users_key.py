"""Table users_key: the key that users' own data is sealed with, wrapped by the installation's.

To the envelope it is the key of a tenant that nobody can be.
"""

from uuid import UUID

from trackai.storage.envelope import Envelope
from trackai.storage.pool import Tx

USERS = UUID(int=0)

# The key; one that somebody else made meanwhile stays.
INSERT_KEY_ALL_TENANTS = """
insert into users_key (wrapped, created_at) values ($1, now()) on conflict do nothing
"""

# It.
FIND_KEY_ALL_TENANTS = "select wrapped from users_key"

# The same key under another wrapping, if nobody has changed it meanwhile.
REWRAP_KEY_ALL_TENANTS = "update users_key set wrapped = $2 where wrapped = $1"


async def know_all_tenants(tx: Tx, envelope: Envelope) -> None:
    """Have the envelope learn the key of users' data, which is made when there is none."""
    if not envelope.unknown([USERS]):
        return
    await tx.execute(INSERT_KEY_ALL_TENANTS, envelope.new_wrapped(USERS))
    for row in await tx.fetch(FIND_KEY_ALL_TENANTS):
        envelope.learn(USERS, row["wrapped"])


async def rewrap_all_tenants(tx: Tx, envelope: Envelope) -> bool:
    """Wrap it by the installation's first key; False when it is already, or there is none."""
    for row in await tx.fetch(FIND_KEY_ALL_TENANTS):
        fresh = envelope.rewrap(USERS, row["wrapped"])
        if fresh is not None:
            return await tx.execute(REWRAP_KEY_ALL_TENANTS, row["wrapped"], fresh) == 1
    return False
