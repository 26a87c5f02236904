"""A scratch installation: an embedded PostgreSQL of its own with durable commits, removed after."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import asyncpg
import uvloop
from pydantic import SecretStr

from trackai.cli.installation import Installation
from trackai.settings import Settings
from trackai.storage.embedded import start_embedded
from trackai.storage.envelope import new_key_text
from trackai.storage.migrate import migrate

T = TypeVar("T")

# No limit on reports: the limit a tenant has in a normal installation would be what is measured.
UNLIMITED = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Scratch:
    """An empty, migrated installation."""

    here: Installation
    directory: Path
    bin_dir: Path
    environment: Mapping[str, str]  # what makes other processes use it

    @property
    def log(self) -> Path:
        """Where other processes write what they have to say."""
        return self.directory / "processes.log"


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Start an installation; PostgreSQL keeps its durable defaults (fsync, synchronous_commit)."""
    directory = Path(tempfile.gettempdir()) / f"trackai-benchmark-{os.getpid()}"
    server = start_embedded(directory)
    try:
        key = new_key_text()
        settings = Settings(
            data_dir=directory,
            database_url=SecretStr(server.url),
            secret_key=SecretStr(key),
            track_rate=UNLIMITED,
            track_burst=UNLIMITED,
        )
        asyncio.run(migrate(server.url))
        asyncio.run(_require_durable(server.url))
        environment = {
            "TRACKAI_DATA_DIR": str(directory),
            "TRACKAI_DATABASE_URL": server.url,
            "TRACKAI_SECRET_KEY": key,
            "TRACKAI_TRACK_RATE": str(UNLIMITED),
            "TRACKAI_TRACK_BURST": str(UNLIMITED),
            "TRACKAI_LOG_FORMAT": "json",
        }
        yield Scratch(Installation.of(settings, server.url), directory, server.bin_dir, environment)
    finally:
        base = server.directory
        server.stop()
        shutil.rmtree(base, ignore_errors=True)
        shutil.rmtree(directory, ignore_errors=True)


def run_async(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine as the product does: on uvloop."""
    return uvloop.run(work)


async def _require_durable(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            value = await connection.fetchval("select current_setting($1)", name)
            if value != "on":
                raise RuntimeError(f"{name} is {value}: figures would not be of durable commits")
    finally:
        await connection.close()
