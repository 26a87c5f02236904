"""What sales become and owe, whatever the order and number of their notices."""

import asyncio
import datetime as dt
import itertools
import json
from typing import TYPE_CHECKING

import asyncpg
import pytest
from tests.support.program import PATIENCE_S
from typing_extensions import override

from trackai.errors import StorageUnavailable
from trackai.gateways.registry import gateways
from trackai.matching.process import ReceiptProcessor
from trackai.matching.sale import Tools
from trackai.model.clock import new_id
from trackai.queue.postgres import PostgresQueue
from trackai.sandbox.platforms import PLATFORMS, SaleStatus, SignedWebhook, platform
from trackai.storage import receipts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.world import World

    from trackai.storage.pool import Tx
    from trackai.storage.queue_messages import QueuedDelivery

SECRET = "whsec_c2VjcmV0LW9mLXRoZS1wbGF0Zm9ybQ"

CONVERSIONS = """
select gateway, transaction, status, amount_minor, currency, refunded_minor, recurrence
from conversions where tenant_id = $1 order by first_seen_at, transaction
"""
DELIVERIES = """
select event_name, event_id, status, reason, next_at, event_time
from deliveries where tenant_id = $1 order by event_name, event_id
"""
QUEUED = "select run_at from queue_messages where tenant_id = $1 order by run_at"
RECEIPTS = "select id, gateway, state, reason, attempts from webhook_receipts where tenant_id = $1"
NOTICES = "select status from conversion_notices where tenant_id = $1 order by status"

ENDS = {
    SaleStatus.REFUNDED: "refunded",
    SaleStatus.CHARGED_BACK: "charged_back",
    SaleStatus.COMPLETED: "approved",
    SaleStatus.DISPUTED: "disputed",
}


async def owed(world: "World") -> list[tuple[str, str]]:
    return [(row["event_name"], row["status"]) for row in await world.rows(DELIVERIES)]


@pytest.mark.parametrize("gateway", sorted(PLATFORMS))
async def test_an_approved_sale_owes_one_purchase(world: "World", gateway: str) -> None:
    sale = world.sale(gateway)
    await world.tell(gateway, sale, SaleStatus.APPROVED)

    (conversion,) = await world.rows(CONVERSIONS)
    (delivery,) = await world.rows(DELIVERIES)
    assert dict(conversion) == {
        "gateway": gateway,
        "transaction": sale.transaction,
        "status": "approved",
        "amount_minor": 19_700,
        "currency": "BRL",
        "refunded_minor": None,
        "recurrence": 1,
    }
    assert (delivery["event_name"], delivery["status"]) == ("Purchase", "pending")
    assert delivery["event_id"] == f"{gateway}:{sale.transaction}"
    assert abs(delivery["event_time"] - sale.sold_at) < dt.timedelta(minutes=1)
    assert len(await world.rows(QUEUED)) == 1


@pytest.mark.parametrize("gateway", sorted(PLATFORMS))
async def test_every_statement_said_again_changes_nothing(world: "World", gateway: str) -> None:
    sale = world.sale(gateway)
    told = [
        status
        for status in (SaleStatus.APPROVED, SaleStatus.COMPLETED)
        if status in PLATFORMS[gateway].statuses
    ]
    for _ in range(3):
        await world.tell(gateway, sale, *told)
        world.clock.forward(minutes=7)

    assert len(await world.rows(CONVERSIONS)) == 1
    assert await owed(world) == [("Purchase", "pending")]


@pytest.mark.parametrize(
    ("gateway", "end"),
    [
        (gateway, end)
        for gateway, recipe in sorted(PLATFORMS.items())
        for end in ENDS
        if end in recipe.statuses
    ],
)
async def test_any_order_of_notices_ends_in_the_same_sale(
    world: "World", gateway: str, end: SaleStatus
) -> None:
    statuses = [SaleStatus.APPROVED, end]
    ends = set()
    for number, order in enumerate(itertools.permutations(statuses)):
        account = await world.open_account(f"Ordem {number}")
        world.account = account
        sale = world.sale(gateway)
        for status in order:
            await world.tell(gateway, sale, status)
        (conversion,) = await world.rows(CONVERSIONS)
        ends.add((conversion["status"], conversion["amount_minor"], conversion["refunded_minor"]))

    assert len(ends) == 1
    assert {ENDS[end]} == {status for status, *_ in ends}


@pytest.mark.parametrize("gateway", ["cakto", "hotmart", "kiwify", "perfectpay"])
async def test_a_refund_known_before_its_approval_withholds_the_purchase(
    world: "World", gateway: str
) -> None:
    sale = world.sale(gateway)
    await world.tell(gateway, sale, SaleStatus.REFUNDED, SaleStatus.APPROVED)

    (delivery,) = await world.rows(DELIVERIES)
    assert ("withheld", "sale_reversed") == (delivery["status"], delivery["reason"])
    assert await world.rows(QUEUED) == []


async def test_a_refund_after_the_approval_leaves_the_purchase_owed(world: "World") -> None:
    sale = world.sale("hotmart")
    await world.tell("hotmart", sale, SaleStatus.APPROVED, SaleStatus.REFUNDED)

    assert await owed(world) == [("Purchase", "pending")]


async def test_a_payment_whose_session_is_to_come_waits_for_it(world: "World") -> None:
    session, *others = platform("stripe", SECRET).notices(
        sale := world.sale("stripe"), SaleStatus.APPROVED
    )
    await world.receive("stripe", *others)
    await world.work()
    (held,) = await world.rows(DELIVERIES)
    await world.receive("stripe", session)
    await world.work()

    (delivery,) = await world.rows(DELIVERIES)
    (message,) = await world.rows(QUEUED)
    assert held["next_at"] == world.clock.now() + dt.timedelta(seconds=90)
    assert delivery["next_at"] == world.clock.now() == message["run_at"]
    assert delivery["event_id"] == f"stripe:{sale.transaction}"


async def test_an_approval_without_amount_waits_for_a_notice_that_brings_it(
    world: "World",
) -> None:
    sale = world.sale("kiwify")
    full, *_ = platform("kiwify", SECRET).notices(sale, SaleStatus.APPROVED)
    document = json.loads(full.body)
    document.pop("Commissions")
    bare = SignedWebhook(json.dumps(document).encode(), full.headers, full.query)
    await world.receive("kiwify", bare)
    await world.work()
    (held,) = await world.rows(DELIVERIES)
    await world.receive("kiwify", full)
    await world.work()
    (delivery,) = await world.rows(DELIVERIES)
    (message,) = await world.rows(QUEUED)

    assert held["next_at"] == world.clock.now() + dt.timedelta(days=1)
    assert delivery["next_at"] == world.clock.now() == message["run_at"]
    assert delivery["event_id"] == held["event_id"]


async def test_a_sale_of_nothing_is_a_trial(world: "World") -> None:
    await world.tell("hotmart", world.sale("hotmart", amount_minor=0), SaleStatus.APPROVED)

    assert await owed(world) == [("StartTrial", "pending")]


@pytest.mark.parametrize("gateway", ["cakto", "hotmart", "kiwify", "stripe"])
async def test_a_renewal_is_a_sale_of_its_own_and_no_purchase(world: "World", gateway: str) -> None:
    if SaleStatus.RENEWAL not in PLATFORMS[gateway].statuses:
        pytest.skip("this platform's stand-in tells no renewals")
    await world.tell(gateway, world.sale(gateway, recurrence=2), SaleStatus.RENEWAL)

    assert await owed(world) == [("SubscriptionRenewal", "pending")]


async def test_an_abandoned_checkout_owes_nothing_by_default(world: "World") -> None:
    await world.tell("hotmart", world.sale("hotmart"), SaleStatus.ABANDONED)

    assert await owed(world) == []


# Trouble ---------------------------------------------------------------------------------------


async def test_an_authentic_body_that_is_not_understood_is_kept_with_its_reason(
    world: "World",
) -> None:
    await world.receive("kiwify", SignedWebhook(b"[1, 2]", {}))
    await world.work()

    (receipt,) = await world.rows(RECEIPTS)
    assert receipt["state"] == "failed"
    assert receipt["reason"]


async def test_a_body_of_thousands_of_sales_is_kept_and_does_not_hold_up_the_next(
    world: "World",
) -> None:
    entries = [{"id": f"sale-{number}"} for number in range(20_000)]
    body = json.dumps({"event": "purchase_approved", "secret": SECRET, "data": entries}).encode()
    said = platform("kiwify", SECRET).notices(world.sale(), SaleStatus.APPROVED)
    await world.receive("cakto", SignedWebhook(body, {}))
    await world.receive("kiwify", *said)
    await world.work()
    states = {row["gateway"]: row["state"] for row in await world.rows(RECEIPTS)}

    assert {"cakto": "failed", "kiwify": "processed"} == states
    assert await owed(world) == [("Purchase", "pending")]


async def test_one_that_is_not_understood_does_not_hold_up_the_next(world: "World") -> None:
    said = platform("kiwify", SECRET).notices(world.sale(), SaleStatus.APPROVED)
    await world.receive("kiwify", SignedWebhook(b"\xff\x00{", {}), *said)
    await world.work()

    assert await owed(world) == [("Purchase", "pending")]


async def test_a_receipt_that_cannot_be_opened_is_tried_again_and_then_kept(
    world: "World",
) -> None:
    said = platform("kiwify", SECRET).notices(world.sale(), SaleStatus.APPROVED)
    await world.receive("kiwify", *said)
    right, world.envelope = world.envelope, type(world.envelope)([bytes(32)])
    for _ in range(12):
        await world.work()
        world.clock.forward(minutes=15)
    (failed,) = await world.rows(RECEIPTS)
    world.envelope = right
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        await receipts.reprocess_receipts(
            tx,
            tenant_id=world.account.tenant.id,
            ids=None,
            state=receipts.ReceiptState.FAILED,
            now=world.clock.now(),
        )
    await world.work()

    assert (failed["state"], failed["attempts"]) == ("failed", 12)
    assert ["processed"] == [row["state"] for row in await world.rows(RECEIPTS)]
    assert await owed(world) == [("Purchase", "pending")]


async def test_reprocessing_everything_changes_nothing(world: "World") -> None:
    for gateway in PLATFORMS:
        await world.click(f"c-{gateway}")
        sale = world.sale(gateway, click_id=f"c-{gateway}")
        await world.tell(gateway, sale, SaleStatus.APPROVED)
    looked_at = (CONVERSIONS, DELIVERIES, NOTICES, QUEUED)
    before = [await world.rows(statement) for statement in looked_at]
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        changed = await receipts.reprocess_receipts(
            tx, tenant_id=world.account.tenant.id, ids=None, state=None, now=world.clock.now()
        )
    await world.work()

    assert changed >= len(PLATFORMS)
    assert before == [await world.rows(statement) for statement in looked_at]


async def test_a_sale_changed_by_nobody_else_while_many_work_on_it(world: "World") -> None:
    sales = [world.sale("hotmart", click_id=f"c{number}") for number in range(6)]
    hotmart = platform("hotmart", SECRET)
    said = [
        hotmart.notice(sale, status, at=world.clock.now() + dt.timedelta(seconds=second))
        for sale in sales
        for second in range(3)
        for status in (SaleStatus.APPROVED, SaleStatus.COMPLETED, SaleStatus.REFUNDED)
    ]
    world.clock.forward(minutes=1)
    await world.receive("hotmart", *said)

    async def work() -> None:
        await world.work()

    await asyncio.gather(*(work() for _ in range(4)))

    assert [len(sales), len(sales)] == [
        len(await world.rows(CONVERSIONS)),
        len(await world.rows(DELIVERIES)),
    ]
    assert {row["status"] for row in await world.rows(CONVERSIONS)} == {"refunded"}
    assert {row["state"] for row in await world.rows(RECEIPTS)} == {"processed"}


async def test_a_connection_cut_in_the_middle_leaves_nothing_half_done(world: "World") -> None:
    gate = Gate()
    said = platform("kiwify", SECRET).notices(world.sale(), SaleStatus.APPROVED)
    await world.receive("kiwify", *said)
    stuck = asyncio.create_task(_step_stuck_at_the_queue(world, gate))
    await asyncio.wait_for(gate.reached.wait(), PATIENCE_S)
    owner = await asyncpg.connect(world.url)
    cut = await owner.fetch(CUT_OTHERS)
    await owner.close()
    gate.open.set()
    with pytest.raises(StorageUnavailable):
        await stuck
    left = await world.rows(DELIVERIES)
    await world.work()

    assert [True] == [row["cut"] for row in cut]
    assert left == []
    assert await owed(world) == [("Purchase", "pending")]
    assert len(await world.rows(QUEUED)) == 1


CUT_OTHERS = """
select pg_terminate_backend(pid) as cut from pg_stat_activity
where datname = current_database() and state = 'idle in transaction' and pid <> pg_backend_pid()
"""


class Gate:
    """Where a step waits in the middle of its transaction."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()


class _GatedQueue(PostgresQueue):
    gate: Gate

    @override
    async def enqueue(self, tx: "Tx", messages: "Sequence[QueuedDelivery]") -> None:
        self.gate.reached.set()
        await self.gate.open.wait()
        await super().enqueue(tx, messages)


async def _step_stuck_at_the_queue(world: "World", gate: Gate) -> None:
    queue = _GatedQueue(world.workers, world.clock, new_id)
    queue.gate = gate
    tools = Tools(world.envelope, queue, world.clock, new_id)
    await ReceiptProcessor(world.workers, tools, gateways()).step()
