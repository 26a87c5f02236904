"""The views by their given names say what the rows say, to their tenant alone."""

import datetime as dt
from typing import TYPE_CHECKING

from trackai.housekeeping.rollups import Folder, RollupUpkeep
from trackai.model.clock import new_id
from trackai.sandbox.platforms import Person, SaleStatus
from trackai.storage.pool import Database

if TYPE_CHECKING:
    from tests.dispatch.conftest import Office

    from trackai.storage.pool import Row


async def seen(office: "Office", view: str, tenant: object = None) -> "list[Row]":
    """Return all that a tenant's people see of a view."""
    tenant_id = tenant or office.world.account.tenant.id
    async with office.world.people.transaction(tenant_id=tenant_id) as tx:  # type: ignore[arg-type]
        return list(await tx.fetch(f"select * from {view}"))  # noqa: S608 - a test's own


async def test_the_summary_counts_tries_by_status_and_gateway(shop: "Office") -> None:
    ids = await shop.sell(3)
    shop.meta.script_fault("bad_event", times=None, event_id=ids[0])
    await shop.step()
    other = await shop.open_account("Outra")
    await shop.sell(1, account=other)
    await shop.step()

    mine = {
        (row["status"], row["gateway"]): row["count"]
        for row in await seen(shop, "v_dispatch_summary")
    }
    theirs = await seen(shop, "v_dispatch_summary", other.tenant.id)
    assert mine == {("accepted", "kiwify"): 2, ("rejected", "kiwify"): 1}
    assert [(row["status"], row["count"]) for row in theirs] == [("accepted", 1)]


async def test_the_match_rate_is_of_sales_that_were_paid(shop: "Office") -> None:
    world = shop.world
    await world.click("c1")
    for click_id, status in (
        *(("c1", SaleStatus.APPROVED), (None, SaleStatus.APPROVED), (None, SaleStatus.REFUNDED)),
        ("c1", SaleStatus.PENDING),
    ):
        digits = str(new_id().int)[-8:]
        buyer = Person(email=f"p{digits}@exemplo.com.br", phone=f"55119{digits}")
        await world.tell("kiwify", world.sale("kiwify", click_id=click_id, buyer=buyer), status)
    (row,) = await seen(shop, "v_match_rate_by_tenant")

    assert (row["sales"], row["matched"], float(row["match_rate"])) == (3, 1, 33.33)


async def test_a_day_is_one_row_whose_peak_outlives_its_minutes(shop: "Office") -> None:
    world = shop.world
    today = world.clock.now()
    await shop.sell(5)
    world.clock.forward(seconds=3)
    await shop.step()
    (before,) = await seen(shop, "analytics_metrics_daily")
    task = RollupUpkeep(lambda role: Database.opened(world.url, role, size=1), world.clock)
    await Folder(world.workers, world.clock).step()
    noted = await task.run()
    again = await task.run()
    assert (before["total_events"], before["successful"], before["failed"]) == (5, 5, 0)
    assert (before["dead_lettered"], float(before["match_rate"])) == (0, 0.0)
    assert before["peak_per_minute"] == 5
    assert abs(before["latency_p95_ms"] / 3000 - 1) < 0.02
    assert before["date"] in {today.date(), (today - dt.timedelta(days=1)).date()}
    assert (noted, again) == (1, 0)
    peaks = await world.rows("select attempts from rollup_peaks where tenant_id = $1")
    assert [row["attempts"] for row in peaks] == [5]
