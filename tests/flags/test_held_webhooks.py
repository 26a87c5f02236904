"""A gateway that is off and stores: webhooks wait, and every one is worked on when it is on."""

from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from tests.support.world import SECRET, Account

from trackai.gateways.registry import gateways
from trackai.matching import release
from trackai.matching.process import ReceiptProcessor
from trackai.matching.release import ReceiptReleaser
from trackai.model.clock import new_id
from trackai.model.flag import OffMode
from trackai.privacy.desk import Desk
from trackai.privacy.erase import Erasure
from trackai.privacy.person import Person as Wanted
from trackai.sandbox.platforms import Person, SaleStatus, platform
from trackai.storage import held
from trackai.storage.alarm_measures import find_oldest_webhook_all_tenants
from trackai.storage.receipts import SealedReceipt, postpone_receipt

if TYPE_CHECKING:
    from tests.support.flags import Panel

KIWIFY = "gateway.kiwify"
STATES = """
select id, state, reason, attempts, run_at::text as run_at
from webhook_receipts where tenant_id = $1 order by id
"""
WORKED = "select id from webhook_receipts where tenant_id = $1 order by processed_at, id"
SALES = "select transaction from conversions where tenant_id = $1"
BODIES = "select body_sealed, erased_at from webhook_receipts where tenant_id = $1"


async def come(panel: "Panel", number: int = 1, account: Account | None = None) -> list[UUID]:
    """Let webhooks of paid sales come."""
    world, ids = panel.world, []
    for _ in range(number):
        sale = world.sale()
        said = platform("kiwify", SECRET).notices(sale, SaleStatus.APPROVED, at=world.clock.now())
        ids += await world.receive("kiwify", *said, account=account)
        world.clock.forward(seconds=1)
    return ids


# State, when it is due, and how often it was tried.
State = tuple[str, str | None, int]


class Staff:
    """A worker process: it remembers flags, works on webhooks, and releases them."""

    def __init__(self, panel: "Panel") -> None:
        world, switches = panel.world, panel.switches()
        self.processor = ReceiptProcessor(world.workers, world.tools(), gateways(), switches)
        self.releaser = ReceiptReleaser(world.workers, switches, world.clock)

    async def work(self) -> int:
        """Work off what is due; return how many turns it took."""
        turns = 0
        while await self.processor.step():
            turns += 1
        return turns


async def states(panel: "Panel", account: Account | None = None) -> list[State]:
    rows = await panel.world.rows(STATES, account)
    return [(row["state"], row["run_at"], row["attempts"]) for row in rows]


HELD: State = ("received", "infinity", 0)
DONE: State = ("processed", None, 1)


@pytest.mark.parametrize("mode", OffMode)
async def test_webhooks_wait_while_it_is_off_and_all_are_worked_on_after(
    panel: "Panel", mode: OffMode
) -> None:
    staff = Staff(panel)
    await panel.say(KIWIFY, 0, off_mode=mode)
    ids = await come(panel, 5)
    await staff.work()
    waiting, sold = await states(panel), await panel.world.rows(SALES)
    nothing = (await staff.releaser.step(), await staff.work())
    await panel.say(KIWIFY, 100)
    released = await staff.releaser.step()
    await staff.work()

    assert ([HELD] * 5, [], (False, 0)) == (waiting, list(sold), nothing)
    assert released
    assert [DONE] * 5 == await states(panel)
    assert 5 == len(await panel.world.rows(SALES))
    assert ids == [row["id"] for row in await panel.world.rows(WORKED)]
    assert {None} == {row["reason"] for row in await panel.world.rows(STATES)}


async def test_other_tenants_and_gateways_go_on(panel: "Panel") -> None:
    other, staff = await panel.world.open_account("Outra"), Staff(panel)
    await panel.say(KIWIFY, 0, account=panel.world.account)
    await come(panel)
    await come(panel, account=other)
    sale = panel.world.sale("hotmart")
    said = platform("hotmart", SECRET).notices(sale, SaleStatus.APPROVED)
    await panel.world.receive("hotmart", *said)
    await staff.work()

    assert {HELD, DONE} == set(await states(panel))
    assert [DONE] == await states(panel, other)


async def test_a_worker_that_ends_in_between_changes_nothing(panel: "Panel") -> None:
    await panel.say(KIWIFY, killed=True)
    await come(panel, 3)
    await Staff(panel).work()
    await panel.say(KIWIFY, killed=False)
    successor = Staff(panel)
    await successor.releaser.step()
    await successor.work()

    assert [DONE] * 3 == await states(panel)


async def test_a_worker_that_has_not_heard_yet_holds_again_and_all_are_released(
    panel: "Panel",
) -> None:
    slow, quick = Staff(panel), Staff(panel)
    await panel.say(KIWIFY, 0)
    await come(panel, 2)
    await slow.work()
    await panel.say(KIWIFY, 100)
    panel.pass_by(-0.001)  # the slow one has read the rules in this moment
    await quick.releaser.step()
    await slow.work()
    again = await states(panel)
    panel.pass_by()
    await slow.releaser.step()
    await slow.work()

    assert [HELD] * 2 == again
    assert [DONE] * 2 == await states(panel)


async def test_no_more_are_released_than_there_is_room_for(
    panel: "Panel", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "ROOM", 4)
    staff = Staff(panel)
    await panel.say(KIWIFY, 0)
    ids = await come(panel, 10)
    await staff.work()
    await panel.say(KIWIFY, 100)
    first = (await staff.releaser.step(), await staff.releaser.step())
    due = [row["id"] for row in await panel.world.rows(STATES) if row["run_at"] != "infinity"]
    turns: list[int] = []
    while await staff.releaser.step() or not turns:
        turns.append(await staff.work())

    assert (True, False) == first
    assert ids[:4] == due
    assert [4, 4, 2] == [turn for turn in turns if turn]
    assert [DONE] * 10 == await states(panel)


async def test_what_waits_is_not_late_and_is_counted(panel: "Panel") -> None:
    world, staff = panel.world, Staff(panel)
    await panel.say(KIWIFY, 0)
    began = world.clock.now()
    await come(panel, 3)
    await staff.work()
    world.clock.forward(hours=2)
    async with world.workers.transaction() as tx:
        late = await find_oldest_webhook_all_tenants(tx, now=world.clock.now())
        (all_,) = await held.count_held_all_tenants(tx)
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        (own,) = await held.count_held(tx, tenant_id=world.account.tenant.id)

    assert late is None
    assert (KIWIFY, 3, 1, began) == (all_.flag, all_.number, all_.tenants, all_.since)
    assert ("kiwify", None, 3, began) == (own.name, own.destination_id, own.number, own.since)


async def test_one_that_had_failed_before_keeps_its_tries(panel: "Panel") -> None:
    world, staff = panel.world, Staff(panel)
    (receipt_id,) = await come(panel)
    async with world.workers.transaction() as tx:
        (row,) = await tx.fetch("select * from webhook_receipts where id = $1", receipt_id)
        fields = {name: row[name] for name in SealedReceipt.__slots__ if name in row}
        await postpone_receipt(
            tx, SealedReceipt(**fields), reason="storage_unavailable", run_at=world.clock.now()
        )
    await panel.say(KIWIFY, 0)
    await staff.work()
    waiting = await states(panel)
    await panel.say(KIWIFY, 100)
    await staff.releaser.step()
    await staff.work()

    assert [("received", "infinity", 1)] == waiting
    assert [("processed", None, 2)] == await states(panel)


async def test_who_is_erased_while_a_webhook_waits_does_not_come_back(panel: "Panel") -> None:
    world, staff = panel.world, Staff(panel)
    tenant_id = world.account.tenant.id
    await panel.say(KIWIFY, 0)
    await come(panel)
    await staff.work()
    desk = Desk(world.people, world.envelope, world.clock, new_id, tenant_id, "cli:ana")
    left = await Erasure(desk, Wanted.named(email=Person().email), why="ticket 7").run()
    await panel.say(KIWIFY, 100)
    await staff.releaser.step()
    await staff.work()
    (row,) = await world.rows(BODIES)

    assert 1 == left["waiting_receipts"]
    assert row["erased_at"] is not None
    assert b"" == world.envelope.open(
        row["body_sealed"], table="webhook_receipts", tenant_id=tenant_id
    )
