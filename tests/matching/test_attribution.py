"""Which click counts, whose a renewal is, and what a click that comes late changes."""

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from trackai.model.tenant import Attribution
from trackai.sandbox.platforms import PLATFORMS, Person, SaleStatus
from trackai.storage.deliveries import load_owed_all_tenants

if TYPE_CHECKING:
    from tests.support.world import World

MATCHES = """
select m.strategy, m.click_id, m.found_click_id, c.recurrence
from matches m join conversions c on c.tenant_id = m.tenant_id and c.id = m.conversion_id
where m.tenant_id = $1 order by c.sold_at, c.recurrence
"""
FBP = "fb.1.1795435200000.1234567890"
HOUR = dt.timedelta(hours=1)
AGENT = "Mozilla/5.0 (visitor)"
RENEWING = sorted(name for name, one in PLATFORMS.items() if SaleStatus.RENEWAL in one.statuses)


async def _matches(world: "World") -> list[tuple[str, str | None]]:
    return [(row["strategy"], row["click_id"]) for row in await world.rows(MATCHES)]


# Renewals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("gateway", RENEWING)
async def test_a_renewal_is_attributed_to_the_original_click(world: "World", gateway: str) -> None:
    await world.click("c1")
    first = world.sale(gateway, click_id="c1", subscription="SUB-A")
    await world.tell(gateway, first, SaleStatus.APPROVED)
    world.clock.forward(days=30)
    await world.click("c2")  # another visit of the same buyer, who is charged all the same
    await world.lead("c2", email=Person().email)
    renewal = world.sale(gateway, subscription="SUB-A", recurrence=2)
    await world.tell(gateway, renewal, SaleStatus.RENEWAL)

    assert await _matches(world) == [("click_id", "c1"), ("subscription", "c1")]


async def test_a_renewal_of_another_subscription_or_tenant_is_not(world: "World") -> None:
    other = await world.open_account("Outra")
    await world.click("c1")
    await world.tell("kiwify", world.sale(click_id="c1", subscription="SUB-A"), SaleStatus.APPROVED)
    stranger = Person(email="other@example.com", phone="5521988887777")
    for account, subscription in ((world.account, "SUB-B"), (other, "SUB-A")):
        sale = world.sale(buyer=stranger, subscription=subscription, recurrence=2)
        await world.tell("kiwify", sale, SaleStatus.RENEWAL, account=account)
    theirs = await world.rows(MATCHES, other)

    assert await _matches(world) == [("click_id", "c1"), ("unmatched", None)]
    assert [("unmatched", None)] == [(row["strategy"], row["click_id"]) for row in theirs]


# First click -------------------------------------------------------------------------------------


async def test_the_last_click_counts_unless_the_funnel_says_first(world: "World") -> None:
    await world.click("c0", fbp=FBP, ago=100 * HOUR)  # outside the window
    await world.click("c1", fbp=FBP, fbclid="IwAR1", ago=50 * HOUR)
    await world.click("c2", fbp=FBP, ago=40 * HOUR)  # of no ad
    await world.click("c3", fbp=FBP, fbclid="IwAR3", ago=HOUR)
    await world.tell("kiwify", world.sale(click_id="c3"), SaleStatus.APPROVED)
    last = await _matches(world)
    await world.matches_by(attribution=Attribution.FIRST_CLICK)
    world.clock.forward(seconds=1)
    await world.tell("kiwify", world.sale(click_id="c3"), SaleStatus.APPROVED)
    (_, first) = await world.rows(MATCHES)

    assert last == [("click_id", "c3")]
    assert ("click_id", "c1", "c3") == (
        first["strategy"],
        first["click_id"],
        first["found_click_id"],
    )


async def test_the_first_click_is_found_on_another_device_by_who_it_was(world: "World") -> None:
    await world.matches_by(attribution=Attribution.FIRST_CLICK)
    await world.click("phone", fbclid="IwAR1", fbp="fb.1.1.1", ago=20 * HOUR)
    await world.lead("phone", email="joana@example.com")
    await world.click("laptop", fbclid="IwAR2", fbp="fb.1.1.2", ago=HOUR)
    await world.lead("laptop", email="joana@example.com")
    await world.tell("kiwify", world.sale(click_id="laptop"), SaleStatus.APPROVED)

    assert await _matches(world) == [("click_id", "phone")]


async def test_what_is_sent_is_of_the_browser_that_bought(world: "World") -> None:
    await world.matches_by(attribution=Attribution.FIRST_CLICK)
    await world.click("c1", fbp=FBP, fbclid="IwAR1", ago=HOUR)
    await world.click("c2", fbp=FBP, fbclid="IwAR2")
    await world.tell("kiwify", world.sale(click_id="c2"), SaleStatus.APPROVED)
    (row,) = await world.rows("select tenant_id, id from deliveries where tenant_id = $1")
    async with world.workers.transaction() as tx:
        loaded = await load_owed_all_tenants(tx, world.envelope, [(row["tenant_id"], row["id"])])

    assert ["IwAR2"] == [one.event.click and one.event.click.ads.fbclid for one in loaded.owed]


# Who it was --------------------------------------------------------------------------------------


async def test_a_second_purchase_on_another_device_finds_the_first_click(world: "World") -> None:
    await world.click("c1", ago=HOUR)
    await world.tell("kiwify", world.sale(click_id="c1"), SaleStatus.APPROVED)
    world.clock.forward(hours=5)
    await world.tell("hotmart", world.sale("hotmart"), SaleStatus.APPROVED)

    assert await _matches(world) == [("click_id", "c1"), ("email", "c1")]


async def test_the_sites_own_id_joins_the_devices_of_one_person(world: "World") -> None:
    await world.click("old", ago=20 * HOUR)
    await world.lead("old", email=Person().email, external_id="aluno-7")
    await world.click("new", ago=HOUR)
    await world.lead("new", external_id="aluno-7")  # logged in, gave no e-mail
    await world.tell("hotmart", world.sale("hotmart"), SaleStatus.APPROVED)

    assert await _matches(world) == [("email", "new")]


# Address and agent -------------------------------------------------------------------------------


async def _sell_at_address(world: "World", **buyer: str) -> None:
    person = Person(
        email="x@example.com",
        phone="5521988887777",
        client_ip=buyer.get("ip", "203.0.113.9"),
        user_agent=buyer.get("agent", AGENT),
    )
    await world.tell("perfectpay", world.sale("perfectpay", buyer=person), SaleStatus.APPROVED)


async def test_address_and_agent_match_only_where_a_funnel_asks(world: "World") -> None:
    await world.click("c1", ago=dt.timedelta(minutes=10))
    await _sell_at_address(world)
    off = await _matches(world)
    await world.matches_by(visitor_window=dt.timedelta(minutes=30))
    world.clock.forward(seconds=1)
    await _sell_at_address(world)

    assert off == [("unmatched", None)]
    assert await _matches(world) == [("unmatched", None), ("visitor", "c1")]


@pytest.mark.parametrize(
    "case", [{"ip": "203.0.113.10"}, {"agent": "Mozilla/5.0 (another)"}, {"ago": "40"}]
)
async def test_another_address_agent_or_hour_is_another_visitor(
    world: "World", case: dict[str, str]
) -> None:
    await world.matches_by(visitor_window=dt.timedelta(minutes=30))
    await world.click("c1", ago=dt.timedelta(minutes=int(case.pop("ago", "10"))))
    await _sell_at_address(world, **case)

    assert await _matches(world) == [("unmatched", None)]


async def test_two_browsers_behind_one_address_match_nobody(world: "World") -> None:
    await world.matches_by(visitor_window=dt.timedelta(minutes=30))
    await world.click("c1", fbp="fb.1.1.1")
    await world.click("c2", fbp="fb.1.1.2")
    await _sell_at_address(world)

    assert await _matches(world) == [("unmatched", None)]


async def test_address_and_agent_cannot_be_read_from_the_key(world: "World") -> None:
    await world.click("c1")
    other = await world.open_account("Outra")
    await world.click("c1", account=other)
    (mine,) = await world.rows("select visitor_key from clicks where tenant_id = $1")
    (theirs,) = await world.rows("select visitor_key from clicks where tenant_id = $1", other)

    assert len(mine["visitor_key"]) == 16
    assert mine["visitor_key"] != theirs["visitor_key"]


# Late --------------------------------------------------------------------------------------------


async def test_a_click_that_comes_late_is_found(world: "World") -> None:
    await world.tell("kiwify", world.sale(click_id="late"), SaleStatus.APPROVED)
    before = await _matches(world)
    world.clock.forward(hours=20)
    await world.click("late", ago=dt.timedelta(0))
    await world.look_again()

    assert before == [("unmatched", None)]
    assert await _matches(world) == [("click_id", "late")]


async def test_a_lead_that_is_told_of_late_is_found(world: "World") -> None:
    await world.tell("hotmart", world.sale("hotmart"), SaleStatus.APPROVED)
    await world.click("c1", ago=HOUR)
    await world.lead("c1", email=Person().email)
    world.clock.forward(minutes=2)
    await world.look_again()

    assert await _matches(world) == [("email", "c1")]


async def test_after_the_window_nobody_looks_any_more(world: "World") -> None:
    await world.tell("kiwify", world.sale(click_id="late"), SaleStatus.APPROVED)
    looks = 0
    for _ in range(200):
        looks += await world.look_again()
        world.clock.forward(hours=1)
    await world.click("late")
    await world.look_again()

    assert 3 <= looks <= 20
    assert await _matches(world) == [("unmatched", None)]


async def test_a_better_match_sends_nothing_again(world: "World") -> None:
    await world.tell("kiwify", world.sale(click_id="late"), SaleStatus.APPROVED)
    statement = "select id, status, event_id, attempts from deliveries where tenant_id = $1"
    async with world.workers.transaction() as tx:
        await tx.execute(
            "update deliveries set status = 'accepted', settled_at = now(), next_at = null "
            "where tenant_id = $1",
            world.account.tenant.id,
        )
        await tx.execute("delete from queue_messages")
    before = list(await world.rows(statement))
    world.clock.forward(minutes=2)
    await world.click("late")
    await world.look_again()

    assert await _matches(world) == [("click_id", "late")]
    assert before == list(await world.rows(statement))
    assert list(await world.rows("select 1 from queue_messages where tenant_id = $1")) == []


async def test_a_match_that_cannot_be_better_is_not_looked_at_again(world: "World") -> None:
    await world.click("c1")
    await world.tell("kiwify", world.sale(click_id="c1"), SaleStatus.APPROVED)
    world.clock.forward(hours=1)

    assert await world.look_again() == 0


async def test_what_was_said_and_is_gone_stops_no_other_sale(world: "World") -> None:
    await world.tell("kiwify", world.sale(click_id="gone"), SaleStatus.APPROVED)
    async with world.workers.transaction() as tx:
        await tx.execute(
            "update conversion_notices set notice_sealed ="
            " set_byte(notice_sealed, 30, get_byte(notice_sealed, 30) # 255) "
            "where tenant_id = $1",
            world.account.tenant.id,
        )
    await world.tell("kiwify", world.sale(click_id="late"), SaleStatus.APPROVED)
    world.clock.forward(minutes=2)
    await world.click("late")
    await world.look_again()

    assert ("click_id", "late") in await _matches(world)
