"""`trackai demo`: the whole way on this machine, from ad clicks to Meta's (sandboxed) yes.

Everything is real but the world around it: HTTP, PostgreSQL, signatures, workers. The page, the
payment platforms and Meta are the sandbox's stand-ins on the loopback.
"""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import aiohttp
import typer
import uvloop
from rich.console import Console

from trackai.accounts.onboarding import NewDestination
from trackai.cli.demo.narrator import Narrator
from trackai.cli.demo.report import Report, closing_table, gather
from trackai.cli.http import AsgiApp, address_of, http_server, listening
from trackai.cli.installation import Installation, open_installation
from trackai.cli.output import write_json
from trackai.cli.serve import running, stopped
from trackai.gateways.registry import gateway as gateway_named
from trackai.model.clock import SystemClock, new_id
from trackai.model.tenant import Tenant
from trackai.sandbox.meta.app import MetaSandbox
from trackai.sandbox.platforms import platform
from trackai.sandbox.player import Player, Score, Stage
from trackai.sandbox.scenes import scenes
from trackai.sandbox.shop.app import Shop
from trackai.settings import load_settings
from trackai.storage.pool import Role

GATEWAYS = ("perfectpay", "hotmart", "kiwify", "stripe")
PIXEL = "100200300400500"
TEST_CODE = "TEST12345"
# A pause between scenes, so that a person can follow.
PACE_S = 0.2
# All events must be through after this, counted from the last scene.
SETTLE_S = 30.0
# The scene before which Meta is made to fail once, to show a retry.
OUTAGE_BEFORE = 9


@dataclass(frozen=True, slots=True)
class _Customer:
    """The demo's tenant and what it shares with its platforms."""

    tenant: Tenant
    webhook_urls: Mapping[str, str]
    secrets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _World:
    """Everything that is up, and where."""

    here: Installation
    customer: _Customer
    meta: MetaSandbox
    meta_url: str
    api_url: str
    page_url: str


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End by itself when all is through.")
    ] = False,
) -> None:
    """Play visits, signed webhooks and Meta's answers, live."""
    sys.exit(uvloop.run(_demo(once=once)))


async def _demo(*, once: bool) -> int:
    narrator = Narrator(Console(highlight=False, soft_wrap=True))
    narrator.listen()
    async with _world(narrator) as world:
        score = await _play(world, narrator)
        report = await _result(world, score)
        closing_table(report, narrator.console)
        if not once:
            _print_addresses(world, narrator.console)
            await stopped()
        write_json(report.figures())
    return 0 if report.good else 1


@asynccontextmanager
async def _world(narrator: Narrator) -> AsyncIterator[_World]:
    """Start database, server, workers, Meta's stand-in and the shop; connect a tenant to them."""
    settings = load_settings()
    settings = settings.model_copy(
        update={"data_dir": settings.data_dir / "demo", "port": 0, "public_url": None}
    )
    async with AsyncExitStack() as stack:
        narrator.tell("start", "PostgreSQL, migrations, HTTP, workers, sandbox")
        here = await stack.enter_async_context(open_installation(settings))
        meta = MetaSandbox(SystemClock())
        meta_url = await stack.enter_async_context(_local(meta))
        api_url = await stack.enter_async_context(running(here))
        customer = await _connect(here, meta, meta_url, api_url)
        shop = Shop(
            ingest_url=api_url,
            site_key=customer.tenant.site_key,
            webhook_urls=customer.webhook_urls,
            secrets=customer.secrets,
            clock=SystemClock(),
            new_id=new_id,
        )
        page_url = await stack.enter_async_context(_local(shop))
        yield _World(here, customer, meta, meta_url, api_url, page_url)


@asynccontextmanager
async def _local(app: AsgiApp) -> AsyncIterator[str]:
    """Serve a stand-in on a free port of the loopback."""
    with listening("127.0.0.1", 0) as listener:
        async with http_server(app, listener):
            yield address_of(listener)


async def _connect(here: Installation, meta: MetaSandbox, meta_url: str, api_url: str) -> _Customer:
    """Do what a person does once: tenant, funnel, four platforms, a pixel."""
    token = "EAA" + secrets.token_hex(24)
    meta.add_dataset(PIXEL, "Curso Café de Especialidade")
    meta.add_token(token, datasets=[PIXEL])
    async with here.onboarding() as onboarding:
        tenant = await onboarding.create_tenant(f"Demo {SystemClock().now():%Y-%m-%d %H:%M:%S}")
        await onboarding.create_funnel(tenant.id, "Café")
        shared = {
            name: gateway_named(name).secret_prefix + secrets.token_hex(16) for name in GATEWAYS
        }
        urls = {}
        for name, secret in shared.items():
            connection = await onboarding.connect_gateway(tenant.id, name, secret)
            urls[name] = f"{api_url}/api/v1/webhooks/{name}/{connection.endpoint_key}"
        await onboarding.connect_destination(
            tenant.id,
            NewDestination("meta", PIXEL, token, test_event_code=TEST_CODE, api_url=meta_url),
        )
    return _Customer(tenant, urls, shared)


async def _play(world: _World, narrator: Narrator) -> Score:
    customer = world.customer
    stage = Stage(
        ingest_url=world.api_url,
        page_url=world.page_url,
        site_key=customer.tenant.site_key,
        webhook_urls=customer.webhook_urls,
        platforms={name: platform(name, secret) for name, secret in customer.secrets.items()},
    )
    async with aiohttp.ClientSession() as session:
        player = Player(stage, session, narrator, SystemClock(), new_id)
        for number, scene in enumerate(scenes()):
            if number == OUTAGE_BEFORE:
                narrator.tell("outage", "Meta's next answer will be an error 500", good=False)
                world.meta.script_fault("http_500")
            await player.play(scene)
            await asyncio.sleep(PACE_S)
    return player.score


async def _result(world: _World, score: Score) -> Report:
    """Wait until every expected event is through, at most SETTLE_S, and count."""
    expected = {sale for sale, scene in score.transactions.items() for _ in range(scene.events)}
    deadline = asyncio.get_running_loop().time() + SETTLE_S
    tenant_id = world.customer.tenant.id
    async with world.here.database(Role.APP) as database:
        while True:
            report = await gather(database, tenant_id, world.meta, score, expected)
            if report.settled or asyncio.get_running_loop().time() > deadline:
                return report
            await asyncio.sleep(0.1)


def _print_addresses(world: _World, console: Console) -> None:
    rows = {
        "landing page": world.page_url,
        "what Meta got": f"{world.meta_url}/sandbox/test-events",
        "API": f"{world.api_url}/openapi.json",
        "health": f"{world.api_url}/readyz",
    }
    console.print("\nStill up; open these, end with Ctrl-C:")
    for name, url in rows.items():
        console.print(f"  {name.ljust(14)} {url}")
    console.print(
        f"  as a shell     TRACKAI_DATA_DIR={world.here.settings.data_dir} "
        f".venv/bin/trackai conversions list {world.customer.tenant.id}"
    )
