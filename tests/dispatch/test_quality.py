"""Match quality: of each accepted event, and counted by the tenant's day, exactly."""

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from trackai.destinations.meta.quality import quality_of
from trackai.dispatch.quality import qualities
from trackai.sandbox.platforms import Person, SaleStatus

if TYPE_CHECKING:
    from tests.dispatch.conftest import Office

ATTEMPTS = """
select a.status, a.quality, a.match_keys, d.event_name from dispatch_attempts a
join deliveries d on d.tenant_id = a.tenant_id and d.id = a.delivery_id where a.tenant_id = $1
"""
DAYS = "select * from match_quality_days where tenant_id = $1"


async def test_an_accepted_event_has_its_quality(office: "Office") -> None:
    await office.world.click("c1", fbclid="IwAR0abc", fbp="fb.1.1795435200000.1")
    sale = office.world.sale(click_id="c1")
    await office.world.tell("kiwify", sale, SaleStatus.APPROVED)
    await office.step()
    (attempt,) = await office.world.rows(ATTEMPTS)
    keys = attempt["match_keys"].split()
    (event,) = office.meta.accepted(office.world.account.destination.pixel_id)

    assert sorted(event.payload["user_data"]) == keys
    assert {"em", "ph", "fbc", "fbp", "client_ip_address"} <= set(keys)
    assert attempt["quality"] == quality_of(tuple(keys)).tenths


async def test_what_was_not_accepted_has_none(office: "Office") -> None:
    await office.sell(1)
    office.meta.script_fault("http_500")
    await office.step()

    assert [None] == [row["quality"] for row in await office.world.rows(ATTEMPTS)]
    assert await office.world.rows(DAYS) == []


async def test_the_counts_are_those_of_the_attempts(office: "Office") -> None:
    other = await office.open_account("Outra")
    await office.sell(3, account=other)
    nobody = Person(phone="1", city="", state="", zip_code="")
    for buyer in (nobody, Person(), Person()):
        sale = office.world.sale(buyer=buyer)
        await office.world.tell("kiwify", sale, SaleStatus.APPROVED, account=other)
    while await office.step():
        pass
    recounted = Counter(
        (row["event_name"], row["match_keys"], row["quality"])
        for row in await office.world.rows(ATTEMPTS, other)
        if row["status"] == "accepted"
    )

    assert sum(recounted.values()) == 6
    assert recounted == {
        (row["event_name"], row["match_keys"], row["quality"]): row["events"]
        for row in await office.world.rows(DAYS, other)
    }


async def test_the_day_is_the_tenants(office: "Office") -> None:
    # 01:00 UTC is still the day before in São Paulo.
    office.world.clock.moment = dt.datetime(2026, 11, 24, 1, 0, tzinfo=dt.UTC)
    await office.sell(1)
    await office.step()
    (row,) = await office.world.rows(DAYS)

    assert row["day"] == dt.date(2026, 11, 23)


async def test_a_report_holds_one_tenants_days(office: "Office") -> None:
    other = await office.open_account("Outra")
    await office.sell(2, account=other)
    await office.step()
    office.world.clock.forward(days=2)
    await office.sell(1, account=other)
    await office.step()
    now = office.world.clock.now()
    reports = {}
    for days, account in ((1, other), (7, other), (7, office.world.account)):
        tenant_id = account.tenant.id
        async with office.world.people.transaction(tenant_id=tenant_id) as tx:
            found = await qualities(tx, tenant_id=tenant_id, days=days, now=now)
        reports[days, account.tenant.id] = [one.summary.events for one in found]

    assert list(reports.values()) == [[1], [3], []]
