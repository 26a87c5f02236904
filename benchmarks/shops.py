"""Made-up shops that benchmarks ask about."""

import datetime as dt
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from benchmarks.scratch import Scratch
from trackai.accounts.access_tools import AccessTools
from trackai.accounts.passwords import Passwords
from trackai.model.clock import SystemClock, new_id
from trackai.model.delivery import CallFacts
from trackai.sandbox.load.loader import Loading, load
from trackai.sandbox.load.shape import GATEWAY_OF, Shop
from trackai.sandbox.load.shops import open_shops
from trackai.storage.dispatch_attempts import Attempt
from trackai.storage.pool import Database, Role


async def load_shops(place: Scratch, rows: int, shops: int) -> tuple[float, Sequence[Shop]]:
    """Load so many tries of so many shops; return how many seconds it took, and the shops."""
    started = time.perf_counter()
    opened = await open_shops(place.here.url, place.here.envelope, shops)
    loading = Loading(rows, 90, SystemClock().now())
    await load(place.here.url, opened, loading, told=lambda _: None)
    return time.perf_counter() - started, opened


def made_up(shop: Shop, number: int) -> list[Attempt]:
    """Return tries of now."""
    now, batch = SystemClock().now(), new_id()
    return [
        Attempt(
            tenant_id=shop.tenant_id,
            id=new_id(),
            delivery_id=new_id(),
            destination_id=shop.pixels[index % 2],
            funnel_id=shop.funnels[index % 4],
            receipt_id=batch,
            received_at=now - dt.timedelta(milliseconds=400 + 7 * index),
            owed_at=now - dt.timedelta(milliseconds=350),
            gateway=GATEWAY_OF[index % 4],
            attempt=1,
            status="deferred" if index % 20 == 0 else "accepted",
            reason="transient_error" if index % 20 == 0 else None,
            detail=None,
            facts=CallFacts(http_status=200, batch_size=number, duration_ms=180.0),
            quality=None,
            batch_id=batch,
            created_at=now,
        )
        for index in range(number)
    ]


@asynccontextmanager
async def access_to(place: Scratch) -> AsyncIterator[AccessTools]:
    """Open what lets people in."""
    async with Database.opened(place.here.url, Role.ACCESS, size=1) as access:
        yield AccessTools(access, place.here.envelope, Passwords(), SystemClock(), new_id)
