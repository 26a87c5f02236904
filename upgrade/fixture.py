"""Makes what tests/fixtures/releases holds: a small database of the previous release."""

import json
from pathlib import Path

import aiohttp
from tests.support.customer import Customer, until

from trackai.model.clock import SystemClock
from trackai.sandbox.platforms import PLATFORMS, SaleStatus
from trackai.storage.dumps import dump
from trackai.storage.snapshots import open_snapshot
from upgrade.by_previous import told_of
from upgrade.stage import Stage, open_stage

# Of each platform, of the first customer.
SALES = 2
CLICK = "click-of-the-fixture"


async def make(directory: Path) -> None:
    """Let the previous release serve sales, stop its worker, serve more, and write it all down."""
    directory.mkdir(parents=True, exist_ok=True)
    async with open_stage(fill=True) as stage, aiohttp.ClientSession() as http:
        await stage.previous.start()
        stage.balancer.turn_to(previous=stage.previous.port)
        customer = stage.customers[0]
        await _sell(customer, http, stage.base)
        await _follow_ad(customer, http, stage.base)
        await _refund(customer, http, stage.base)
        server, worker = stage.previous.programs
        await worker.end()
        # These wait for whoever comes next.
        await _sell(customer, http, stage.base)
        await server.end()
        await _write(stage, directory)


async def _sell(customer: Customer, http: aiohttp.ClientSession, base: str) -> None:
    for gateway in sorted(PLATFORMS):
        await customer.sell(http, base, gateway, SALES)


async def _follow_ad(customer: Customer, http: aiohttp.ClientSession, base: str) -> None:
    body = {"click_id": CLICK, "fbclid": "IwAR0fixture", "utm_campaign": "lancamento"}
    headers = {"x-site-key": customer.tenant.site_key}
    async with http.post(f"{base}/api/v1/track/click", json=body, headers=headers) as answer:
        assert answer.status == 201
    await customer.tell(http, base, "hotmart", customer.sale("hotmart", click_id=CLICK))


async def _refund(customer: Customer, http: aiohttp.ClientSession, base: str) -> None:
    wanted = SALES * len(PLATFORMS) + 2
    sale = customer.sale("kiwify")
    for status in (SaleStatus.APPROVED, SaleStatus.REFUNDED):
        await customer.tell(http, base, "kiwify", sale, status)
    await until(lambda: len(customer.accepted()) >= wanted, f"{wanted} events at Meta")


async def _write(stage: Stage, directory: Path) -> None:
    """Write down the database as a backup does, and what a test has to know of it."""
    pieces = bytearray()

    async def write(piece: bytes) -> None:
        pieces.extend(piece)

    async with open_snapshot(stage.url) as snapshot:
        major = await snapshot.server_version() // 10_000
        await dump(stage.url, snapshot=snapshot.name, major=major, write=write)
        facts = {
            "revision": await snapshot.revision(),
            "moment": SystemClock().now().isoformat(),
            "roles": await snapshot.roles(),
            "rows": {one.table: one.rows for one in await snapshot.sums()},
            "customers": [told_of(one) for one in stage.customers],
        }
    (directory / "database.dump").write_bytes(pieces)
    (directory / "facts.json").write_text(json.dumps(facts, indent=2) + "\n")
