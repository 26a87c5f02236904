"""An installation that runs in this process, with a tenant, a pixel at a stand-in, and commands."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from pydantic import SecretStr
from tests.alarms.conftest import ROUTING_KEY, Post, Tower, evaluator_of, sender_of
from tests.golive.stage import Stage
from tests.support.world import World, open_world
from typer.testing import CliRunner

from trackai.accounts.onboarding import NewDestination
from trackai.cli.installation import Installation
from trackai.cli.main import app
from trackai.cli.serve import running
from trackai.destinations.http import open_http
from trackai.model.clock import SystemClock
from trackai.model.tenant import Tenant
from trackai.sandbox.meta import MetaSandbox
from trackai.sandbox.pagerduty import PagerDutySandbox
from trackai.settings import Settings
from trackai.storage.alarms_key import make_all_tenants
from trackai.storage.envelope import new_key_text
from trackai.storage.pool import Database, Row

if TYPE_CHECKING:
    from tests.conftest import Serve

PIXEL, TOKEN = "100200300400500", "EAAtokenOfTheSmokeTest0123456789"


@pytest.fixture(autouse=True)
def lines_as_before() -> Iterator[None]:
    """Let what is logged later be heard: commands set logs up for themselves, here, too."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@dataclass
class Ground:
    """An installation, and how commands are given there."""

    here: Installation
    tenant: Tenant
    meta: MetaSandbox
    meta_url: str
    url: str = ""

    async def give(self, *words: str) -> tuple[int, str]:
        """Give a command; return its exit status and what it printed."""
        done = await asyncio.to_thread(CliRunner().invoke, app, list(words))
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout

    async def json(self, *words: str) -> Any:
        """Give a command with --json; return its document."""
        status, text = await self.give(*words, "--json")
        assert text, status
        # Server and workers of this process write their lines to the same place.
        documents = [line for line in text.splitlines() if line.startswith(("{", "["))]
        return json.loads(documents[-1])

    async def rows(self, statement: str, *values: object) -> list[Row]:
        """Ask the database as its owner."""
        async with (
            Database.opened(self.here.url, None, size=1) as database,
            database.transaction() as tx,
        ):
            return await tx.fetch(statement, *values)

    async def change(self, statement: str) -> None:
        """Change what the database holds, as its owner: for what would take days."""
        async with (
            Database.opened(self.here.url, None, size=1) as database,
            database.transaction() as tx,
        ):
            await tx.execute(statement)


@pytest.fixture
async def ground(
    fresh_database_url: str, tmp_path: Path, serve: "Serve", monkeypatch: pytest.MonkeyPatch
) -> Ground:
    """Return an installation that nothing runs at yet."""
    meta = MetaSandbox(SystemClock())
    meta.add_dataset(PIXEL)
    meta.add_token(TOKEN, datasets=[PIXEL])
    meta_url, key = await serve(meta), new_key_text()
    settings = {"DATABASE_URL": fresh_database_url, "SECRET_KEY": key, "DATA_DIR": str(tmp_path)}
    for name, value in settings.items():
        monkeypatch.setenv(f"TRACKAI_{name}", value)
    here = Installation.of(
        Settings(
            database_url=SecretStr(fresh_database_url),
            secret_key=SecretStr(key),
            data_dir=tmp_path,
            port=0,
        ),
        fresh_database_url,
    )
    async with here.onboarding() as onboarding:
        tenant = await onboarding.create_tenant("Loja")
        new = NewDestination("meta", PIXEL, TOKEN, api_url=meta_url)
        await onboarding.connect_destination(tenant.id, new)
    return Ground(here, tenant, meta, meta_url)


@pytest.fixture
async def world(fresh_database_url: str) -> AsyncIterator[World]:
    """Yield one account on a database that this test alone uses."""
    async with open_world(fresh_database_url) as made:
        yield made


@pytest.fixture
async def alive(ground: Ground) -> AsyncIterator[Ground]:
    """Yield it with server and workers in this process."""
    async with running(ground.here) as ground.url:
        yield ground


@pytest.fixture
async def stage(
    world: World, serve: "Serve", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    """Yield a world in the present that nothing was done in yet."""
    async with world.workers.transaction() as tx:
        await make_all_tenants(tx, world.envelope)
    (row,) = await world.rows("select now() as now from tenants where id = $1")
    world.clock.moment = row["now"]
    pager = PagerDutySandbox(world.clock)
    pager.add_service(ROUTING_KEY)
    pager_url = await serve(pager)
    async with open_http() as http:
        post = Post()
        tower = Tower(
            world, evaluator_of(world), sender_of(world, http, pager_url, post), pager, post
        )
        yield Stage(world, tower, http, serve, tmp_path, monkeypatch, pager_url)
