"""What the doctor examines, and what a check finds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from trackai.destinations.port import Destination
from trackai.model.clock import Clock
from trackai.secrets.port import Secrets
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what to do about it."""

    check: str
    state: State
    found: str
    to_do: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined."""

    database: Database  # of the pipeline's role: it sees all tenants
    envelope: Envelope
    destinations: Mapping[str, Destination] | None  # None: do not ask ad platforms
    clock: Clock
    data_dir: Path
    public_url: str | None
    pending_migrations: Sequence[str]
    production: bool = False
    vault: str | None = None  # where this program's backups go
    backups_elsewhere: bool = False
    mail: bool = True  # these settings name a mail server
    secrets: Secrets | None = None  # None: do not look up what is kept elsewhere
