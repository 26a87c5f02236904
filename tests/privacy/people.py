"""Two people of one shop, and what each of them leaves behind in it."""

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.world import SECRET, Account

from trackai.model.click import Utm, Visitor
from trackai.model.clock import new_id
from trackai.privacy.desk import Desk
from trackai.sandbox.platforms import PLATFORMS, Person, Sale, SaleStatus, SignedWebhook, platform
from trackai.storage.deliveries import bury_all_tenants

if TYPE_CHECKING:
    from tests.support.world import World

ANA = Person(
    full_name="Zuleide Quintela",
    email="zuleide.quintela@exemplo.com.br",
    phone="5511987654321",
    document="31415926500",
    city="Itu",
    zip_code="13300-123",
    client_ip="198.51.100.23",
    user_agent="Mozilla/5.0 (Zuleide's telephone)",
)
BIA = Person(
    full_name="Berenice Tavora",
    email="berenice.tavora@exemplo.com.br",
    phone="5521981472583",
    document="27182818200",
    city="Niteroi",
    zip_code="24020-456",
    client_ip="198.51.100.77",
    user_agent="Mozilla/5.0 (Berenice's telephone)",
)
STATES = (SaleStatus.PENDING, SaleStatus.APPROVED)
DELIVERIES = """
select d.tenant_id, d.id from deliveries d
join conversions c on c.tenant_id = d.tenant_id and c.id = d.conversion_id
where d.tenant_id = $1 and c.gateway = 'stripe' and c.transaction = $2
"""


@dataclass
class Left:
    """What somebody left behind: ids that a test knows without asking the product."""

    person: Person
    account: Account
    mark: str
    sales: dict[str, Sale] = field(default_factory=dict)
    receipts: list[uuid.UUID] = field(default_factory=list)

    @property
    def browser(self) -> str:
        return f"fb.1.1795435200000.{self.mark}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What besides the person's own values leads to them."""
        return (self.browser, f"IwAR0{self.mark}", f"crm-{self.mark}")


def desk(world: "World", account: Account | None = None) -> Desk:
    """Return what answers requests for a tenant."""
    owner = account or world.account
    return Desk(*(world.people, world.envelope, world.clock, new_id, owner.tenant.id, "cli:ana"))


async def live(world: "World", account: Account, person: Person, mark: str) -> Left:
    """Let somebody click, leave their address, buy through every gateway, and fail at some."""
    left = Left(person, account, mark)
    await _browse(world, left)
    for gateway in sorted(PLATFORMS):
        sale = world.sale(gateway, buyer=person, click_id=f"{mark}-click", fbp=left.browser)
        left.sales[gateway] = sale
        for status in STATES:
            if status in PLATFORMS[gateway].statuses:
                left.receipts += await _tell(world, left, gateway, sale, status)
        if SaleStatus.ABANDONED in PLATFORMS[gateway].statuses:
            cart = world.sale(gateway, buyer=person)
            left.receipts += await _tell(world, left, gateway, cart, SaleStatus.ABANDONED)
    # Known by the sale's code alone.
    note = {"webhook_event_type": "note", "ref": _code(left, "kiwify"), "cpf": person.document}
    await _say(world, left, "kiwify", note)
    await _say(world, left, "hotmart", {"event": "CLUB", "data": {"user": {"email": person.email}}})
    area, local = person.phone[2:4], person.phone[4:]
    await _say(world, left, "cakto", {"ddd": area, "fone": f"{local[:5]}-{local[5:]}"})
    await _say(world, left, "cakto", f"email={person.email.upper().replace('@', '%40')}")
    await world.work()
    forged = platform("hotmart", SECRET).notice(
        world.sale("hotmart", buyer=person), SaleStatus.APPROVED, forge=True
    )
    await world.reject(account.connections["hotmart"], forged)
    await _die(world, left)
    return left


async def _browse(world: "World", left: Left) -> None:
    mark, account = left.mark, left.account
    seen = {
        "account": account,
        "visitor": Visitor(left.person.client_ip, left.person.user_agent),
        "page_url": f"https://loja.example/ola/{left.person.first_name}",
        "utm": Utm(source="facebook", campaign="lancamento", term=left.person.email),
    }
    browser = left.browser
    await world.click(f"{mark}-click", fbclid=f"IwAR0{mark}", fbp=browser, **seen)  # type: ignore[arg-type]
    await world.click(f"{mark}-again", fbp=browser, **seen)  # type: ignore[arg-type]
    await world.click(f"{mark}-phone", gclid=f"g{mark}", **seen)  # type: ignore[arg-type]
    # A lead in a browser that no checkout saw, and a visit there without a name.
    await world.click(f"{mark}-lead", fbp=f"{browser}9", **seen)  # type: ignore[arg-type]
    await world.lead(f"{mark}-lead", email=left.person.email, account=account)
    nameless = {**seen, "utm": Utm(campaign="lancamento")}
    await world.click(f"{mark}-back", fbp=f"{browser}9", **nameless)  # type: ignore[arg-type]
    who = {"email": left.person.email, "phone": left.person.phone, "external_id": f"crm-{mark}"}
    await world.lead(f"{mark}-click", fbp=browser, account=account, **who)
    # Known to the site, in another browser.
    await world.lead(f"{mark}-phone", external_id=f"crm-{mark}", account=account)
    # A page view of the browser without a click.
    await world.lead(f"{mark}-lost", fbp=browser, account=account)


async def _tell(
    world: "World", left: Left, gateway: str, sale: Sale, status: SaleStatus
) -> list[uuid.UUID]:
    said = platform(gateway, SECRET).notices(sale, status, at=world.clock.now())
    ids = await world.receive(gateway, *said, account=left.account)
    await world.work()
    return ids


async def _say(world: "World", left: Left, gateway: str, body: object) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    webhook = SignedWebhook(text.encode(), {})
    left.receipts += await world.receive(gateway, webhook, account=left.account)


def _code(left: Left, gateway: str) -> str:
    return left.sales[gateway].transaction


async def _die(world: "World", left: Left) -> None:
    """Make the Stripe sale's events dead letters; the others stay pending."""
    async with world.workers.transaction() as tx:
        rows = await tx.fetch(DELIVERIES, left.account.tenant.id, _code(left, "stripe"))
        keys = [(row["tenant_id"], row["id"]) for row in rows]
        await bury_all_tenants(tx, keys, reason="too_old", now=world.clock.now())
    assert keys
