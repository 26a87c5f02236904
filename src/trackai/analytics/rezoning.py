"""Task: a tenant gets the time zone it wants, and its days are counted again in it.

What was counted of rows that are gone by now keeps its date: that day of the zone before is the day
of this one.
"""

import datetime as dt
from collections.abc import Iterator
from uuid import UUID
from zoneinfo import ZoneInfo

from trackai.accounts.time_zones import check_time_zone
from trackai.analytics.periods import FARTHEST, HOURS_KEPT, MINUTES_KEPT, Grain, floor
from trackai.errors import InvalidField, StatementRefused, StorageUnavailable
from trackai.model.clock import Clock
from trackai.storage import rezoning, rollups, tenants
from trackai.storage.pool import Database, Open, Role, Tx
from trackai.storage.recounts import Stretch
from trackai.telemetry.logging import get_logger

DAY = dt.timedelta(days=1)


class Rezoner:
    """Opens connections when it has something to do: that is seldom."""

    def __init__(self, open_database: Open, clock: Clock) -> None:
        self._open = open_database
        self._clock = clock

    async def run(self) -> int:
        """Do what is wanted; return of how many tenants."""
        async with self._open(Role.PIPELINE) as database:
            async with database.transaction() as tx:
                wanted = await rezoning.list_wanted_all_tenants(tx)
            return sum([await self._try(database, *one) for one in wanted])

    async def _try(self, database: Database, tenant_id: UUID, before: str, zone: str) -> bool:
        """Give one tenant its zone; what cannot be done must not keep the others waiting."""
        try:
            # The lock is another connection's: what is seen begins when nobody folds any more.
            async with self._open(Role.PIPELINE) as keeper, keeper.transaction() as lock:
                await rollups.lock_all_tenants(lock)
                async with database.transaction() as tx:
                    return await self._rezone(tx, tenant_id, ZoneInfo(before), zone)
        except (InvalidField, StorageUnavailable, StatementRefused) as error:
            told = {"tenant_id": str(tenant_id), "zone": zone, "error": error.code}
            get_logger().error("tenant.time_zone_not_set", **told)
            return False

    async def _rezone(self, tx: Tx, tenant_id: UUID, before: ZoneInfo, zone: str) -> bool:
        await rezoning.one_moment(tx)
        await check_time_zone(tx, zone, self._clock.now())
        if not await rezoning.set_time_zone(tx, tenant_id=tenant_id, zone=zone):
            return False
        now = self._clock.now()
        whole = await tenants.find_rows_since(tx, tenant_id=tenant_id, now=now)
        since = floor(whole or now, Grain.DAY, before)
        await rezoning.forget_counts(tx, tenant_id=tenant_id, since=since)
        await rezoning.move_days(tx, tenant_id=tenant_id, since=since, zone=before.key)
        for stretch in _stretches(tenant_id, since, now):
            await rezoning.count_again(tx, stretch)
        await rezoning.add_weeks(tx, tenant_id=tenant_id)
        return True


def _stretches(tenant_id: UUID, since: dt.datetime, now: dt.datetime) -> Iterator[Stretch]:
    """Yield a day after the other, so that no statement takes long, as far as sales are dated."""
    minutes, hours = now - MINUTES_KEPT, now - HOURS_KEPT
    while since < now + FARTHEST:
        until = since + DAY
        yield Stretch(tenant_id, since, until, minutes, hours, weeks_since=until, weeks_until=until)
        since = until
