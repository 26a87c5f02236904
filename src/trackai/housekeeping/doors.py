"""Task: what is over of people's sessions, links and tries to sign in is deleted."""

import datetime as dt

from trackai.model.clock import Clock
from trackai.storage import half_sessions, one_time_links, sessions, sign_in_failures
from trackai.storage.pool import Open, Role

# No session is open for so long, and nobody needs to know of it any more.
SESSIONS_KEPT = dt.timedelta(days=30)
LINKS_KEPT = dt.timedelta(days=7)
FAILURES_KEPT = dt.timedelta(days=1)


class DoorKeeper:
    """Opens connections when it has something to do: that is seldom."""

    def __init__(self, open_database: Open, clock: Clock) -> None:
        self._open = open_database
        self._clock = clock

    async def run(self) -> int:
        """Delete what is over; return how many."""
        now = self._clock.now()
        async with self._open(Role.ACCESS) as database, database.transaction() as tx:
            return (
                await sessions.delete_old(tx, begun_before=now - SESSIONS_KEPT)
                + await half_sessions.delete_old(tx, expired_before=now)
                + await one_time_links.delete_old(tx, expired_before=now - LINKS_KEPT)
                + await sign_in_failures.delete_old(tx, before=now - FAILURES_KEPT)
            )
