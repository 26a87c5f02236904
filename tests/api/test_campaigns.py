"""What ads brought over the API: clicks, sales, buyers, cost."""

import asyncio
import datetime as dt
import secrets
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

import pytest
from tests.api.test_dead_letters import Front, front
from typing_extensions import override

from trackai.accounts.ad_spend import MOST_ACCOUNT
from trackai.accounts.api_keys import ApiScope
from trackai.analytics import campaigns
from trackai.model.ad_spend import AdAccount, AdDay
from trackai.model.click import Utm
from trackai.model.clock import new_id
from trackai.sandbox.platforms import Person, SaleStatus
from trackai.storage.ad_spend import save_spend

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["front"]

CAMPAIGNS = "/api/v1/analytics/campaigns"
LAUNCH = Utm(source="FB", medium="Frio|77", campaign="Lançamento|55", content="Vídeo 1|99")
REMINDER = Utm(source="ig", medium="Quente|78", campaign="Lançamento|55", content="Vídeo 2|98")


async def visit(front: Front, utm: Utm, clicks: int = 1) -> str:
    """Click an ad some times; return the last click's id."""
    click_id = ""
    for _ in range(clicks):
        click_id = f"c{new_id().hex}"
        await front.world.click(click_id, utm=utm, ago=dt.timedelta(minutes=10))
    return click_id


async def buy(
    front: Front, click_id: str | None, buyer: str = "", gateway: str = "kiwify", **more: Any
) -> None:
    """Let somebody buy; without a name somebody new."""
    digits = str(new_id().int)[-8:]
    who = Person(email=f"{buyer or 'p' + digits}@exemplo.com.br", phone=f"55119{digits}")
    sale = front.world.sale(gateway, click_id=click_id, buyer=who, **more)
    await front.world.tell(gateway, sale, SaleStatus.APPROVED)


async def ask(front: Front, query: str = "") -> "Mapping[str, Any]":
    status, answer = await front.call("GET", CAMPAIGNS + query, await front.key(ApiScope.READ))
    assert status == 200, answer
    found: Mapping[str, Any] = answer
    return found


async def spend(front: Front, **ads: tuple[str, str, int]) -> None:
    """Store what ads cost today, by ad id, from their (ad set, campaign id, minor units)."""
    today = front.world.clock.now().date()
    tenant = front.world.account.tenant.id
    sets = {"Frio": "77", "Quente": "78", "": "79"}
    days = [
        AdDay(today, campaign, "Lançamento", sets[name], name, ad[1:], f"Vídeo {ad}", "BRL", minor)
        for ad, (name, campaign, minor) in ads.items()
    ]
    async with front.world.people.transaction(tenant_id=tenant) as tx:
        await save_spend(tx, AdAccount(tenant, "meta", "act_1"), days, now=front.world.clock.now())


async def test_an_ad_brings_clicks_sales_and_money(front: Front) -> None:
    bought = await visit(front, LAUNCH, clicks=4)
    await visit(front, REMINDER, clicks=2)
    await buy(front, bought, amount_minor=10_000)
    # Somebody looks without an ad, somebody else buys without a click: neither is the other's.
    await visit(front, Utm())
    await buy(front, None, amount_minor=3_000)
    found = await ask(front, "?level=ad")
    rows = {(row["kind"], row["ad"]): row for row in found["rows"]}
    launch = rows["named", "Vídeo 1|99"]

    assert (launch["clicks"], launch["sales"], launch["conversion_rate"]) == (4, 1, 0.25)
    assert (launch["campaign"], launch["ad_set"]) == ("Lançamento|55", "Frio|77")
    assert [one["net_minor"] for one in launch["money"]] == [10_000]
    assert rows["named", "Vídeo 2|98"]["conversion_rate"] == 0
    assert (rows["none", None]["clicks"], rows["none", None]["sales"]) == (1, 1)
    assert rows["none", None]["conversion_rate"] is None
    # What no ad brought is no ad's: it makes no ad cheaper.
    assert (found["total"]["clicks"], found["total"]["sales"]) == (6, 1)
    # Ten minutes, within 2 %.
    assert abs(found["click_to_sale_p50_s"] / 600 - 1) < 0.02


async def test_a_campaign_is_one_row_whatever_its_sources(front: Front) -> None:
    await visit(front, LAUNCH)
    await visit(front, REMINDER)
    campaigns = (await ask(front))["rows"]
    sources = (await ask(front, "?level=source"))["rows"]

    assert [(row["campaign"], row["clicks"]) for row in campaigns] == [("Lançamento|55", 2)]
    assert {row["source"]: row["clicks"] for row in sources} == {"FB": 1, "ig": 1}


async def test_what_ads_cost_is_put_to_their_addresses_by_id(front: Front) -> None:
    bought = await visit(front, LAUNCH, clicks=2)
    await buy(front, bought, amount_minor=10_000)
    await buy(front, bought, amount_minor=6_000)
    await spend(front, a99=("Frio", "55", 4_000), a12=("Frio", "55", 1_000))
    (campaign,) = (await ask(front))["rows"]
    ads = {row["ad"]: row for row in (await ask(front, "?level=ad"))["rows"]}
    (money,) = campaign["money"]

    assert campaign["campaign"] == "Lançamento"
    assert (money["spent_minor"], money["cpa_minor"], money["roas"]) == (5_000, 2_500, 3.2)
    assert ads["Vídeo a99"]["money"][0]["spent_minor"] == 4_000
    # Paid for, and nothing came of it.
    assert (ads["Vídeo a12"]["clicks"], ads["Vídeo a12"]["sales"]) == (0, 0)
    assert ads["Vídeo a12"]["money"][0]["roas"] == 0


async def test_who_bought_before_returns_and_one_purchase_is_one(front: Front) -> None:
    click = await visit(front, LAUNCH)
    now = front.world.clock.now()
    await buy(front, click, "ana", sold_at=now - dt.timedelta(hours=30), amount_minor=1_000)
    await buy(front, click, "ana", amount_minor=5_000)
    # An order bump of the same minute, by another platform.
    await buy(front, click, "ana", "hotmart", amount_minor=700)
    await buy(front, click, "bia", amount_minor=900)
    await buy(front, click, "bia", sold_at=now - dt.timedelta(minutes=30), amount_minor=300)
    total = (await ask(front))["total"]

    assert (total["sales"], total["returning_sales"]) == (5, 2)
    assert total["money"][0]["returning_minor"] == 5_700


async def test_filters_narrow_sales_and_clicks(front: Front) -> None:
    await buy(front, await visit(front, LAUNCH))
    funnel = front.world.account.funnel.id
    of_another = (await ask(front, "?gateway=stripe"))["total"]

    # Clicks know no gateway: nobody can say how many of them sold by one.
    assert (of_another["clicks"], of_another["sales"]) == (1, 0)
    assert of_another["conversion_rate"] is None
    assert (await ask(front, f"?funnel={funnel}"))["total"]["sales"] == 1
    assert (await ask(front, f"?funnel={new_id()}"))["total"]["clicks"] == 0
    # All zeros stand for all funnels in counts, and are none.
    key = await front.key(ApiScope.READ)
    status, answer = await front.call("GET", f"{CAMPAIGNS}?funnel={UUID(int=0)}", key)
    assert (status, answer["error"]["code"]) == (422, "invalid_field")


@pytest.mark.parametrize("by", ["gateway=kiwify", "funnel={funnel}", "gateway=kiwify&level=ad"])
async def test_under_a_filter_nobody_knows_what_ads_cost(front: Front, by: str) -> None:
    await buy(front, await visit(front, LAUNCH), amount_minor=10_000)
    await spend(front, a99=("Frio", "55", 4_000), a12=("Frio", "56", 1_000))
    found = await ask(front, "?" + by.format(funnel=front.world.account.funnel.id))

    assert len(found["rows"]) == 1  # paid for, and sold nothing: nothing is known of the others
    for one in (found["total"], *found["rows"]):
        (money,) = one["money"]
        assert (one["spend_known"], money["net_minor"]) == (False, 10_000)
        assert [money[name] for name in ("spent_minor", "cpa_minor", "roas")] == [None] * 3


async def test_sources_together_cost_what_ads_cost(front: Front) -> None:
    await buy(front, await visit(front, LAUNCH), amount_minor=10_000)
    await spend(front, a99=("Frio", "55", 4_000))
    found = await ask(front, "?level=source")

    assert (found["total"]["spend_known"], found["total"]["money"][0]["cpa_minor"]) == (True, 4_000)
    assert found["rows"][0]["spend_known"] is False
    assert found["rows"][0]["money"][0]["spent_minor"] is None


async def test_what_a_sale_cost_is_of_sales_of_its_currency(front: Front) -> None:
    click = await visit(front, LAUNCH)
    await buy(front, click, amount_minor=10_000)
    await buy(front, click, amount_minor=2_000, currency="USD")
    await buy(front, click, amount_minor=2_000, currency="USD")
    await spend(front, a99=("Frio", "55", 4_000))
    (row,) = (await ask(front))["rows"]

    assert row["sales"] == 3
    # The tenant's own currency first.
    assert [(one["currency"], one["sales"], one["cpa_minor"]) for one in row["money"]] == [
        *(("BRL", 1, 4_000), ("USD", 2, None)),
    ]


async def test_rows_are_ranked_by_the_tenants_own_currency(front: Front) -> None:
    sold = [
        *(("clicked", None, 0), ("dear", "USD", 900_000), ("own", "BRL", 1_000)),
        *(("better", "BRL", 2_000), ("both", "BRL", 1_000)),
    ]
    for name, currency, minor in sold:
        click = await visit(front, Utm(source="FB", campaign=name))
        if currency:
            await buy(front, click, amount_minor=minor, currency=currency)
        if name == "both":
            await buy(front, click, amount_minor=500, currency="USD")
    rows = (await ask(front))["rows"]

    assert [row["campaign"] for row in rows] == ["better", "both", "own", "dear", "clicked"]


async def test_a_campaign_is_one_row_whatever_its_addresses_say(front: Front) -> None:
    await visit(front, Utm(source="FB", campaign="Lançamento"), clicks=2)
    await visit(front, LAUNCH)
    await visit(front, Utm(source="FB", campaign="55"))
    (row,) = (await ask(front))["rows"]

    assert (row["campaign"], row["clicks"]) == ("Lançamento|55", 4)


async def test_the_longest_names_are_stored(front: Front) -> None:
    # As hard to press together as letters of four bytes are.
    words = ["".join(chr(0x20000 + secrets.randbelow(40_000)) for _ in range(166)) for _ in "abc"]
    day, tenant = front.world.clock.now().date(), front.world.account.tenant.id
    one = AdDay(day, "", words[0], "", words[1], "", words[2], "BRL", 4_000)
    account = AdAccount(tenant, "meta", words[0][:MOST_ACCOUNT])
    async with front.world.people.transaction(tenant_id=tenant) as tx:
        await save_spend(tx, account, [one], now=front.world.clock.now())

    assert (await ask(front))["rows"][0]["campaign"] == words[0]


async def test_another_tenants_ads_are_not_seen(front: Front) -> None:
    await buy(front, await visit(front, LAUNCH))
    await spend(front, a99=("Frio", "55", 4_000))
    other = await front.world.open_account("Outra")
    key = await front.key(ApiScope.READ, account=other)
    _, found = await front.call("GET", CAMPAIGNS, key)

    assert (found["rows"], found["total"]["money"]) == ([], [])


async def test_ads_beyond_what_a_day_takes_are_others(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trackai.storage import clicks  # noqa: PLC0415

    few = clicks.INSERT_CLICKS.replace("count(*) < 5000", "count(*) < 2")
    assert few != clicks.INSERT_CLICKS
    monkeypatch.setattr(clicks, "INSERT_CLICKS", few)
    for number in range(4):
        await visit(front, Utm(source="FB", campaign=f"c{number}"))
    await visit(front, Utm(source="FB", campaign="c0"))
    rows = {(row["kind"], row["campaign"]): row["clicks"] for row in (await ask(front))["rows"]}

    assert rows == {("named", "c0"): 2, ("named", "c1"): 1, ("others", None): 2}


async def test_a_word_that_may_name_somebody_is_no_ad(front: Front) -> None:
    await visit(front, Utm(source="mail", campaign="ana@exemplo.com.br"))
    (row,) = (await ask(front))["rows"]

    assert (row["kind"], row["campaign"]) == ("named", "")


async def test_a_campaign_is_looked_into(front: Front) -> None:
    await spend(front, a99=("Frio", "55", 4_000), a98=("Quente", "55", 6_000), a97=("", "66", 500))
    await buy(front, await visit(front, LAUNCH, 3), amount_minor=10_000)
    await visit(front, REMINDER)
    await visit(front, Utm(source="tt", campaign="Outra", content="x"))
    (row,) = [one for one in (await ask(front))["rows"] if one["sales"]]
    ad_sets = await ask(front, f"?level=ad_set&campaign={quote(row['campaign'])}")
    (cold,) = [one for one in ad_sets["rows"] if one["sales"]]
    ads = await ask(
        front, f"?level=ad&campaign={quote(cold['campaign'])}&ad_set={quote(cold['ad_set'])}"
    )
    sources = await ask(front, "?level=campaign&source=tt")
    nothing = await ask(front, "?campaign=none")

    assert (ad_sets["total"]["clicks"], ad_sets["total"]["money"][0]["spent_minor"]) == (4, 10_000)
    assert sum(one["clicks"] for one in ad_sets["rows"]) == 4
    assert [(one["clicks"], one["sales"]) for one in ads["rows"]] == [(3, 1)]
    assert ads["total"]["money"][0]["spent_minor"] == 4_000
    assert [one["campaign"] for one in sources["rows"]] == ["Outra"]
    assert sources["total"]["spend_known"] is False
    assert (nothing["rows"], nothing["total"]["clicks"]) == ([], 0)


async def test_the_period_before_is_told_when_it_is_asked_for(front: Front) -> None:
    now = front.world.clock.now()
    await buy(front, await visit(front, LAUNCH), amount_minor=10_000)
    bought = await visit(front, LAUNCH)
    await buy(front, bought, sold_at=now - dt.timedelta(days=10), amount_minor=700)
    told = await ask(front, "?period=7d&compare=true")
    plain = await ask(front, "?period=7d")

    assert (told["total"]["sales"], told["previous"]["sales"]) == (1, 1)
    assert told["previous"]["money"][0]["net_minor"] == 700
    assert plain["previous"] is None


async def test_an_ad_is_found_by_the_name_it_had_before_its_cost_was_known(front: Front) -> None:
    await visit(front, LAUNCH)
    within = "?level=ad&campaign=" + quote("Lançamento|55")
    before = (await ask(front, within))["rows"]
    await spend(front, a99=("Frio", "55", 4_000))
    after = await ask(front, within)

    assert [row["campaign"] for row in before] == ["Lançamento|55"]
    assert {row["campaign"] for row in after["rows"]} == {"Lançamento"}
    assert after["total"]["clicks"] == 1
    assert after["total"]["money"][0]["spent_minor"] == 4_000


class Counted(ThreadPoolExecutor):
    """Threads that count what they are given to do."""

    given = 0

    @override
    def submit(self, *work: Any, **more: Any) -> "Future[Any]":
        self.given += 1
        return super().submit(*work, **more)


async def test_many_ads_are_put_together_while_others_are_answered(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    await buy(front, await visit(front, LAUNCH))
    await spend(front, a99=("Frio", "55", 1_000), a98=("Quente", "55", 500))
    threads = Counted()
    asyncio.get_running_loop().set_default_executor(threads)
    few = await ask(front, "?level=ad"), threads.given
    monkeypatch.setattr(campaigns, "AT_ONCE", 2)
    many = await ask(front, "?level=ad"), threads.given

    assert few[0] == many[0]
    assert (few[1], many[1]) == (0, 1)


async def test_what_was_never_imported_is_not_known(front: Front) -> None:
    await buy(front, await visit(front, LAUNCH), amount_minor=10_000)
    found = (await ask(front))["total"]

    assert (found["spend_known"], found["money"][0]["spent_minor"]) == (False, None)
    assert found["conversion_rate"] == 1
