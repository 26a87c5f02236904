"""What the operator says of flags: for everybody, or for one tenant. Every change is written down.

Which flags there are is given by whoever opens this: gateways may be plugins.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from trackai.errors import InvalidField
from trackai.flags.catalogue import is_gateway, known_flag
from trackai.model.alarm import INSTALLATION
from trackai.model.clock import Clock
from trackai.model.flag import EVERYBODY, NOBODY, FlagSet, OffMode, Rule, Verdict, verdict_of
from trackai.storage import feature_flags
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Database


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be said of a flag; None: as it is."""

    percent: int | None = None
    off_mode: OffMode | None = None
    killed: bool | None = None


class FlagSetting:
    """Changes the flags of one owner: a tenant, or INSTALLATION for everybody.

    `database` is that of people: row-level security shows the owner's rules alone.
    """

    def __init__(
        self, database: Database, clock: Clock, scribe: Scribe, known: Sequence[str]
    ) -> None:
        self._database = database
        self._clock = clock
        self._scribe = scribe
        self._known = known

    async def change(self, key: str, change: Change) -> Rule:
        """Say something of a flag; returns what counts from now on.

        NotFound when there is no such flag; InvalidField when it cannot be said of it.
        """
        known_flag(key, self._known)
        self._check(key, change)
        async with self._database.transaction(tenant_id=self._owner) as tx:
            before = await feature_flags.lock_flag(tx, key, tenant_id=self._owner)
            said = {name: one for name, one in asdict(change).items() if one is not None}
            rule = replace(before.rule if before else Rule(), **said)
            await feature_flags.save_flag(
                tx, key, rule, tenant_id=self._owner, by=self._scribe.actor, now=self._clock.now()
            )
            told = {"old": _told(before.rule if before else None), "new": _told(rule)}
            await self._scribe.note(tx, "flag.set", key, told)
        return rule

    async def clear(self, key: str) -> None:
        """Say nothing of a flag any more; nothing happens when nothing was said."""
        known_flag(key, self._known)
        async with self._database.transaction(tenant_id=self._owner) as tx:
            before = await feature_flags.lock_flag(tx, key, tenant_id=self._owner)
            if before is not None:
                await feature_flags.delete_flag(tx, key, tenant_id=self._owner)
                told = {"old": _told(before.rule), "new": None}
                await self._scribe.note(tx, "flag.clear", key, told)

    @property
    def _owner(self) -> UUID:
        return self._scribe.tenant_id

    def _check(self, key: str, change: Change) -> None:
        if change.percent is not None and not NOBODY <= change.percent <= EVERYBODY:
            raise InvalidField("A percentage is a whole number from 0 to 100.", field="percent")
        if change.off_mode is OffMode.REJECT and not is_gateway(key):
            raise InvalidField("Only webhooks can be turned away.", field="off_mode")
        if self._owner != INSTALLATION:
            if change.percent not in {None, NOBODY, EVERYBODY}:
                raise InvalidField("For one tenant a flag is on or off.", field="percent")
            if change.killed:
                raise InvalidField("The kill switch is everybody's.", field="killed")


async def rules_of(database: Database, owner: UUID) -> dict[str, FlagSet]:
    """Return flag -> what was said of it for this owner, as row-level security shows it."""
    async with database.transaction(tenant_id=owner) as tx:
        return {one.key: one for one in await feature_flags.list_flags(tx, tenant_id=owner)}


async def verdicts_of(
    database: Database, tenant_id: UUID, known: Iterable[str]
) -> dict[str, Verdict]:
    """Return flag -> what counts for a tenant, by what the table says now."""
    everybodys, own = await rules_of(database, INSTALLATION), await rules_of(database, tenant_id)
    return {
        key: verdict_of(key, tenant_id, _rule(everybodys.get(key)), _rule(own.get(key)))
        for key in known
    }


def _rule(said: FlagSet | None) -> Rule | None:
    return said.rule if said else None


def _told(rule: Rule | None) -> dict[str, object] | None:
    if rule is None:
        return None
    return {"percent": rule.percent, "off_mode": rule.off_mode.value, "killed": rule.killed}
