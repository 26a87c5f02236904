"""A person is erased: nothing of them is left in any table, and nothing else has changed."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.privacy.people import ANA, BIA, Left, desk, live
from tests.support.opened import opened, raw_rows, traces
from tests.support.world import SECRET, Stopped, World
from typing_extensions import override

from trackai.matching.explain import explain
from trackai.matching.rematch import Rematcher
from trackai.matching.sale import Tools
from trackai.model.clock import new_id
from trackai.privacy.erase import Erasure
from trackai.privacy.export import Export
from trackai.privacy.person import Person
from trackai.queue.postgres import PostgresQueue
from trackai.sandbox.platforms import PLATFORMS, SaleStatus, platform
from trackai.storage.dead_letters import Wanted, discard
from trackai.storage.erased_people import insert_erased, lock_shared, old_digests
from trackai.storage.identities import stored_keys
from trackai.storage.receipts import count_erased, reprocess_receipts

if TYPE_CHECKING:
    import datetime as dt

SHA256_BYTES = 32
WHO = Person.named(email=ANA.email, phone=ANA.phone)
FACTS = """
select gateway, transaction, status, amount_minor, currency, refunded_minor, product_id,
  product_name, recurrence, tracking ->> 'utm_campaign' as campaign, sold_at, first_seen_at
from conversions where tenant_id = $1 order by gateway, transaction
"""
COUNTS = """
select (select count(*) from clicks where tenant_id = $1) as clicks,
  (select count(*) from clicks where tenant_id = $1 and utm_campaign = 'lancamento') as campaign,
  (select count(*) from page_events where tenant_id = $1) as events,
  (select count(*) from conversion_notices where tenant_id = $1) as notices,
  (select array_agg(distinct state order by state) from webhook_receipts where tenant_id = $1)
    as states,
  (select count(*) from webhook_receipts where tenant_id = $1) as receipts,
  (select count(*) from deliveries where tenant_id = $1) as deliveries,
  (select array_agg(strategy || coalesce(click_id, '') order by conversion_id) from matches
    where tenant_id = $1) as matches
"""
OWED = """
select d.status, d.reason, c.erased_at is not null as erased
from deliveries d join conversions c on c.tenant_id = d.tenant_id and c.id = d.conversion_id
where d.tenant_id = $1
"""


@pytest.fixture
async def shop(world: World) -> tuple[Left, Left, Left]:
    """Ana and Bia at one shop, and Ana at another."""
    other = await world.open_account("Outra loja")
    return (
        await live(world, world.account, ANA, "ana"),
        await live(world, world.account, BIA, "bia"),
        await live(world, other, ANA, "ana"),
    )


Shop = tuple[Left, Left, Left]


async def erase(world: World, who: Person = WHO) -> dict[str, int]:
    return dict(await Erasure(desk(world), who, why="ticket 7").run())


async def left_of(world: World, person: Left) -> list[tuple[object, ...]]:
    """Return where a person's traces are in the first shop."""
    everything = await raw_rows(world.url)
    # Of who signs in; under a key of their own.
    rows = {at: row for at, row in everything.items() if at[0] not in {"users", "one_time_links"}}
    values = opened(rows, world.envelope)
    tenant = world.account.tenant.id
    words = traces(person.person, *person.secrets)
    # Identities are stored under the tenant's key: who has it must not find them either.
    words += stored_keys(world.envelope, tenant, [one for one in words if len(one) == SHA256_BYTES])
    return [
        (table, column, word)
        for (table, key, column), value in values.items()
        for word in words
        if rows[table, key].get("tenant_id") == tenant and word in value
    ]


def places(found: list[tuple[object, ...]]) -> set[object]:
    return {table for table, *_ in found}


async def test_nothing_of_an_erased_person_is_left_in_any_column(world: World, shop: Shop) -> None:
    before = await left_of(world, shop[0])

    await erase(world)

    assert places(before) == {
        *("clicks", "page_events", "identities", "conversions", "conversion_notices"),
        *("webhook_receipts", "webhook_rejections"),
    }
    assert [] == await left_of(world, shop[0])
    assert len(places(await left_of(world, shop[1]))) == 7


async def test_no_body_can_be_tried_against_what_is_left_of_its_webhook(
    world: World, shop: Shop
) -> None:
    digests = "select digest from webhook_receipts where tenant_id = $1 and id = any($2)"
    async with world.workers.transaction() as tx:
        before = await tx.fetch(digests, world.account.tenant.id, shop[0].receipts)
    await erase(world)
    async with world.workers.transaction() as tx:
        after = await tx.fetch(digests, world.account.tenant.id, shop[0].receipts)

    assert len(before) == len(after) == len(shop[0].receipts)
    assert {row["digest"] for row in before}.isdisjoint(row["digest"] for row in after)


async def test_an_email_alone_leads_to_all_but_bodies_with_the_phone_alone(
    world: World, shop: Shop
) -> None:
    await erase(world, Person.named(email=ANA.email))

    assert {"webhook_receipts"} == places(await left_of(world, shop[0]))


async def test_what_was_known_by_another_name_goes_when_asked_for_by_it(
    world: World, shop: Shop
) -> None:
    phone = Person.named(phone="(11) 8765-4321")
    told = (await Export(desk(world), phone).run())["also_known_by"]
    await erase(world, phone)
    between = places(await left_of(world, shop[0]))
    await erase(world, Person.named(email=ANA.email))

    assert [ANA.email] == told
    assert between <= {"clicks", "identities", "webhook_receipts"}  # a lead by e-mail alone
    assert [] == await left_of(world, shop[0])


async def test_nothing_of_anybody_else_changes(world: World, shop: Shop) -> None:
    before = await raw_rows(world.url)
    await erase(world)
    after = await raw_rows(world.url)

    ana, *_ = shop
    changed = {row for row in before if before[row] != after.get(row)}
    fresh = Counter(table for table, _ in after.keys() - before.keys())
    tenants = {before[row].get("tenant_id") for row in changed}
    assert {world.account.tenant.id} == tenants
    # What is not sent any more is counted as such.
    assert set(fresh) == {"audit_logs", "erased_people", "changed_dispatch"}
    assert {before[row]["click_id"] for row in changed if row[0] == "clicks"} == {
        f"ana-{name}" for name in ("click", "again", "phone", "lead", "back")
    }
    assert {before[row]["id"] for row in changed if row[0] == "webhook_receipts"} == set(
        ana.receipts
    )
    for table in ("identities", "page_events"):
        assert {
            str(before[row]["click_id"]).partition("-")[0] for row in changed if row[0] == table
        } == {"ana"}
    assert {before[row]["transaction"] for row in changed if row[0] == "conversions"}.isdisjoint(
        sale.transaction for sale in shop[1].sales.values()
    )
    erased = {before[row]["id"] for row in changed if row[0] == "conversions"}
    for table in ("conversion_notices", "deliveries", "matches"):
        assert {before[row]["conversion_id"] for row in changed if row[0] == table} <= erased
    assert {table for table, _ in changed} == {
        *("clicks", "page_events", "identities", "conversions", "conversion_notices", "matches"),
        *("deliveries", "webhook_receipts", "webhook_rejections"),
    }


async def test_amounts_and_counts_stay_as_they_were(world: World, shop: Shop) -> None:
    assert shop
    facts, counts = await world.rows(FACTS), await world.rows(COUNTS)

    await erase(world)

    assert [dict(row) for row in facts] == [dict(row) for row in await world.rows(FACTS)]
    assert [dict(row) for row in counts] == [dict(row) for row in await world.rows(COUNTS)]


async def test_nothing_is_sent_any_more_nor_can_be_replayed(world: World, shop: Shop) -> None:
    assert shop
    before = Counter(row["status"] for row in await world.rows(OWED))

    await erase(world)

    owed = Counter(
        (row["status"], row["reason"]) for row in await world.rows(OWED) if row["erased"]
    )
    assert before["dead"] == 2  # one of each
    assert set(owed) == {("withheld", "erased"), ("discarded", "erased")}
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        left = await discard(
            tx, tenant_id=world.account.tenant.id, wanted=Wanted(), now=world.clock.now()
        )
    assert left == 1  # Bia's


async def test_erasing_twice_changes_nothing_the_second_time(world: World, shop: Shop) -> None:
    assert shop
    first = await erase(world)
    before = await raw_rows(world.url)
    second = await erase(world)
    after = await raw_rows(world.url)

    assert first["conversions"] > 5
    assert second == {"waiting_receipts": 0, "unreadable": 0}
    assert all(before[row] == after[row] for row in before)
    assert {"audit_logs"} == {table for table, _ in after.keys() - before.keys()}


class Crash(Exception):
    """The process dies."""


class Doomed(Stopped):
    """A clock on which the process dies when it is looked at too often."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    @override
    def now(self) -> "dt.datetime":
        self.looks -= 1
        if self.looks < 0:
            raise Crash
        return super().now()


@pytest.mark.parametrize(("looks", "more"), [(8, 0), (3, 1)])
async def test_an_erasure_that_dies_anywhere_is_finished_by_the_next(
    world: World, shop: Shop, looks: int, more: int
) -> None:
    deaths = 0
    facts = await world.rows(FACTS)
    while deaths < 200:
        clock = Doomed(looks + more * deaths)
        try:
            await Erasure(replace(desk(world), clock=clock), WHO, why="ticket 7").run()
            break
        except Crash:
            deaths += 1

    assert deaths > 2
    assert [] == await left_of(world, shop[0])
    assert [dict(row) for row in facts] == [dict(row) for row in await world.rows(FACTS)]


@pytest.mark.parametrize("gateway", sorted(PLATFORMS))
async def test_a_refund_that_comes_later_counts_and_brings_nobody_back(
    world: World, shop: Shop, gateway: str
) -> None:
    sale = shop[0].sales[gateway]
    await erase(world)
    world.clock.forward(hours=1)
    await world.tell(gateway, sale, SaleStatus.REFUNDED)

    (row,) = [row for row in await world.rows(FACTS) if row["transaction"] == sale.transaction] or [
        row for row in await world.rows(FACTS) if row["status"] == "refunded"
    ]
    assert (row["status"], row["amount_minor"]) == ("refunded", 19_700)
    assert [] == await left_of(world, shop[0])


@pytest.mark.parametrize("gateway", ["cakto", "hotmart", "kiwify", "perfectpay"])
async def test_a_refund_under_another_address_brings_nobody_back_either(
    world: World, shop: Shop, gateway: str
) -> None:
    await erase(world)
    moved = replace(ANA, email="new@exemplo.com.br", phone="5531933334444")
    sale = replace(shop[0].sales[gateway], buyer=moved)
    await world.tell(gateway, sale, SaleStatus.REFUNDED)

    assert [] == await left_of(world, shop[0])
    assert [] == await left_of(world, replace(shop[0], person=moved))


@pytest.mark.parametrize("gateway", sorted(PLATFORMS))
async def test_a_new_sale_to_somebody_erased_is_a_sale_to_nobody(
    world: World, shop: Shop, gateway: str
) -> None:
    assert shop
    await erase(world)
    before = len(await world.rows(FACTS))
    sale = world.sale(gateway, buyer=ANA, click_id="ana-click", fbp="fb.1.2.3")
    await world.tell(gateway, sale, SaleStatus.APPROVED)
    owed = [dict(row) for row in await world.rows(OWED) if row["erased"]]

    assert len(await world.rows(FACTS)) == before + 1
    assert [] == await left_of(world, shop[0])
    assert {(row["status"], row["reason"]) for row in owed} == {
        *(("withheld", "erased"), ("discarded", "erased")),
    }


async def test_others_are_processed_as_ever_after_an_erasure(world: World, shop: Shop) -> None:
    await erase(world)
    sale = world.sale("kiwify", buyer=BIA, click_id="bia-click")
    await world.tell("kiwify", sale, SaleStatus.APPROVED)
    owed = [dict(row) for row in await world.rows(OWED) if not row["erased"]]

    assert shop
    assert {"pending", "dead"} == {row["status"] for row in owed}


async def test_a_webhook_that_waits_is_counted_and_emptied_as_it_is_worked_on(
    world: World, shop: Shop
) -> None:
    said = [
        *platform("kiwify", SECRET).notices(
            world.sale("kiwify", buyer=ANA), SaleStatus.APPROVED, at=world.clock.now()
        ),
        *platform("kiwify", SECRET).notices(
            shop[0].sales["kiwify"], SaleStatus.REFUNDED, at=world.clock.now()
        ),
    ]
    await world.receive("kiwify", *said)
    first = await erase(world)
    await world.work()

    assert first["waiting_receipts"] == 2
    assert [] == await left_of(world, shop[0])
    assert (await erase(world))["waiting_receipts"] == 0


async def test_an_erased_webhook_is_not_worked_on_again(world: World, shop: Shop) -> None:
    await erase(world)
    tenant_id, ids = world.account.tenant.id, shop[0].receipts
    async with world.people.transaction(tenant_id=tenant_id) as tx:
        put_back = await reprocess_receipts(
            tx, tenant_id=tenant_id, ids=ids, state=None, now=world.clock.now()
        )
        erased = await count_erased(tx, tenant_id=tenant_id, ids=ids, state=None)

    assert (put_back, erased) == (0, len(ids))


async def test_everything_can_be_computed_again_and_matched_again(world: World, shop: Shop) -> None:
    await erase(world)
    facts = await world.rows(FACTS)
    tenant_id = world.account.tenant.id
    world.clock.forward(days=2)
    async with world.people.transaction(tenant_id=tenant_id) as tx:
        await reprocess_receipts(
            tx, tenant_id=tenant_id, ids=None, state=None, now=world.clock.now()
        )
    await world.work()
    queue = PostgresQueue(world.workers, world.clock, new_id)
    rematcher = Rematcher(world.workers, Tools(world.envelope, queue, world.clock, new_id))
    while await rematcher.step():
        pass

    assert [] == await left_of(world, shop[0])
    assert [dict(row) for row in facts] == [dict(row) for row in await world.rows(FACTS)]


async def test_the_audit_log_tells_who_when_why_and_how_much_and_not_whom(
    world: World, shop: Shop
) -> None:
    changed = await erase(world)
    deeds = await world.rows("select actor, action, details from audit_logs where tenant_id = $1")
    told: Counter[str] = Counter()
    for deed in deeds:
        details: Any = deed["details"]
        assert (deed["actor"], details["why"]) == ("cli:ana", "ticket 7")
        assert len(details["people"]) == 3  # e-mail, phone of today and of old
        told.update(details["changed"])

    assert {name: number for name, number in changed.items() if number} == {
        name: number for name, number in told.items() if name != "erased_people"
    }
    assert [] == [found for found in await left_of(world, shop[0]) if found[0] == "audit_logs"]


async def test_a_browser_that_somebody_else_uses_too_is_not_followed(world: World) -> None:
    await live(world, world.account, ANA, "ana")
    shared = "fb.1.1795435200000.ana"
    await world.click("guest-1", fbp=shared)
    await world.lead("guest-1", email="guest@exemplo.com.br", fbp=shared)
    await erase(world)
    (guest,) = await world.rows(
        "select fbp, erased_at from clicks where tenant_id = $1 and click_id = 'guest-1'"
    )
    known = await world.rows(
        "select key from identities where tenant_id = $1 and click_id = 'guest-1'"
    )

    assert (guest["fbp"], guest["erased_at"], len(known)) == (shared, None, 1)


async def test_a_browser_that_never_clicked_is_found_by_its_sale(world: World) -> None:
    sale = world.sale("cakto", buyer=ANA, fbp="fb.1.9.organic")
    await world.lead("none", fbp="fb.1.9.organic")
    await world.tell("cakto", sale, SaleStatus.APPROVED)
    await erase(world)
    (event,) = await world.rows("select fbp from page_events where tenant_id = $1")

    assert event["fbp"] is None


async def test_webhooks_that_are_worked_on_meanwhile_bring_nobody_back(
    world: World, shop: Shop
) -> None:
    facts = len(await world.rows(FACTS))
    for _ in range(10):
        for gateway in PLATFORMS:
            said = platform(gateway, SECRET).notices(
                world.sale(gateway, buyer=ANA, click_id="ana-click"), SaleStatus.APPROVED
            )
            await world.receive(gateway, *said)
        for gateway, sale in shop[0].sales.items():
            said = platform(gateway, SECRET).notices(sale, SaleStatus.REFUNDED)
            await world.receive(gateway, *said)
    await asyncio.gather(world.work(), erase(world), world.work())
    await world.work()  # what was locked a moment ago

    assert [] == await left_of(world, shop[0])
    assert facts + 50 == len(await world.rows(FACTS))


async def test_receipts_wait_for_an_erasure_to_begin_and_it_for_them(world: World) -> None:
    await world.receive(
        "kiwify", *platform("kiwify", SECRET).notices(world.sale(buyer=ANA), SaleStatus.APPROVED)
    )
    async with world.workers.transaction() as tx:
        await lock_shared(tx, tenant_id=world.account.tenant.id)
        begun = asyncio.create_task(erase(world))
        await asyncio.wait([begun], timeout=0.3)
        waited = not begun.done()
    await begun

    assert waited


async def test_a_sale_of_nobody_can_still_be_explained(world: World, shop: Shop) -> None:
    await erase(world)
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        told = await explain(
            tx,
            tenant_id=world.account.tenant.id,
            conversion=("hotmart", shop[0].sales["hotmart"].transaction),
        )

    assert (told["strategy"], told["click_id"]) == ("click_id", "ana-click")
    assert all(rung["looked_at"] == [] for rung in told["ladder"])  # type: ignore[attr-defined]


async def test_rows_that_do_not_open_are_counted_and_stop_nobody(world: World, shop: Shop) -> None:
    async with world.workers.transaction() as tx:
        await tx.execute(
            "update webhook_receipts set body_sealed = '\\x00' where id = $1", shop[1].receipts[0]
        )
    changed = await erase(world)

    assert changed["unreadable"] == 1
    assert [] == await without_unreadable(world, shop)


async def without_unreadable(world: World, shop: Shop) -> list[tuple[object, ...]]:
    async with world.workers.transaction() as tx:
        await tx.execute(
            "update webhook_receipts set body_sealed = $2 where id = $1",
            shop[1].receipts[0],
            world.envelope.seal(b"", table="webhook_receipts", tenant_id=world.account.tenant.id),
        )
    return await left_of(world, shop[0])


async def test_a_producers_erasure_empties_bodies_and_leaves_buyers_alone(
    world: World, shop: Shop
) -> None:
    producer = Person.named(email="produtor@example.com")
    buyers = [key for key, row in (await raw_rows(world.url)).items() if "buyer_sealed" in row]
    before = await raw_rows(world.url)
    await erase(world, producer)
    after = await raw_rows(world.url)
    await world.tell("kiwify", world.sale("kiwify", buyer=BIA), SaleStatus.APPROVED)
    values = opened(await raw_rows(world.url), world.envelope)
    tenant = world.account.tenant.id

    assert buyers
    assert all(before[key] == after[key] for key in buyers)
    assert shop[0].receipts
    assert [] == [
        place
        for place, value in values.items()
        if b"produtor@example.com" in value and after.get(place[:2], {}).get("tenant_id") == tenant
    ]
    assert "pending" in {row["status"] for row in await world.rows(OWED) if not row["erased"]}


async def test_a_lead_after_the_erasure_is_a_new_consent(world: World, shop: Shop) -> None:
    assert shop
    await erase(world)
    await world.lead("ana-new", email=ANA.email)
    document = await Export(desk(world), WHO).run()

    assert [row["click_id"] for row in document["identities"]] == ["ana-new"]  # type: ignore[attr-defined]


async def test_somebody_erased_before_tenants_had_keys_stays_erased(world: World) -> None:
    tenant_id = world.account.tenant.id
    async with world.people.transaction(tenant_id=tenant_id) as tx:
        keys = old_digests(world.envelope, tenant_id, WHO.keys)
        await insert_erased(tx, tenant_id=tenant_id, keys=keys, now=world.clock.now())

    await world.tell("kiwify", world.sale(buyer=ANA), SaleStatus.APPROVED)

    (sale,) = await world.rows("select erased_at from conversions where tenant_id = $1")
    assert sale["erased_at"] is not None
