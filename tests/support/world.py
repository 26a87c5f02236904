"""A tenant with funnels, gateways and a pixel on a real database, and what happens to it."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from trackai.accounts.api_keys import ApiKeys, ApiScope
from trackai.dispatch.dead_letters import DeadLetters, Wish
from trackai.gateways.registry import gateways
from trackai.housekeeping.rollups import Folder
from trackai.matching.process import ReceiptProcessor
from trackai.matching.rematch import Rematcher
from trackai.matching.sale import Tools
from trackai.model.access import MemberRole
from trackai.model.ad_spend import AdAccount, AdDay
from trackai.model.alarm import (
    Deed,
    Event,
    Limits,
    RouteKind,
    Severity,
    Silence,
    Standing,
    State,
    Subject,
)
from trackai.model.click import AdIdentifiers, Click, PageEvent, PageEventKind, Utm, Visitor
from trackai.model.clock import new_id
from trackai.model.delivery import CallFacts, Quality
from trackai.model.flag import Rule
from trackai.model.identity import IdentityKind, email_key, external_id_key, phone_key
from trackai.model.tenant import DestinationAccount, Funnel, GatewayConnection, Secret, Tenant
from trackai.queue.postgres import PostgresQueue
from trackai.sandbox.platforms import PLATFORMS, Person, Sale, SaleStatus, SignedWebhook, platform
from trackai.storage.ad_spend import save_spend
from trackai.storage.alarm_calls import NewCall, insert_calls_all_tenants
from trackai.storage.alarm_choices import insert_silence, save_limits
from trackai.storage.alarm_history import Happened, insert_history_all_tenants
from trackai.storage.alarm_routes import Route, Target, insert_route
from trackai.storage.alarm_signals import save_signals_all_tenants
from trackai.storage.breakers import lock_breaker
from trackai.storage.clicks import insert_clicks
from trackai.storage.dead_letters import Wanted
from trackai.storage.destinations import insert_destination
from trackai.storage.dispatch_attempts import Attempt, insert_attempts
from trackai.storage.envelope import Envelope
from trackai.storage.erased_people import digests, insert_erased
from trackai.storage.feature_flags import save_flag
from trackai.storage.gateway_connections import insert_connection
from trackai.storage.match_quality import Graded, add_quality_all_tenants
from trackai.storage.memberships import save_membership
from trackai.storage.one_time_links import Link, LinkKind, insert_link
from trackai.storage.page_events import insert_page_events
from trackai.storage.pool import Database, Role, Row
from trackai.storage.receipts import NewReceipt, RequestParts, insert_receipts
from trackai.storage.rejections import insert_rejection
from trackai.storage.rollups import note_peaks_all_tenants
from trackai.storage.tenant_keys import know
from trackai.storage.tenants import insert_funnel, insert_tenant, update_funnel
from trackai.storage.token_checks import claim_due_all_tenants
from trackai.storage.users import User, insert_user

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
SECRET = "whsec_c2VjcmV0LW9mLXRoZS1wbGF0Zm9ybQ"
PIXEL_TOKEN = "EAAtokenOfThePixel"
PASSER_BY = Visitor("203.0.113.9", "Mozilla/5.0 (visitor)")
DELIVERIES = "select * from deliveries where tenant_id = $1"
# No step of a test needs more turns; a processor that never comes to rest is a defect.
MOST_STEPS = 500


class Stopped:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> dt.datetime:
        return self.moment

    def forward(self, **by: float) -> None:
        self.moment += dt.timedelta(**by)


@dataclass
class Account:
    """One tenant and what it set up."""

    tenant: Tenant
    funnel: Funnel
    destination: DestinationAccount
    connections: Mapping[str, GatewayConnection]


@dataclass
class World:
    """A database with one account, and the processor that works its receipts off."""

    url: str
    clock: Stopped
    envelope: Envelope
    people: Database
    edge: Database
    workers: Database
    account: Account
    sales: int = field(default=0)

    def processor(self, database: Database | None = None) -> ReceiptProcessor:
        """Return a processor as a worker has it."""
        return ReceiptProcessor(database or self.workers, self.tools(), gateways())

    def sale(self, gateway: str = "kiwify", **changes: object) -> Sale:
        """Return a new sale of this gateway, sold now."""
        transaction = platform(gateway, SECRET).transaction(new_id())
        plain = Sale(transaction, self.clock.now(), buyer=Person())
        return replace(plain, **changes)  # type: ignore[arg-type]

    async def open_account(
        self,
        name: str = "Curso",
        *,
        meta_url: str | None = None,
        bare: bool = False,
        **window: float,
    ) -> Account:
        """Create a tenant with a funnel, all gateways and a pixel; a bare one has none of them."""
        tenant = Tenant(new_id(), name, f"site{new_id().hex}")
        funnel = Funnel(tenant.id, new_id(), "Principal", dt.timedelta(**window or {"hours": 72}))
        pixel = DestinationAccount(
            *(tenant.id, new_id(), None, "meta", str(new_id().int)[-15:], PIXEL_TOKEN),
            api_url=meta_url,
        )
        connections = {
            name: GatewayConnection(
                tenant.id, new_id(), funnel.id, name, f"key{new_id().hex}", (Secret(SECRET),)
            )
            for name in PLATFORMS
        }
        async with self.people.transaction(tenant_id=tenant.id) as tx:
            now = self.clock.now()
            await insert_tenant(tx, self.envelope, tenant, now=now)
            if bare:
                return Account(tenant, funnel, pixel, {})
            await insert_funnel(tx, funnel, now=now)
            await insert_destination(tx, self.envelope, pixel, now=now)
            for connection in connections.values():
                await insert_connection(tx, self.envelope, connection, now=now)
        return Account(tenant, funnel, pixel, connections)

    async def click(
        self,
        click_id: str,
        *,
        account: Account | None = None,
        ago: dt.timedelta = dt.timedelta(),
        visitor: Visitor = PASSER_BY,
        utm: Utm = Utm(),  # noqa: B008 - frozen
        page_url: str | None = None,
        **ads: str,
    ) -> None:
        """Store a click as the edge does."""
        click = Click(
            tenant_id=(account or self.account).tenant.id,
            click_id=click_id,
            received_at=self.clock.now() - ago,
            ads=AdIdentifiers(**ads),
            utm=utm,
            visitor=visitor,
            page_url=page_url,
        )
        async with self.edge.transaction() as tx:
            await insert_clicks(tx, self.envelope, [click])

    async def lead(
        self,
        click_id: str,
        *,
        email: str | None = None,
        phone: str | None = None,
        external_id: str | None = None,
        fbp: str | None = None,
        account: Account | None = None,
    ) -> None:
        """Store a lead who came with this click."""
        keys = (
            (IdentityKind.EMAIL, email_key(email)),
            (IdentityKind.PHONE, phone_key(phone)),
            (IdentityKind.EXTERNAL_ID, external_id_key(external_id)),
        )
        event = PageEvent(
            tenant_id=(account or self.account).tenant.id,
            kind=PageEventKind.LEAD,
            event_key=new_id().hex,
            received_at=self.clock.now(),
            click_id=click_id,
            fbp=fbp,
            identities=tuple((kind.value, key) for kind, key in keys if key is not None),
        )
        async with self.edge.transaction() as tx:
            await insert_page_events(tx, self.envelope, [event])

    async def matches_by(self, **changes: object) -> None:
        """Change how the account's funnel matches."""
        funnel = replace(self.account.funnel, **changes)  # type: ignore[arg-type]
        async with self.people.transaction(tenant_id=funnel.tenant_id) as tx:
            await update_funnel(tx, funnel)

    async def receive(
        self, gateway: str, *webhooks: SignedWebhook, account: Account | None = None
    ) -> list[uuid.UUID]:
        """Store webhooks whose authenticity was proved, as the edge does; return receipts' ids."""
        connection = (account or self.account).connections[gateway]
        new = [self._receipt(connection, webhook) for webhook in webhooks]
        async with self.edge.transaction() as tx:
            stored = await insert_receipts(tx, self.envelope, new)
        return [one.id for one in stored]

    def _receipt(self, connection: GatewayConnection, webhook: SignedWebhook) -> NewReceipt:
        headers = {name.lower(): value for name, value in webhook.headers.items()}
        return NewReceipt(
            tenant_id=connection.tenant_id,
            id=new_id(),
            connection_id=connection.id,
            gateway=connection.gateway,
            received_at=self.clock.now(),
            body=webhook.body,
            request=RequestParts({"content-type": webhook.content_type, **headers}, webhook.query),
        )

    async def work(self) -> None:
        """Work off what is due."""
        processor = self.processor()
        for _ in range(MOST_STEPS):
            if not await processor.step():
                return
        raise AssertionError("The processor never came to rest.")

    def tools(self) -> Tools:
        """Return what matching works with."""
        queue = PostgresQueue(self.workers, self.clock, new_id)
        return Tools(self.envelope, queue, self.clock, new_id)

    async def look_again(self) -> int:
        """Match again what is due for it; return how many sales were looked at."""
        rematcher, looks = Rematcher(self.workers, self.tools()), 0
        while await rematcher.step():
            looks += 1
        return looks

    async def tell(
        self,
        gateway: str,
        sale: Sale,
        *statuses: SaleStatus,
        account: Account | None = None,
    ) -> None:
        """Let the platform say these things of a sale, one after the other, each worked off."""
        for status in statuses:
            said = platform(gateway, SECRET).notices(sale, status, at=self.clock.now())
            await self.receive(gateway, *said, account=account)
            await self.work()

    async def rows(self, statement: str, account: Account | None = None) -> Sequence[Row]:
        """Return what a statement finds for the tenant ($1)."""
        async with self.workers.transaction() as tx:
            return await tx.fetch(statement, (account or self.account).tenant.id)

    async def fill(self, account: Account) -> None:
        """Put something into every table: click, lead, a sale tried once, a forgery."""
        before, self.account = self.account, account
        utm = Utm(source="facebook", campaign="lancamento")
        await self.click("c1", fbclid="IwAR0abc", fbp="fb.1.1795435200000.1", utm=utm)
        await self.lead("c1", email=Person().email, phone=Person().phone)
        await self.tell("kiwify", self.sale(click_id="c1"), SaleStatus.APPROVED)
        forged = platform("hotmart", SECRET).notice(
            self.sale("hotmart"), SaleStatus.APPROVED, forge=True
        )
        await self.reject(account.connections["hotmart"], forged)
        await self._try_once(account)
        async with self.workers.transaction() as tx:
            await lock_breaker(
                tx,
                tenant_id=account.tenant.id,
                destination_id=account.destination.id,
                now=self.clock.now(),
            )
            await claim_due_all_tenants(tx, now=self.clock.now(), until=self.clock.now(), limit=1)
        keys = ApiKeys(self.people, self.clock, new_id, account.tenant.id)
        await keys.create("program", [ApiScope.READ], actor="cli:ana")
        letters = DeadLetters(self.people, self.clock, new_id, account.tenant.id)
        await letters.replay(Wish("test", Wanted()))
        async with self.people.transaction(tenant_id=account.tenant.id) as tx:
            await know(tx, self.envelope, (account.tenant.id,))
            somebody = digests(self.envelope, account.tenant.id, [b"somebody"])
            await insert_erased(
                tx, tenant_id=account.tenant.id, keys=somebody, now=self.clock.now()
            )
            spent = AdDay(self.clock.now().date(), "55", "", "", "", "", "", "BRL", 4_000)
            account_ = AdAccount(account.tenant.id, "meta", "")
            await save_spend(tx, account_, [spent], now=self.clock.now())
        await self._hire(account)
        await self._alarm(account)
        async with self.people.transaction(tenant_id=account.tenant.id) as tx:
            owner, now = account.tenant.id, self.clock.now()
            await save_flag(tx, "gateway.kiwify", Rule(), tenant_id=owner, by="cli:ana", now=now)
        self.account = before

    async def _hire(self, account: Account) -> None:
        """Let somebody be in the team, and somebody else be invited."""
        tenant_id, now = account.tenant.id, self.clock.now()
        somebody = User(new_id(), f"{new_id().hex}@loja.test", "Ana", "", "pt", False)  # noqa: FBT003
        link = Link(
            *(new_id().bytes, LinkKind.INVITATION, "cli:ana", now, now + dt.timedelta(days=7)),
            *(None, tenant_id, MemberRole.ANALYST, "bia@loja.test"),
        )
        async with (
            Database.opened(self.url, Role.ACCESS, size=1) as access,
            access.transaction() as tx,
        ):
            await insert_user(tx, self.envelope, somebody, now=now)
            member = {"tenant_id": tenant_id, "user_id": somebody.id}
            await save_membership(tx, **member, role=MemberRole.OWNER, now=now)
            await insert_link(tx, self.envelope, link)

    async def _alarm(self, account: Account) -> None:
        """Let an alarm stand, somebody be called for it, and everything be chosen that can be."""
        tenant_id, now, incident = account.tenant.id, self.clock.now(), new_id()
        subject = Subject(tenant_id, "dlq_depth")
        standing = Standing(State.ALARM, now, 101.0, incident_id=incident, fired_at=now)
        route = Route(tenant_id, new_id(), RouteKind.WEBHOOK, "a", Severity.HIGH, "pt")
        silence = Silence(new_id(), tenant_id, None, None, now, now + dt.timedelta(hours=1))
        call = NewCall(tenant_id, new_id(), route.id, Deed.TRIGGER, "key", subject.alarm, {})
        async with self.people.transaction(tenant_id=tenant_id) as tx:
            target = Target("https://ops.loja.test/hook", SECRET)
            await insert_route(tx, self.envelope, route, target, by="cli:ana", now=now)
            await insert_silence(tx, silence, why="test", by="cli:ana", now=now)
            limits = Limits(5, 4)
            await save_limits(tx, subject.alarm, limits, tenant_id=tenant_id, by="cli:ana", now=now)
        async with self.workers.transaction() as tx:
            await save_signals_all_tenants(tx, {subject: standing})
            happened = [Happened(subject, Event.FIRED, standing)]
            await insert_history_all_tenants(tx, happened, now=now, new_id=new_id)
            await insert_calls_all_tenants(tx, [call], now=now)

    async def reject(self, connection: GatewayConnection, webhook: SignedWebhook) -> None:
        """Keep a webhook whose proof failed, as the edge does."""
        receipt = self._receipt(connection, webhook)
        expires_at = self.clock.now() + dt.timedelta(days=1)
        async with self.edge.transaction() as tx:
            await insert_rejection(
                tx,
                self.envelope,
                receipt,
                reason="wrong_token",
                keyless=False,
                expires_at=expires_at,
            )

    async def count(self, *accounts: Account) -> None:
        """Let something be counted in each account, and something wait to be, at present."""
        (row,) = await self.rows("select now() as now from tenants where id = $1")
        self.clock.moment = row["now"]
        for _ in range(2):
            await Folder(self.workers, self.clock).step()
            async with self.workers.transaction() as tx:
                await note_peaks_all_tenants(tx)
            for account in accounts:
                await self.click(new_id().hex, account=account)
                await self.tell("kiwify", self.sale(), SaleStatus.APPROVED, account=account)
                await self._try_once(account)

    async def _try_once(self, account: Account) -> None:
        delivery = (await self.rows(DELIVERIES, account))[0]
        attempt = Attempt(
            tenant_id=account.tenant.id,
            id=new_id(),
            delivery_id=delivery["id"],
            destination_id=delivery["destination_id"],
            funnel_id=delivery["funnel_id"],
            receipt_id=delivery["receipt_id"],
            received_at=delivery["received_at"],
            owed_at=delivery["created_at"],
            gateway="kiwify",
            attempt=1,
            status="deferred",
            reason="transient_error",
            detail=None,
            facts=CallFacts(batch_size=1),
            quality=Quality(60, "em"),
            batch_id=new_id(),
            created_at=self.clock.now(),
        )
        async with self.workers.transaction() as tx:
            await insert_attempts(tx, [attempt])
            graded = Graded(
                account.tenant.id, delivery["destination_id"], "Purchase", "em", quality=60
            )
            await add_quality_all_tenants(tx, [graded], at=self.clock.now())

    def private(self) -> list[str]:
        """Return what must be readable nowhere: of the buyer, the visitor and the secrets."""
        buyer = Person()
        return [
            *(buyer.email, buyer.phone, buyer.phone[2:], buyer.document, buyer.client_ip),
            *(buyer.first_name, buyer.last_name, buyer.zip_code, SECRET, PIXEL_TOKEN),
            *("203.0.113.9", "Mozilla/5.0 (visitor)"),
        ]


@asynccontextmanager
async def open_world(url: str) -> AsyncIterator[World]:
    """Open one account on a migrated database."""
    async with AsyncExitStack() as stack:

        async def database(role: Role) -> Database:
            opened = await Database.connect(url, role, size=4)
            stack.push_async_callback(opened.close)
            return opened

        made = World(
            url,
            Stopped(),
            Envelope([bytes(range(32))]),
            await database(Role.APP),
            await database(Role.INGEST),
            await database(Role.PIPELINE),
            account=None,  # type: ignore[arg-type]
        )
        made.account = await made.open_account()
        yield made
