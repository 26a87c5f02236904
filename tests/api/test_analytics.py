"""Numbers of a period over the API: a tenant's own, and of the period before."""

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from tests.api.test_dead_letters import Front, front
from tests.support.world import Account

from trackai.accounts.api_keys import ApiScope
from trackai.model.clock import new_id
from trackai.sandbox.platforms import Person, SaleStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["front"]

METRICS = "/api/v1/analytics/metrics"


async def _sell(
    front: Front,
    *statuses: SaleStatus,
    click_id: str | None = None,
    account: Account | None = None,
    **more: Any,
) -> None:
    digits = str(new_id().int)[-8:]
    buyer = Person(email=f"p{digits}@exemplo.com.br", phone=f"55119{digits}")
    sale = front.world.sale("kiwify", click_id=click_id, buyer=buyer, **more)
    await front.world.tell("kiwify", sale, *statuses, account=account)


async def _ask(front: Front, query: str = "") -> "Mapping[str, Any]":
    status, answer = await front.call("GET", METRICS + query, await front.key(ApiScope.READ))
    assert status == 200, answer
    found: Mapping[str, Any] = answer
    return found


async def test_a_day_says_what_was_sold_and_matched_and_what_the_day_before(front: Front) -> None:
    world = front.world
    await world.click("c1")
    await _sell(front, SaleStatus.APPROVED, click_id="c1", amount_minor=10_000)
    await _sell(front, SaleStatus.APPROVED, SaleStatus.REFUNDED, amount_minor=5_000)
    await _sell(front, SaleStatus.PENDING)
    yesterday = world.clock.now() - dt.timedelta(hours=30)
    await _sell(front, SaleStatus.APPROVED, amount_minor=700, sold_at=yesterday)
    other = await world.open_account("Outra")
    await _sell(front, SaleStatus.APPROVED, account=other)
    found = await _ask(front)
    day, before = found["current"], found["previous"]

    assert found["time_zone"] == "America/Sao_Paulo"
    assert (day["sales"], day["matched"], day["match_rate"]) == (2, 1, 0.5)
    assert day["revenue"] == [
        {"currency": "BRL", "gross_minor": 15_000, "refunded_minor": 5_000, "net_minor": 10_000}
    ]
    assert (before["sales"], before["revenue"][0]["net_minor"]) == (1, 700)
    assert day["period"]["from"] == before["period"]["to"]
    assert (day["attempts"], day["success_rate"], day["latency_p95_ms"]) == (0, None, None)


async def test_filters_leave_the_others_out(front: Front) -> None:
    await _sell(front, SaleStatus.APPROVED)
    funnel = front.world.account.funnel.id

    assert (await _ask(front, "?gateway=kiwify"))["current"]["sales"] == 1
    assert (await _ask(front, "?gateway=stripe"))["current"]["sales"] == 0
    assert (await _ask(front, f"?funnel={funnel}"))["current"]["sales"] == 1
    assert (await _ask(front, f"?funnel={new_id()}"))["current"]["sales"] == 0


async def test_a_stretch_of_ones_own_is_moved_out_to_whole_buckets(front: Front) -> None:
    found = await _ask(front, "?from=2026-08-01T10:30:00-03:00&to=2026-08-02T10:30:00-03:00")

    assert found["current"]["period"] == {
        "from": "2026-08-01T03:00:00Z",
        "to": "2026-08-03T03:00:00Z",
    }


@pytest.mark.parametrize(
    "query",
    [
        *("?period=fortnight", "?period=24h&from=2026-11-01T00:00:00Z", "?to=2026-11-01T00:00:00Z"),
        *("?from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "?from=2026-11-01T00:00:00+03:00"),
        *("?from=0001-01-01T00:00:00Z&to=0001-01-02T00:00:00Z", "?from=yesterday"),
        *("?from=9999-12-30T00:00:00Z&to=9999-12-31T00:00:00Z", "?funnel=mine", "?gateway=%00"),
        *("?from=2010-01-01T00:00:00Z", "?from=20261101", "?period=24h&period=7d"),
    ],
)
async def test_what_is_no_period_is_refused_with_the_field(front: Front, query: str) -> None:
    status, answer = await front.call("GET", METRICS + query, await front.key(ApiScope.READ))

    assert status == 422, answer
    assert answer["error"]["field"] or answer["error"]["message"]


async def test_a_key_that_may_not_read_reads_nothing(front: Front) -> None:
    assert (await front.call("GET", METRICS, None))[0] == 401
    assert (await front.call("GET", METRICS, await front.key(ApiScope.DELIVER)))[0] == 403
