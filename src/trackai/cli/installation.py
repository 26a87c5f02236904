"""Opens the installation that the settings name: keys, database, tenants by name."""

import asyncio
import getpass
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Self, TypeVar
from uuid import UUID

from trackai.accounts.onboarding import Onboarding
from trackai.accounts.upkeep import Upkeep
from trackai.cli.login import open_login
from trackai.errors import ConfigurationError, UnknownTenant
from trackai.model.clock import SystemClock, new_id
from trackai.model.tenant import Tenant
from trackai.settings import LogFormat, Settings, load_settings
from trackai.storage import tenants
from trackai.storage.embedded import open_server
from trackai.storage.envelope import Envelope, development_key, parse_keys
from trackai.storage.pool import Database, Role, Tx
from trackai.storage.schema import pending
from trackai.storage.tenant_keys import make_missing_all_tenants
from trackai.telemetry.log_files import LOGS, LogFile, Room
from trackai.telemetry.logging import configure_logging

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Installation:
    """What a command works on."""

    settings: Settings
    url: str
    envelope: Envelope

    @classmethod
    def of(cls, settings: Settings, url: str) -> Self:
        """Return the installation at an open database."""
        return cls(settings, url, envelope_of(settings))

    @property
    def where(self) -> str:
        """Which database this is, for people: most surprises are about that."""
        if self.settings.database_url is None:
            return (
                f"the embedded database in {self.settings.data_dir} "
                "(TRACKAI_DATABASE_URL is not set)"
            )
        return "the database of TRACKAI_DATABASE_URL"

    def database(self, role: Role, *, size: int = 2) -> AbstractAsyncContextManager[Database]:
        """Open connections of one role for the length of a block."""
        return Database.opened(self.url, role, size=size)

    @asynccontextmanager
    async def onboarding(self) -> AsyncIterator[Onboarding]:
        """Open what creates and connects things."""
        async with self.database(Role.APP) as database:
            yield Onboarding(database, self.envelope, SystemClock(), new_id, actor())

    @asynccontextmanager
    async def upkeep(self, tenant_id: UUID) -> AsyncIterator[Upkeep]:
        """Open what changes and ends a tenant's connections."""
        async with self.database(Role.APP) as database:
            yield Upkeep(
                *(database, self.envelope, SystemClock(), new_id),
                tenant_id=tenant_id,
                actor=actor(),
            )

    async def tenant(self, name: str) -> Tenant:
        """Return the tenant of this id or name; UnknownTenant says what to do."""
        known = await self.tenants()
        found = [one for one in known if name in {str(one.id), one.name}]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(str(one.id) for one in found)
            raise UnknownTenant(f"Several tenants have this name. Give an id instead: {ids}")
        raise UnknownTenant(
            f"There is no such tenant in {self.where}. List them: trackai tenant list"
        )

    async def make_missing_keys(self) -> None:
        """Give tenants from before tenants had keys a key of their own."""
        async with self.database(Role.PIPELINE) as database, database.transaction() as tx:
            await make_missing_all_tenants(tx, self.envelope)

    async def tenants(self) -> list[Tenant]:
        """Return all tenants."""
        async with self.database(Role.PIPELINE) as database, database.transaction() as tx:
            return await tenants.list_tenants_all_tenants(tx)


@dataclass(frozen=True, slots=True)
class TenantView:
    """A transaction that sees one tenant."""

    here: Installation
    tenant_id: UUID
    tx: Tx


@asynccontextmanager
async def open_installation(
    settings: Settings | None = None, *, migrated: bool = True
) -> AsyncIterator[Installation]:
    """Open the database (started when it is the embedded one) and the keys.

    In development migrations run by themselves; in production pending ones stop the command.
    """
    settings = settings or load_settings()
    url = settings.database_url.get_secret_value() if settings.database_url else None
    archives = settings.vault is not None
    async with (
        open_login(url, settings.database_password_from, settings.secrets_dir) as known,
        open_server(known, settings.data_dir, archives=archives) as server_url,
    ):
        if migrated:
            await _bring_up_to_date(settings, server_url)
        yield Installation.of(settings, server_url)


@asynccontextmanager
async def open_tenant(name: str) -> AsyncIterator[TenantView]:
    """Open the installation and look at it as one tenant, named by id or name."""
    async with open_installation() as here, here.database(Role.APP) as database:
        tenant = await here.tenant(name)
        async with database.transaction(tenant_id=tenant.id) as tx:
            yield TenantView(here, tenant.id, tx)


@asynccontextmanager
async def open_all_tenants() -> AsyncIterator[Tx]:
    """Open the installation and look at all tenants, as those do who work for them."""
    async with (
        open_installation() as here,
        here.database(Role.PIPELINE) as database,
        database.transaction() as tx,
    ):
        yield tx


@asynccontextmanager
async def open_upkeep(name: str) -> AsyncIterator[tuple[Installation, Upkeep]]:
    """Open the installation and what changes the connections of one tenant."""
    async with open_installation() as here:
        tenant = await here.tenant(name)
        async with here.upkeep(tenant.id) as upkeep:
            yield here, upkeep


def envelope_of(settings: Settings) -> Envelope:
    """Return the envelope of the settings' key; in development the key is made when missing."""
    if settings.secret_key is not None:
        return Envelope(parse_keys(settings.secret_key.get_secret_value()))
    return Envelope(parse_keys(development_key(settings.data_dir)))


def set_up_logging(settings: Settings, role: str) -> None:
    """Configure this process's logs as the settings say; its files are called by its role."""
    json = settings.log_format is LogFormat.JSON or (
        settings.log_format is LogFormat.AUTO and (settings.production or not sys.stderr.isatty())
    )
    kept = _log_file(settings, role) if settings.log_mib else None
    configure_logging(
        json=json,
        level=settings.log_level,
        keep=kept.write if kept else None,
        most_a_second=settings.log_rate,
    )


def _log_file(settings: Settings, role: str) -> LogFile:
    room = Room(settings.log_mib * 1024 * 1024, settings.log_days)
    return LogFile(settings.data_dir / LOGS, role, new_id(), room)


def run(work: Coroutine[object, object, T]) -> T:
    """Run a command's work to its end."""
    return asyncio.run(work)


async def _bring_up_to_date(settings: Settings, url: str) -> None:
    waiting = await pending(url)
    if not waiting:
        return
    if settings.production:
        raise ConfigurationError(
            f"The database lacks {len(waiting)} migration(s). Run: trackai migrate"
        )
    # Most commands find nothing to migrate, and Alembic is a third of a command's start.
    from trackai.storage.migrate import migrate  # noqa: PLC0415

    await migrate(url)
    await Installation.of(settings, url).make_missing_keys()


def actor() -> str:
    """Return who gives this command, for the audit log."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name, as in containers
        return f"cli:{os.getuid()}"


def parse_uuid(text: str, what: str) -> UUID:
    """Return the UUID in a command's argument."""
    try:
        return UUID(text)
    except ValueError:
        raise ConfigurationError(f"{what} is not a UUID: copy it from a list command.") from None
