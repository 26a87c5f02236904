"""Taking in what ads cost, from a file or from the ad platform; and taking it back."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from trackai.errors import InvalidField, NotFound
from trackai.model.ad_spend import AdAccount, AdDay
from trackai.model.clock import Clock, NewId
from trackai.model.money import MAX_MINOR
from trackai.storage import ad_spend
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Database, Row

# What one import may hold: ten thousand ads on thirty days.
MOST_DAYS = 300_000
MOST_ACCOUNT = 100  # letters
MOST_PLATFORM = 30
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Sums:
    """So many rows, and their money by currency, in minor units."""

    rows: int
    spent: Mapping[str, int]

    @classmethod
    def of(cls, found: Sequence[Row]) -> "Sums":
        """Return what rows by currency say."""
        return cls(
            sum(row["rows"] for row in found),
            {row["currency"]: row["spent_minor"] for row in found},
        )


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought."""

    sums: Sums
    first_day: dt.date | None
    last_day: dt.date | None
    # Of the same account and days, stored before and not said now: it stays, and counts.
    beside: Sums | None = None

    @classmethod
    def of(cls, days: Sequence[AdDay]) -> "Imported":
        """Return what these days are, each ad's once."""
        spent: Counter[str] = Counter()
        for one in days:
            spent[one.currency] += one.spent_minor
        dates = [one.day for one in days]
        first, last = min(dates, default=None), max(dates, default=None)
        return cls(Sums(len(days), dict(sorted(spent.items()))), first, last)


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
        days = prepared(said)
        whose = self._whose(platform, account)
        taken = Imported.of(days)
        now = self._clock.now()
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            if whole is not None:
                await ad_spend.delete_spend(tx, whose, since=whole[0], until=whole[1])
            for start in range(0, len(days), _AT_ONCE):
                await ad_spend.save_spend(tx, whose, days[start : start + _AT_ONCE], now=now)
            if taken.first_day and taken.last_day:
                between = {"since": taken.first_day, "until": taken.last_day}
                beside = await ad_spend.sum_account(tx, whose, before=now, **between)
                taken = replace(taken, beside=Sums.of(beside))
            details = {"platform": platform, "rows": len(days), "spent_minor": taken.sums.spent}
            await self._scribe.note(tx, "ad_spend.import", account or platform, details)
        return taken

    async def stored(self, platform: str, account: str, since: dt.date, until: dt.date) -> Sums:
        """Return what is stored of an account from a day to another; NotFound for nothing."""
        whose = self._whose(platform, account)
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            found = await ad_spend.sum_account(tx, whose, since=since, until=until)
        return _some(found)

    async def delete(self, platform: str, account: str, since: dt.date, until: dt.date) -> Sums:
        """Forget what an account spent from a day to another; NotFound when nothing is stored."""
        whose = self._whose(platform, account)
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            gone = _some(await ad_spend.delete_spend(tx, whose, since=since, until=until))
            days = {"from": f"{since}", "to": f"{until}"}
            what = {"platform": platform, "rows": gone.rows, "spent_minor": gone.spent}
            await self._scribe.note(tx, "ad_spend.delete", account or platform, days | what)
        return gone

    async def accounts(self) -> Sequence[Row]:
        """Return what was taken in so far, by account and currency."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            return await ad_spend.list_accounts(tx, tenant_id=self._tenant_id)

    def _whose(self, platform: str, account: str) -> AdAccount:
        if len(account) > MOST_ACCOUNT or not account.isprintable():
            raise InvalidField(
                f"An account's name has at most {MOST_ACCOUNT} letters.", field="account"
            )
        return AdAccount(self._tenant_id, platform_named(platform), account)


def platform_named(text: str) -> str:
    """Return the word that an ad platform is stored under; InvalidField when it is none."""
    if not (text.isascii() and text.islower() and text.isalnum() and len(text) <= MOST_PLATFORM):
        raise InvalidField("A platform is a short word in lower case.", field="platform")
    return text


def prepared(said: Sequence[AdDay]) -> list[AdDay]:
    """Return what is stored of an import; InvalidField for more than one may hold."""
    days = summed(said)
    if len(days) > MOST_DAYS:
        raise InvalidField(f"An import has at most {MOST_DAYS:,} rows: take fewer days.")
    if any(minor > MAX_MINOR for minor in Imported.of(days).sums.spent.values()):
        raise InvalidField("No ads cost so much: look how decimals are written.", field="file")
    return days


def summed(said: Sequence[AdDay]) -> list[AdDay]:
    """Return each ad's day once: a report may be broken down further, by age or placement."""
    days: dict[tuple[object, ...], AdDay] = {}
    for one in said:
        known = days.get(one.key)
        days[one.key] = one if known is None else _sum(known, one)
    return list(days.values())


def _some(found: Sequence[Row]) -> Sums:
    if not found:
        raise NotFound("Nothing is stored of it on these days. See what is: trackai ads list")
    return Sums.of(found)


def _sum(one: AdDay, other: AdDay) -> AdDay:
    return replace(
        one,
        spent_minor=one.spent_minor + other.spent_minor,
        impressions=_both(one.impressions, other.impressions),
        clicks=_both(one.clicks, other.clicks),
    )


def _both(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)
