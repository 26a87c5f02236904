"""Taking in what ads cost, from a file or from the ad platform."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from trackai.errors import InvalidField
from trackai.model.ad_spend import AdAccount, AdDay
from trackai.model.clock import Clock, NewId
from trackai.storage import ad_spend
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Database, Row

# What one import may hold: ten thousand ads on thirty days.
MOST_DAYS = 300_000
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought."""

    rows: int
    first_day: dt.date | None
    last_day: dt.date | None


class AdSpend:
    """Works as the database role of people: every statement sees one tenant only."""

    def __init__(
        self, database: Database, clock: Clock, new_id: NewId, tenant_id: UUID, actor: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._tenant_id = tenant_id
        self._scribe = Scribe(tenant_id, actor, clock, new_id)

    async def take(
        self,
        platform: str,
        account: str,
        said: Sequence[AdDay],
        *,
        whole: tuple[dt.date, dt.date] | None = None,
    ) -> Imported:
        """Store what was spent; an ad's day that is there already is replaced.

        `whole`: all that the account spent between these days, both included, so that what is
        stored of them and not said any more goes. InvalidField for more than MOST_DAYS rows.
        """
        days = summed(said)
        if len(days) > MOST_DAYS:
            raise InvalidField(f"An import has at most {MOST_DAYS:,} rows: take fewer days.")
        whose = AdAccount(self._tenant_id, platform, account)
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            if whole is not None:
                await ad_spend.delete_spend(tx, whose, since=whole[0], until=whole[1])
            for start in range(0, len(days), _AT_ONCE):
                some = days[start : start + _AT_ONCE]
                await ad_spend.save_spend(tx, whose, some, now=self._clock.now())
            details = {"platform": platform, "rows": len(days)}
            await self._scribe.note(tx, "ad_spend.import", account or platform, details)
        dates = [one.day for one in days]
        return Imported(len(days), min(dates, default=None), max(dates, default=None))

    async def accounts(self) -> Sequence[Row]:
        """Return what was taken in so far, by account and currency."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            return await ad_spend.list_accounts(tx, tenant_id=self._tenant_id)


def summed(said: Sequence[AdDay]) -> list[AdDay]:
    """Return each ad's day once: a report may be broken down further, by age or placement."""
    days: dict[tuple[object, ...], AdDay] = {}
    for one in said:
        known = days.get(one.key)
        days[one.key] = one if known is None else _sum(known, one)
    return list(days.values())


def _sum(one: AdDay, other: AdDay) -> AdDay:
    return replace(
        one,
        spent_minor=one.spent_minor + other.spent_minor,
        impressions=_both(one.impressions, other.impressions),
        clicks=_both(one.clicks, other.clicks),
    )


def _both(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)
