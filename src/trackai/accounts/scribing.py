"""What people do to their own way in, written into the audit logs of their teams."""

from uuid import UUID

from trackai.model.clock import Clock, NewId
from trackai.storage import memberships
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Tx

# Who does what nobody is known to have done: a browser that is not signed in.
NOBODY = "web"


def actor_of(user_id: UUID) -> str:
    """Return who somebody is to the audit log."""
    return f"user:{user_id}"


class UserScribe:
    """Writes a deed down in every team that somebody is in, with the commit of what was done."""

    def __init__(self, clock: Clock, new_id: NewId) -> None:
        self._clock = clock
        self._new_id = new_id

    async def note(
        self, tx: Tx, user_id: UUID, action: str, *, by: str | None = None, **details: object
    ) -> None:
        """Write it down; by themselves, unless it is said by whom."""
        for one in await memberships.list_of_user(tx, user_id=user_id):
            actor = by or actor_of(user_id)
            scribe = Scribe(one.tenant_id, actor, self._clock, self._new_id)
            await scribe.note(tx, action, user_id, details)
