"""Tasks: a backup a day, tried out once a week, and let go when its time is over.

Only where a setting names a vault. The database is of the role that notes backups.
"""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from trackai.backups.catalogue import Catalogue, Manifest
from trackai.backups.making import Maker, MakesBase
from trackai.backups.opening import open_vault
from trackai.backups.restoring import Restored, try_out
from trackai.backups.upkeep import Upkeep
from trackai.backups.wal import TakesLog
from trackai.errors import BackupDamaged, TrackaiError
from trackai.model.clock import Clock, NewId
from trackai.storage import backups
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import BACKUP_SECONDS


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where backups are kept, how long, and how often one is tried out; never: zero."""

    vault: str
    keep: dt.timedelta
    trial_every: dt.timedelta
    # Where a trial's server is for its while; None: the system's place for such things.
    scratch: Path | None = None


@dataclass(frozen=True, slots=True)
class Keeper:
    """Does it."""

    url: str
    keeping: Keeping
    envelope: Envelope
    database: Database
    clock: Clock
    new_id: NewId
    base: MakesBase | None = None
    log: TakesLog | None = None

    async def back_up(self) -> int:
        """Make a backup, and try it out when none has been for long; return how many rows."""
        async with self.catalogue() as catalogue:
            made = await self.make(catalogue)
            if await self._trial_is_due():
                tried = await self.try_out(catalogue, made)
                if not tried.proved:
                    raise BackupDamaged(f"The backup {made.name} restores to something else.")
        return made.rows

    async def make(self, catalogue: Catalogue) -> Manifest:
        """Make a backup."""
        tools = (self.url, catalogue, self.database, self.clock, self.new_id)
        return await Maker(*tools, base=self.base).run()

    async def keep_up(self) -> int:
        """Let go of what is over; return how many files."""
        async with self.catalogue() as catalogue:
            return await Upkeep(catalogue, self.database, self.clock, self.keeping.keep).run()

    async def take_log(self) -> int:
        """Take the server's log into the vault; return how many files."""
        if self.log is None:
            return 0
        async with self.catalogue() as catalogue:
            return await self.log.run(catalogue)

    async def try_out(self, catalogue: Catalogue, manifest: Manifest) -> Restored:
        """Restore a backup into a server of its own, and note how that ended."""
        began = self.clock.now()
        try:
            tried = await try_out(catalogue, manifest, self.keeping.scratch)
        except BackupDamaged:
            await self._note(manifest, proved=False)
            raise
        await self._note(manifest, proved=tried.proved)
        seconds = (self.clock.now() - began).total_seconds()
        BACKUP_SECONDS.labels("verify").observe(seconds)
        get_logger().info(
            "backup.tried", backup=manifest.name, proved=tried.proved, seconds=seconds
        )
        return tried

    @asynccontextmanager
    async def catalogue(self) -> AsyncIterator[Catalogue]:
        """Open the vault for the length of a block."""
        async with open_vault(self.keeping.vault) as vault:
            yield Catalogue(vault, self.envelope)

    async def _trial_is_due(self) -> bool:
        if not self.keeping.trial_every:
            return False
        async with self.database.transaction() as tx:
            known = await backups.list_backups(tx)
        tried = [one.verified_at for one in known if one.verified_at is not None]
        return not tried or max(tried) < self.clock.now() - self.keeping.trial_every

    async def _note(self, manifest: Manifest, *, proved: bool) -> None:
        """Note a trial, if there is where: a backup can be tried without its database."""
        try:
            async with self.database.transaction() as tx:
                await backups.note_trial(tx, manifest.name, at=self.clock.now(), proved=proved)
        except TrackaiError as error:
            get_logger().warning("backup.trial_not_noted", backup=manifest.name, reason=error.code)
