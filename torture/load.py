"""Pages that report once, and payment platforms that send until they are heard."""

import asyncio
import datetime as dt
import itertools
import random
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import aiohttp
import msgspec
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
# A sale to come is picked from those of a span of about so long, so that a run that is a little
# faster than the last one picks the same.
SPAN_S = 2.0


@dataclass(frozen=True, slots=True)
class Report:
    """A click that was acknowledged, and when: seconds of this process's monotonic clock."""

    tenant_id: uuid.UUID
    began: float
    answered: float


@dataclass
class Heard:
    """What got its 2xx, and what therefore must be there."""

    clicks: dict[str, Report] = field(default_factory=dict)
    # event id -> click id that the sale carried and that was acknowledged before it, or None
    sales: dict[str, str | None] = field(default_factory=dict)
    old: dict[str, dt.timedelta] = field(
        default_factory=dict
    )  # odd sales' ages when they were told
    receipts: set[str] = field(default_factory=set)  # ids that the answers named
    webhooks: int = 0
    wrong: Counter[str] = field(default_factory=Counter)  # answers that nobody should get
    unheard: int = 0  # asked to come back, or not answered at all


@dataclass(frozen=True, slots=True)
class Visit:
    """What the number of a visit decides, whenever it comes."""

    gateway: str
    transaction: str

    @property
    def event_id(self) -> str:
        """How Meta is told of its sale."""
        return f"{self.gateway}:{self.transaction}"


def visit_of(seed: int, number: int) -> Visit:
    """Return a visit; the same for the same seed and number."""
    dice = random.Random(f"{seed}:{number}")  # noqa: S311 - no secret
    gateway = dice.choice(GATEWAYS)
    made_of = uuid.UUID(int=dice.getrandbits(128))
    return Visit(gateway, platform(gateway, SECRETS[gateway]).transaction(made_of))


class Load:
    """Visitors and platforms of some customers, until `stop`."""

    def __init__(self, base: str, customers: Sequence[Customer], seed: int, pause_s: float) -> None:
        self.heard = Heard()
        self.odd: asyncio.Queue[dt.timedelta] = asyncio.Queue()
        self._base = base
        self._customers = customers
        self._seed = seed
        self._dice = random.Random(seed)  # noqa: S311 - no secret
        self._pause_s = pause_s
        self._visits = 0
        self._awaited = 0  # the visit up to which some were picked
        self._over = asyncio.Event()

    async def run(self, http: aiohttp.ClientSession) -> None:
        """Visit and sell until stopped, then until every platform has been heard."""
        async with asyncio.TaskGroup() as visits:
            for customer in itertools.cycle(self._customers):
                if self._over.is_set():
                    break
                visit = visit_of(self._seed, self._visits)
                visits.create_task(self._visit(http, customer, visit, self._age(visit)))
                self._visits += 1
                await asyncio.sleep(self._dice.uniform(0, 2 * self._pause_s))

    def stop(self) -> None:
        """Let no more visitors come."""
        self._over.set()

    def to_come(self, victim: int) -> str:
        """Return the event id of a sale that will be made in a few seconds."""
        span = max(1, round(SPAN_S / self._pause_s))
        number = (self._visits // span + 1) * span + victim % span
        self._awaited = max(self._awaited, number)
        return visit_of(self._seed, number).event_id

    async def catch_up(self) -> None:
        """Return when every sale that was ordered or picked has begun."""
        while self._visits <= self._awaited or not self.odd.empty():
            await asyncio.sleep(0.05)

    def _age(self, visit: Visit) -> dt.timedelta:
        # Stripe tells a sale at the time at which it sends: it has no old ones.
        odd = visit.gateway != "stripe" and not self.odd.empty()
        return self.odd.get_nowait() if odd else FRESH

    async def _visit(
        self, http: aiohttp.ClientSession, customer: Customer, visit: Visit, age: dt.timedelta
    ) -> None:
        click_id = f"t{new_id().hex}"
        heard = await self._click(http, customer, click_id)
        sale = replace(
            customer.sale(visit.gateway),
            transaction=visit.transaction,
            sold_at=SystemClock().now() - age,
            click_id=click_id if heard else None,
        )
        if age:
            self.heard.old[visit.event_id] = age
        sender = platform(visit.gateway, SECRETS[visit.gateway])
        # Stripe signs the time at which it sends; the others send what was said then.
        at = SystemClock().now() if visit.gateway == "stripe" else None
        for webhook in sender.notices(sale, SaleStatus.APPROVED, at=at):
            await self._tell(http, customer, visit.gateway, webhook)
        self.heard.sales[visit.event_id] = sale.click_id

    async def _click(self, http: aiohttp.ClientSession, customer: Customer, click_id: str) -> bool:
        body = {"click_id": click_id, "fbclid": f"IwAR{click_id}"}
        headers = {"x-site-key": customer.tenant.site_key}
        url = f"{self._base}/api/v1/track/click"
        began = time.monotonic()
        try:
            async with http.post(url, json=body, headers=headers) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.heard.unheard += 1
            return False
        if status != 201:
            # A page does not come again: whoever answers it at all must keep what it says.
            self.heard.wrong[f"a click was answered {status}"] += 1
            return False
        self.heard.clicks[click_id] = Report(customer.tenant.id, began, time.monotonic())
        return True

    async def _tell(
        self, http: aiohttp.ClientSession, customer: Customer, gateway: str, webhook: SignedWebhook
    ) -> None:
        url = address(self._base + customer.paths[gateway], webhook)
        headers = {"Content-Type": webhook.content_type, **webhook.headers}
        while True:
            try:
                async with http.post(url, data=webhook.body, headers=headers) as answer:
                    if self._is_done(gateway, answer, await answer.read()):
                        return
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            self.heard.unheard += 1
            await asyncio.sleep(AGAIN_S)

    def _is_done(self, gateway: str, answer: aiohttp.ClientResponse, body: bytes) -> bool:
        """Take an answer in; False when the platform comes again."""
        wrong = self.heard.wrong
        if answer.status == 200:
            self.heard.webhooks += 1
            try:
                self.heard.receipts.add(str(msgspec.json.decode(body)["receipt_id"]))
            except (msgspec.DecodeError, KeyError, TypeError):
                wrong[f"{gateway} got a 200 that names no receipt"] += 1
            return True
        if answer.status < 500:
            wrong[f"{gateway} got {answer.status} for ever"] += 1
            return True
        if answer.status != 503:
            wrong[f"{gateway} got {answer.status}"] += 1
        elif "retry-after" not in answer.headers:
            wrong[f"{gateway} got a 503 that does not say when to come again"] += 1
        return False
