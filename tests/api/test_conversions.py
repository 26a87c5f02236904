"""Why a sale is matched, over the API: one tenant's own, and nothing personal."""

from typing import TYPE_CHECKING

import pytest
from tests.api.test_dead_letters import Front, front

from trackai.accounts.api_keys import ApiScope
from trackai.model.clock import new_id
from trackai.sandbox.platforms import SaleStatus

if TYPE_CHECKING:
    from tests.support.world import Account

__all__ = ["front"]


async def _sold(front: Front, account: "Account | None" = None) -> str:
    await front.world.click("c1", account=account, fbp="fb.1.1.1")
    sale = front.world.sale("cakto", click_id="cNobody", fbp="fb.1.1.1")
    await front.world.tell("cakto", sale, SaleStatus.APPROVED, account=account)
    return f"cakto:{sale.transaction}"


async def test_every_rung_is_told(front: Front) -> None:
    sale = await _sold(front)
    status, found = await front.call(
        "GET", f"/api/v1/conversions/{sale}/match", await front.key(ApiScope.READ)
    )
    by_id = f"/api/v1/conversions/{found['conversion_id']}/match"

    assert status == 200
    assert (found["strategy"], found["confidence"], found["click_id"]) == ("fbp", "strong", "c1")
    assert [(rung["rung"], rung["result"]) for rung in found["ladder"]] == [
        ("subscription", "not_carried"),
        ("click_id", "unknown"),
        ("fbclid", "not_carried"),
        ("fbp", "found"),
        ("email", "not_tried"),
        ("phone", "not_tried"),
        ("visitor", "not_tried"),
    ]
    assert [click["click_id"] for click in found["ladder"][3]["looked_at"]] == ["c1"]
    assert (200, found) == await front.call("GET", by_id, await front.key(ApiScope.READ))
    assert not [one for one in front.world.private() if one in str(found)]


@pytest.mark.parametrize("scopes", [(), (ApiScope.DELIVER,)])
async def test_a_key_that_may_not_read_reads_nothing(
    front: Front, scopes: tuple[ApiScope, ...]
) -> None:
    sale = await _sold(front)
    key = await front.key(*scopes) if scopes else None
    status, _ = await front.call("GET", f"/api/v1/conversions/{sale}/match", key)

    assert status == (403 if scopes else 401)


async def test_another_tenants_sale_is_not_there(front: Front) -> None:
    other = await front.world.open_account("Outra")
    theirs = await _sold(front, other)
    key = await front.key(ApiScope.READ)

    for named in (theirs, str(new_id()), "nothing", "kiwify:", "%00"):
        status, answer = await front.call("GET", f"/api/v1/conversions/{named}/match", key)
        assert status in (404, 422), (named, answer)
