"""A platform turned off by command at the running program, which is killed while webhooks wait."""

import signal
from typing import TYPE_CHECKING

from tests.support.customer import await_accepted, open_customer, until

from trackai.flags.setting import Change, FlagSetting
from trackai.model.alarm import INSTALLATION
from trackai.model.clock import SystemClock, new_id
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Role

if TYPE_CHECKING:
    from contextlib import ExitStack

    import aiohttp
    from tests.support.program import Place, Program

    from trackai.sandbox.meta import MetaSandbox

SALES = 5
KNOWN = ("gateway.kiwify", "destination.meta")


async def turn(place: "Place", key: str, *, off: bool) -> None:
    """Pull the kill switch or let it go, as `trackai flags` does."""
    clock = SystemClock()
    async with place.here().database(Role.APP) as database:
        scribe = Scribe(INSTALLATION, "cli:test", clock, new_id)
        await FlagSetting(database, clock, scribe, KNOWN).change(key, Change(killed=off))


def said(program: "Program", event: str) -> int:
    """Return how many of something a program's lines of an event tell of."""
    return sum(line.get("number", 1) for line in program.said() if line.get("event") == event)


async def test_what_came_while_it_was_off_reaches_meta_once_it_is_on(
    place: "Place",
    meta: "tuple[MetaSandbox, str]",
    http: "aiohttp.ClientSession",
    stack: "ExitStack",
) -> None:
    customer = await open_customer(place, *meta)
    for key in KNOWN:
        await turn(place, key, off=True)
    first = stack.enter_context(place.start("up", "--port", "0"))
    base = first.wait_for("up")["address"]
    sold = await customer.sell(http, base, "kiwify", SALES)
    others = await customer.sell(http, base, "hotmart", SALES)
    await until(lambda: said(first, "receipt.held") == SALES, "webhooks held")
    await until(lambda: said(first, "deliveries.held") == SALES, "events held")
    first.end(signal.SIGKILL)
    await place.forget_workers()
    nothing = customer.accepted()
    for key in KNOWN:
        await turn(place, key, off=False)
    stack.enter_context(place.start("worker"))
    await await_accepted(customer, [*sold, *others])

    assert (SALES, SALES) == (len(sold), len(others))
    assert [] == nothing
