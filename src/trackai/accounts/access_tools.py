"""What everything works with that lets people in; as the role that sees who signs in."""

from dataclasses import dataclass

from trackai.accounts.passwords import Passwords
from trackai.model.clock import Clock, NewId
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database


@dataclass(frozen=True, slots=True)
class AccessTools:
    """One set serves them all."""

    database: Database
    envelope: Envelope
    passwords: Passwords
    clock: Clock
    new_id: NewId
