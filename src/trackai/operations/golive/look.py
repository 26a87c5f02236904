"""What a look at the checklist is made with, and how it says what it found."""

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from trackai.destinations.http import Http
from trackai.model.clock import Clock, NewId
from trackai.model.golive import Evidence, Value
from trackai.secrets.port import NOWHERE, Secrets
from trackai.storage import backups
from trackai.storage.backups import Backup, Origin
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database


@dataclass(frozen=True, slots=True)
class OnCall:
    """Where PagerDuty is asked who is on call, and about which schedule or policy."""

    url: str
    key: str = field(repr=False)
    schedule: str = ""
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What the settings say of the installation."""

    base_url: str
    data_dir: Path
    sqs: tuple[str, str] | None  # the two queues; None: the embedded one
    keeps_logs: bool
    backup_days: int
    backups_elsewhere: bool
    support_contact: str
    on_call: OnCall | None
    version: str
    environment: str = "development"
    production: bool = False
    calls_elsewhere: bool = False  # CloudWatch pages, not this program
    log_groups: str = (
        ""  # at CloudWatch Logs, where this disk has none: what their names begin with
    )


@dataclass(frozen=True, slots=True)
class Look:
    """One look: everything that proofs work with."""

    workers: Database  # sees all tenants
    access: Database  # sees who signed in
    envelope: Envelope
    http: Http
    clock: Clock
    new_id: NewId
    place: Place
    pending: Callable[[], Awaitable[Sequence[str]]]  # migrations that the database lacks
    practice: frozenset[UUID] = frozenset()  # accounts of smoke tests
    secrets: Secrets = NOWHERE  # looks up what is kept elsewhere

    def good(self, said: str, at: dt.datetime | None = None, **values: Value) -> Evidence:
        """Return what shows that an item holds; without a moment it is of now."""
        return Evidence(True, said, at or self.clock.now(), values)  # noqa: FBT003 - its first field

    def bad(self, said: str, at: dt.datetime | None = None, **values: Value) -> Evidence:
        """Return what shows that an item does not hold."""
        return Evidence(False, said, at or self.clock.now(), values)  # noqa: FBT003 - as above


async def made_backups(look: Look) -> list[Backup]:
    """Return backups by whoever is to make them, the newest first: others show nothing of that."""
    wanted = Origin.ELSEWHERE if look.place.backups_elsewhere else Origin.OWN
    async with look.workers.transaction() as tx:
        return [one for one in await backups.list_backups(tx) if one.origin is wanted]


Prove = Callable[[Look], Awaitable[Evidence]]
