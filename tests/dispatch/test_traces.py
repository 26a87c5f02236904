"""A delivery's tries stand below it in its webhook's trace, however many, alone or together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from trackai.sandbox.platforms import SaleStatus
from trackai.telemetry import tracing
from trackai.telemetry.tracing import Done, span_id_of

if TYPE_CHECKING:
    from tests.dispatch.conftest import Office


@pytest.fixture
def told() -> Iterator[list[Done]]:
    found: list[Done] = []
    tracing.report_to(found.append)
    yield found
    tracing.report_to(None)


def named(told: list[Done], name: str) -> list[Done]:
    return [one for one in told if one.name == name]


async def test_a_sale_is_a_tree_in_one_trace(office: "Office", told: list[Done]) -> None:
    await office.sell()
    await office.step()
    (delivery,) = await office.deliveries()
    by_id = {one.span_id: one.name for one in told}
    root = span_id_of(tracing.WEBHOOK, delivery["receipt_id"])
    tree = {one.name: by_id.get(one.parent_id or 0, "") for one in told}

    assert {delivery["receipt_id"]} == {one.trace_id for one in told}
    assert {
        tracing.PARSE: tracing.RECEIPT,
        tracing.MATCH: tracing.RECEIPT,
        tracing.OWE: tracing.RECEIPT,
        tracing.RECEIPT: "",
        tracing.ATTEMPT: tracing.OWE,
    } == tree
    assert [root] == [one.parent_id for one in named(told, tracing.RECEIPT)]
    assert len(told) == len(by_id)


async def test_every_try_is_a_span_of_its_own_below_its_delivery(
    office: "Office", told: list[Done]
) -> None:
    await office.sell()
    office.meta.script_fault("http_500", times=2)
    for _ in range(3):
        await office.step()
        office.world.clock.forward(hours=1)
    tries = named(told, tracing.ATTEMPT)
    (owe,) = named(told, tracing.OWE)

    assert ["deferred", "deferred", "accepted"] == [one.attributes["outcome"] for one in tries]
    assert [1, 2, 3] == [one.attributes["attempt"] for one in tries]
    assert {owe.span_id} == {one.parent_id for one in tries}
    assert 3 == len({one.span_id for one in tries})
    assert [True, True, False] == [one.failed is not None for one in tries]


async def test_what_goes_together_is_linked_and_no_trace_holds_anothers(
    office: "Office", told: list[Done]
) -> None:
    await office.sell(3)
    await office.step()
    tries = named(told, tracing.ATTEMPT)
    (batch,) = named(told, tracing.BATCH)

    assert 3 == len({one.trace_id for one in tries})
    assert {(one.trace_id, one.span_id) for one in tries} == set(batch.links)
    assert [[(batch.trace_id, batch.span_id)]] * 3 == [list(one.links) for one in tries]
    assert batch.trace_id not in {one.trace_id for one in tries}


async def test_each_notice_of_a_sale_is_a_trace_and_owes_once(
    office: "Office", told: list[Done]
) -> None:
    world = office.world
    sale = world.sale("kiwify")
    for status in (SaleStatus.PENDING, SaleStatus.APPROVED):
        await world.tell("kiwify", sale, status)
    await office.step()
    (delivery,) = await office.deliveries()

    assert 2 == len({one.trace_id for one in named(told, tracing.RECEIPT)})
    assert 1 == len({one.attributes["conversion_id"] for one in named(told, tracing.MATCH)})
    assert [delivery["receipt_id"]] == [one.trace_id for one in named(told, tracing.OWE)]


async def test_nothing_personal_is_told(office: "Office", told: list[Done]) -> None:
    await office.sell(2)
    await office.step()
    said = str([(one.name, one.attributes, one.failed) for one in told])

    assert [] == [word for word in office.world.private() if word in said]
