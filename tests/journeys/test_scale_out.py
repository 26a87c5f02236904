"""The same parts as separate processes: several servers, several workers, one database."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

import aiohttp
import pytest

if TYPE_CHECKING:
    from tests.support.program import Place

    from trackai.sandbox.meta import MetaSandbox

from tests.support.customer import await_accepted, open_customer

SALES = 60
GATEWAYS = ("perfectpay", "hotmart", "kiwify", "stripe")


@pytest.mark.xdist_group("scale")
async def test_two_servers_and_two_workers_lose_and_double_nothing(
    place: "Place", meta: tuple["MetaSandbox", str], http: aiohttp.ClientSession, stack: ExitStack
) -> None:
    customer = await open_customer(place, *meta)
    server = stack.enter_context(place.start("serve", "--workers", "2", "--port", "0"))
    workers = [stack.enter_context(place.start("worker")) for _ in range(2)]
    base = server.wait_for("serving")["address"]
    for worker in workers:
        worker.wait_for("working")
    sold = [
        event_id
        for gateway in GATEWAYS
        for event_id in await customer.sell(http, base, gateway, SALES)
    ]
    again = customer.sale("hotmart")
    for _ in range(20):
        await customer.tell(http, base, "hotmart", again)
    await await_accepted(customer, [*sold, f"hotmart:{again.transaction}"])

    assert len(sold) == SALES * len(GATEWAYS)
    assert len(customer.accepted()) == len(sold) + 1
    assert customer.meta.duplicates == []
    assert [0, 0, 0] == [one.end() for one in (server, *workers)]
