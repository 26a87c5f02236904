"""Table alarms_key: the key that the installation's routes are sealed with.

To the envelope it is the key of a tenant that nobody can be.
"""

import contextlib

from trackai.errors import InvariantBroken
from trackai.model.alarm import INSTALLATION
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Tx

# The key; one that somebody else made meanwhile stays.
INSERT_KEY_ALL_TENANTS = """
insert into alarms_key (wrapped, created_at) values ($1, now()) on conflict do nothing
"""

# It.
FIND_KEY_ALL_TENANTS = "select wrapped from alarms_key"

# The same key under another wrapping, if nobody has changed it meanwhile.
REWRAP_KEY_ALL_TENANTS = "update alarms_key set wrapped = $2 where wrapped = $1"


async def make_all_tenants(tx: Tx, envelope: Envelope) -> None:
    """Make the key if there is none."""
    if not await tx.fetch(FIND_KEY_ALL_TENANTS):
        await tx.execute(INSERT_KEY_ALL_TENANTS, envelope.new_wrapped(INSTALLATION))


async def know_all_tenants(tx: Tx, envelope: Envelope) -> None:
    """Have the envelope learn the key, if there is one.

    One that does not unwrap stays unknown: what it sealed raises InvariantBroken when opened.
    """
    if envelope.unknown([INSTALLATION]):
        for row in await tx.fetch(FIND_KEY_ALL_TENANTS):
            with contextlib.suppress(InvariantBroken):
                envelope.learn(INSTALLATION, row["wrapped"])


async def rewrap_all_tenants(tx: Tx, envelope: Envelope) -> bool:
    """Wrap it by the installation's first key; False when it is already, or there is none."""
    for row in await tx.fetch(FIND_KEY_ALL_TENANTS):
        fresh = envelope.rewrap(INSTALLATION, row["wrapped"])
        if fresh is not None:
            return await tx.execute(REWRAP_KEY_ALL_TENANTS, row["wrapped"], fresh) == 1
    return False
