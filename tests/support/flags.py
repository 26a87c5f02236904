"""Flags of a world: set as an operator sets them, and read by processes that remember them."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.support.world import Account, World

from trackai.destinations.registry import KINDS
from trackai.flags.catalogue import flags_for
from trackai.flags.setting import Change, FlagSetting
from trackai.flags.switches import FOUND_S, Switches
from trackai.gateways.registry import gateways
from trackai.model.alarm import INSTALLATION
from trackai.model.clock import new_id
from trackai.model.flag import OffMode
from trackai.storage.audit_logs import Scribe, list_audit

KNOWN = flags_for(gateways(), KINDS)


@dataclass
class Panel:
    """What an operator does, and the time that passes for whoever remembers."""

    world: World
    seconds: float = field(default=1000.0)

    def switches(self) -> Switches:
        """Return what a process asks."""
        return Switches(self.world.workers.transaction, monotonic=lambda: self.seconds)

    def pass_by(self, seconds: float = FOUND_S) -> None:
        """Let time pass for those who remember."""
        self.seconds += seconds

    async def say(
        self,
        key: str,
        percent: int | None = None,
        *,
        account: Account | None = None,
        off_mode: OffMode | None = None,
        killed: bool | None = None,
    ) -> None:
        """Say something, for everybody or an account, and let all processes hear of it."""
        await self.setting(account).change(key, Change(percent, off_mode, killed))
        self.pass_by()

    def setting(self, account: Account | None = None) -> FlagSetting:
        """Return what changes flags, for everybody or an account."""
        owner = account.tenant.id if account else INSTALLATION
        scribe = Scribe(owner, "cli:ana", self.world.clock, new_id)
        return FlagSetting(self.world.people, self.world.clock, scribe, KNOWN)

    async def deeds(self, owner: UUID = INSTALLATION) -> list[dict[str, Any]]:
        """Return what was done, first things first."""
        async with self.world.people.transaction(tenant_id=owner) as tx:
            return (await list_audit(tx, tenant_id=owner, limit=50))[::-1]
