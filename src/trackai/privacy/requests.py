"""How far an erasure is, as the audit log tells it: whoever does the work, in whatever process."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from trackai.errors import NotFound
from trackai.storage.person_deeds import list_of_erasure
from trackai.storage.pool import Tx

# An erasure that wrote nothing down for so long may have died with its process.
SILENT = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Followed:
    """One erasure, and what it did so far."""

    id: UUID
    began_at: dt.datetime
    last_at: dt.datetime
    why: str
    found: Mapping[str, int] | None  # rows by table; None while they are searched
    changed: Mapping[str, int]  # of them, and of others that hang on them
    # What workers have yet to do, and what nobody can read; None while it goes on.
    left: Mapping[str, int] | None

    @property
    def number(self) -> int:
        """Return how many rows were found."""
        return sum((self.found or {}).values())

    @property
    def emptied(self) -> int:
        """Return how many of them were emptied."""
        return sum(min(self.changed.get(name, 0), n) for name, n in (self.found or {}).items())

    def is_silent(self, now: dt.datetime) -> bool:
        """Tell whether it goes on, yet has written nothing for long."""
        return self.left is None and now - self.last_at > SILENT


async def follow(tx: Tx, *, tenant_id: UUID, erasure_id: UUID) -> Followed:
    """Return how far an erasure is; NotFound when there is none of this id."""
    deeds = await list_of_erasure(tx, tenant_id=tenant_id, erasure_id=erasure_id)
    if not deeds:
        raise NotFound("There is no such erasure.")
    changed: Counter[str] = Counter()
    told: dict[str, Any] = {}
    for deed in deeds:
        changed.update(deed["details"]["changed"])
        told |= deed["details"]
    return Followed(
        id=erasure_id,
        began_at=deeds[0]["at"],
        last_at=deeds[-1]["at"],
        why=told["why"],
        found=told.get("found"),
        changed=changed,
        left=told.get("left"),
    )
