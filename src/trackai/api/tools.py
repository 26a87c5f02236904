"""What the API's routes need; wired once by the composition root."""

from collections.abc import Collection
from dataclasses import dataclass

from trackai.ingest.throttle import Throttle
from trackai.model.clock import Clock, NewId
from trackai.storage.pool import Database


@dataclass(frozen=True, slots=True)
class ApiTools:
    """Databases, clock and limits."""

    database: Database  # as people: row-level security shows one tenant
    keys: Database  # of a role that may look a key up before the tenant is known
    clock: Clock
    new_id: NewId
    throttle: Throttle
    gateways: Collection[str]  # names of those there are, plugins among them
