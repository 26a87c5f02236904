"""Which click a sale is matched to, from stored webhooks to the row in matches."""

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from trackai.sandbox.platforms import PLATFORMS, Person, SaleStatus

if TYPE_CHECKING:
    from tests.support.world import World

MATCHES = """
select m.strategy, m.click_id, m.tried, c.gateway, c.transaction
from matches m join conversions c on c.tenant_id = m.tenant_id and c.id = m.conversion_id
where m.tenant_id = $1 order by m.created_at
"""
FBCLID = "IwAR0aBcDeFgHiJkLmNoPqRsTuVwXyZ-_0123456789"
FBP = "fb.1.1795435200000.1234567890"
# Platforms whose webhooks bring Meta's cookies back.
WITH_COOKIES = ["cakto", "perfectpay"]


async def decision(world: "World") -> tuple[str, str | None]:
    (row,) = await world.rows(MATCHES)
    return row["strategy"], row["click_id"]


@pytest.mark.parametrize("gateway", sorted(PLATFORMS))
async def test_click_id_comes_back_through_every_checkout(world: "World", gateway: str) -> None:
    await world.click("cAbC-1_x")
    await world.click("cOther")
    sale = world.sale(gateway, click_id="cAbC-1_x")
    await world.tell(gateway, sale, SaleStatus.APPROVED)

    assert await decision(world) == ("click_id", "cAbC-1_x")


@pytest.mark.parametrize("gateway", WITH_COOKIES)
async def test_fbc_finds_the_click_with_its_fbclid(world: "World", gateway: str) -> None:
    await world.click("c1", fbclid=FBCLID)
    sale = world.sale(gateway, fbc=f"fb.1.1795435200000.{FBCLID}")
    await world.tell(gateway, sale, SaleStatus.APPROVED)

    assert await decision(world) == ("fbclid", "c1")


async def test_an_fbclid_that_differs_in_case_is_another(world: "World") -> None:
    await world.click("c1", fbclid=FBCLID)
    sale = world.sale("cakto", fbc=f"fb.1.1795435200000.{FBCLID.lower()}")
    await world.tell("cakto", sale, SaleStatus.APPROVED)

    assert await decision(world) == ("unmatched", None)


@pytest.mark.parametrize("gateway", WITH_COOKIES)
async def test_fbp_finds_the_last_click_of_the_browser(world: "World", gateway: str) -> None:
    await world.click("c1", fbp=FBP, ago=dt.timedelta(hours=2))
    await world.click("c2", fbp=FBP, ago=dt.timedelta(hours=1))
    await world.tell(gateway, world.sale(gateway, fbp=FBP), SaleStatus.APPROVED)

    assert await decision(world) == ("fbp", "c2")


@pytest.mark.parametrize("gateway", sorted(PLATFORMS))
async def test_email_of_an_earlier_lead_finds_its_click(world: "World", gateway: str) -> None:
    await world.click("c1")
    await world.lead("c1", email="  Joana@Example.COM ")
    sale = world.sale(gateway, buyer=Person(email="joana@example.com"))
    await world.tell(gateway, sale, SaleStatus.APPROVED)

    assert await decision(world) == ("email", "c1")


@pytest.mark.parametrize("gateway", sorted(PLATFORMS))
async def test_phone_of_an_earlier_lead_finds_its_click(world: "World", gateway: str) -> None:
    await world.click("c1")
    await world.lead("c1", phone="(11) 98888-7777")
    sale = world.sale(gateway, buyer=Person(email="new@example.com", phone="5511988887777"))
    await world.tell(gateway, sale, SaleStatus.APPROVED)

    assert await decision(world) == ("phone", "c1")


async def test_a_second_purchase_finds_the_click_of_the_first(world: "World") -> None:
    await world.click("c1")
    await world.tell("hotmart", world.sale("hotmart", click_id="c1"), SaleStatus.APPROVED)
    world.clock.forward(hours=3)
    await world.tell("kiwify", world.sale("kiwify"), SaleStatus.APPROVED)

    assert [("click_id", "c1"), ("email", "c1")] == [
        (row["strategy"], row["click_id"]) for row in await world.rows(MATCHES)
    ]


async def test_the_decision_says_why_stronger_rungs_failed(world: "World") -> None:
    await world.click("c1", fbp=FBP, ago=dt.timedelta(hours=100))
    await world.click("c2")
    await world.lead("c2", email="maria@example.com")
    sale = world.sale("cakto", click_id="cNobody", fbp=FBP)
    await world.tell("cakto", sale, SaleStatus.APPROVED)

    (row,) = await world.rows(MATCHES)
    assert [
        ("subscription", "not_carried", []),
        ("click_id", "unknown", []),
        ("fbclid", "not_carried", []),
        ("fbp", "outside_window", ["c1"]),
        ("email", "found", ["c2"]),
    ] == [
        (one["strategy"], one["reason"], [click["click_id"] for click in one["looked_at"]])
        for one in row["tried"]
    ]


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (dt.timedelta(hours=72), ("click_id", "c1")),
        (dt.timedelta(hours=72, seconds=1), ("unmatched", None)),
    ],
)
async def test_the_funnels_window_decides(
    world: "World", ago: dt.timedelta, expected: tuple[str, str | None]
) -> None:
    await world.click("c1", ago=ago)
    await world.tell("hotmart", world.sale("hotmart", click_id="c1"), SaleStatus.APPROVED)

    assert expected == await decision(world)


async def test_a_longer_window_reaches_further_back(world: "World") -> None:
    world.account = await world.open_account("Longo", hours=200)
    await world.click("c1", ago=dt.timedelta(hours=150))
    await world.tell("hotmart", world.sale("hotmart", click_id="c1"), SaleStatus.APPROVED)

    assert await decision(world) == ("click_id", "c1")


async def test_another_tenants_click_is_never_found(world: "World") -> None:
    other = await world.open_account("Outro")
    await world.click("c1", account=other, fbclid=FBCLID, fbp=FBP)
    sale = world.sale("cakto", click_id="c1", fbp=FBP, fbc=f"fb.1.1795435200000.{FBCLID}")
    await world.tell("cakto", sale, SaleStatus.APPROVED)

    assert await decision(world) == ("unmatched", None)


async def test_the_same_click_id_at_two_tenants_stays_with_each(world: "World") -> None:
    other = await world.open_account("Outro")
    await world.click("c1")
    await world.click("c1", account=other)
    sale = world.sale("kiwify", click_id="c1")
    await world.tell("kiwify", sale, SaleStatus.APPROVED)
    await world.tell("kiwify", sale, SaleStatus.APPROVED, account=other)

    assert [1, 1] == [len(await world.rows(MATCHES, one)) for one in (world.account, other)]


async def test_a_later_notice_that_carries_more_improves_the_match(world: "World") -> None:
    await world.click("c1")
    sale = world.sale("kiwify", payment="pix")
    await world.tell("kiwify", sale, SaleStatus.PENDING)
    before = await decision(world)
    with_id = world.sale("kiwify", transaction=sale.transaction, click_id="c1")
    await world.tell("kiwify", with_id, SaleStatus.APPROVED)

    assert before == ("unmatched", None)
    assert await decision(world) == ("click_id", "c1")


async def test_a_match_is_never_replaced_by_a_weaker_one(world: "World") -> None:
    await world.click("c1")
    sale = world.sale("kiwify", click_id="c1")
    await world.tell("kiwify", sale, SaleStatus.APPROVED)
    await world.click("c2")
    await world.lead("c2", email=sale.buyer.email)
    await world.tell("kiwify", world.sale(transaction=sale.transaction), SaleStatus.REFUNDED)

    assert await decision(world) == ("click_id", "c1")


async def test_a_sale_is_not_matched_again_by_what_it_left_behind_itself(world: "World") -> None:
    await world.click("c1")
    await world.lead("c1", phone="(11) 98888-7777")
    sale = world.sale("hotmart", buyer=Person(email="new@example.com", phone="5511988887777"))
    await world.tell("hotmart", sale, SaleStatus.APPROVED, SaleStatus.COMPLETED)

    assert await decision(world) == ("phone", "c1")
