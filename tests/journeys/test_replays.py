"""Dead letters sent again in bulk, and a worker that dies in the middle of it."""

import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from tests.support.customer import Customer, open_customer, until
from tests.support.program import Place

if TYPE_CHECKING:
    from trackai.sandbox.meta import MetaSandbox

LETTERS, RATE = 40, 5
# Enough are through that it has begun, and enough wait that it is not over.
FIRST = 2 * RATE


def progress(place: Place, customer: Customer, replay: Any) -> Any:
    return place.json("dlq", "progress", str(customer.tenant.id), str(replay["id"]))


async def sell_in_vain(customer: Customer, http: aiohttp.ClientSession, base: str) -> list[str]:
    """Sell what Meta will not have; return the events' ids."""
    sales = [customer.sale("kiwify") for _ in range(LETTERS)]
    ids = [f"kiwify:{one.transaction}" for one in sales]
    for event_id in ids:
        customer.meta.script_fault("bad_event", times=None, event_id=event_id)
    for sale in sales:
        assert set(await customer.tell(http, base, "kiwify", sale)) == {200}
    return ids


@pytest.mark.xdist_group("faults")
async def test_a_bulk_replay_goes_on_with_the_next_worker(
    place: Place, meta: tuple["MetaSandbox", str], http: aiohttp.ClientSession, stack: ExitStack
) -> None:
    customer = await open_customer(place, *meta)
    program = stack.enter_context(place.start("up", "--port", "0"))
    sold = await sell_in_vain(customer, http, program.wait_for("up")["address"])
    tenant = str(customer.tenant.id)
    await until(lambda: len(place.json("dlq", "list", tenant)) == LETTERS, "dead letters")
    customer.meta.clear_faults()
    replay = place.json("dlq", "replay", tenant, "--all", "--rate", str(RATE))
    await until(lambda: len(customer.accepted()) >= FIRST, "a replay under way")
    program.end(signal.SIGKILL)
    left = progress(place, customer, replay)
    await place.forget_workers()
    stack.enter_context(place.start("worker"))
    await until(lambda: bool(progress(place, customer, replay)["finished_at"]), "its last turn")
    await until(lambda: progress(place, customer, replay)["accepted"] == LETTERS, "all at Meta")
    ended = progress(place, customer, replay)

    assert left["waiting"] > 0
    assert left["finished_at"] is None
    assert sorted(sold) == sorted(str(one.event_id) for one in customer.accepted())
    assert (LETTERS, 0, 0, 0) == tuple(
        ended[name] for name in ("selected", "waiting", "under_way", "dead_again")
    )
    assert ended["finished_at"] is not None
