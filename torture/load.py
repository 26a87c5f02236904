"""Pages that report once, and payment platforms that send until they are heard."""

import asyncio
import datetime as dt
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import aiohttp
from tests.support.customer import SECRETS, Customer

from trackai.model.clock import SystemClock, new_id
from trackai.sandbox.platforms import SaleStatus, SignedWebhook, platform
from trackai.sandbox.platforms.deliver import address

GATEWAYS = ("perfectpay", "hotmart", "kiwify", "stripe", "cakto")
ANSWER_S = 10.0
# Pause of a platform before it sends again.
AGAIN_S = 0.3
# A fresh sale stays in reach of retries for days; only the odd ones are older.
FRESH = dt.timedelta(0)


@dataclass
class Heard:
    """What got its 2xx, and what therefore must be there."""

    clicks: set[str] = field(default_factory=set)
    # event id -> click id that the sale carried and that was acknowledged before it, or None
    sales: dict[str, str | None] = field(default_factory=dict)
    webhooks: int = 0
    wrong: list[str] = field(default_factory=list)  # answers that no platform should get
    refused: int = 0  # asked to come back, or not answered at all


class Load:
    """Visitors and platforms of some customers, until `stop`."""

    def __init__(self, base: str, customers: Sequence[Customer], seed: int, pause_s: float) -> None:
        self.heard = Heard()
        self.odd: asyncio.Queue[dt.timedelta] = asyncio.Queue()
        self._base = base
        self._customers = customers
        self._dice = random.Random(seed)  # noqa: S311 - no secret
        self._pause_s = pause_s
        self._over = asyncio.Event()

    async def run(self, http: aiohttp.ClientSession) -> None:
        """Visit and sell until stopped, then until every platform has been heard."""
        async with asyncio.TaskGroup() as visits:
            for customer in itertools.cycle(self._customers):
                if self._over.is_set():
                    break
                age = self.odd.get_nowait() if not self.odd.empty() else FRESH
                visits.create_task(self._visit(http, customer, age))
                await asyncio.sleep(self._dice.uniform(0, 2 * self._pause_s))

    def stop(self) -> None:
        """Let no more visitors come."""
        self._over.set()

    async def _visit(
        self, http: aiohttp.ClientSession, customer: Customer, age: dt.timedelta
    ) -> None:
        gateway = self._dice.choice(GATEWAYS)
        click_id = f"t{new_id().hex}"
        heard = await self._click(http, customer, click_id)
        sale = replace(
            customer.sale(gateway),
            sold_at=SystemClock().now() - age,
            click_id=click_id if heard else None,
        )
        sender = platform(gateway, SECRETS[gateway])
        # Stripe signs the time at which it sends; the others send what was said then.
        at = SystemClock().now() if gateway == "stripe" else None
        for webhook in sender.notices(sale, SaleStatus.APPROVED, at=at):
            await self._tell(http, customer, gateway, webhook)
        self.heard.sales[f"{gateway}:{sale.transaction}"] = sale.click_id

    async def _click(self, http: aiohttp.ClientSession, customer: Customer, click_id: str) -> bool:
        body = {"click_id": click_id, "fbclid": f"IwAR{click_id}"}
        headers = {"x-site-key": customer.tenant.site_key}
        try:
            url = f"{self._base}/api/v1/track/click"
            async with http.post(url, json=body, headers=headers) as answer:
                heard = answer.status == 201
        except (aiohttp.ClientError, TimeoutError, OSError):
            heard = False
        if heard:
            self.heard.clicks.add(click_id)
        else:
            self.heard.refused += 1
        return heard

    async def _tell(
        self, http: aiohttp.ClientSession, customer: Customer, gateway: str, webhook: SignedWebhook
    ) -> None:
        url = address(self._base + customer.paths[gateway], webhook)
        headers = {"Content-Type": webhook.content_type, **webhook.headers}
        while True:
            try:
                async with http.post(url, data=webhook.body, headers=headers) as answer:
                    if answer.status == 200:
                        self.heard.webhooks += 1
                        return
                    if answer.status < 500:
                        self.heard.wrong.append(f"{gateway} got {answer.status} for ever")
                        return
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            self.heard.refused += 1
            await asyncio.sleep(AGAIN_S)
