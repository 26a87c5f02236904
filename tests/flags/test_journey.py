"""From the platform's webhook to Meta, with everything turned off and on in between."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import aiohttp
from tests.dispatch.conftest import Office, office
from tests.support.edge import open_edge_of
from tests.support.flags import Panel
from tests.support.world import SECRET

from trackai.dispatch.dispatcher import Dispatcher
from trackai.dispatch.release import DeliveryReleaser
from trackai.gateways.registry import gateways
from trackai.matching.process import ReceiptProcessor
from trackai.matching.release import ReceiptReleaser
from trackai.operations.findings import Patient
from trackai.operations.flags import flags
from trackai.sandbox.platforms import PLATFORMS, SaleStatus, platform
from trackai.sandbox.platforms.deliver import deliver

if TYPE_CHECKING:
    from tests.conftest import Serve

__all__ = ["office"]

META = "destination.meta"


@dataclass
class Staff:
    """All jobs of a worker process that a sale passes."""

    office: Office
    panel: Panel

    def __post_init__(self) -> None:
        world, switches = self.office.world, self.panel.switches()
        tools = replace(self.office.tools, switches=switches)
        self.dispatcher = Dispatcher(tools)
        self.processor = ReceiptProcessor(world.workers, world.tools(), gateways(), switches)
        self.webhooks = ReceiptReleaser(world.workers, switches, world.clock)
        self.events = DeliveryReleaser(world.workers, switches, world.clock)

    async def work(self) -> None:
        """Work until there is nothing to do."""
        steps = [
            *(self.webhooks.step, self.events.step),
            *(self.processor.step, self.dispatcher.step),
        ]
        busy = True
        while busy:
            busy = any([await step() for step in steps])
            await self.dispatcher.finish()


async def sell(office: Office, edge: str, gateway: str) -> tuple[int | None, set[str]]:
    """Let a platform tell the edge of a sale; return the last answer and the event's id."""
    world = office.world
    sale = world.sale(gateway)
    path = f"/api/v1/webhooks/{gateway}/{world.account.connections[gateway].endpoint_key}"
    status = None
    async with aiohttp.ClientSession() as http:
        for said in platform(gateway, SECRET).notices(
            sale, SaleStatus.APPROVED, at=world.clock.now()
        ):
            status = (await deliver(http, edge + path, said, tries=1)).status
    return status, {f"{gateway}:{sale.transaction}"}


def _doctor(office: Office) -> Patient:
    world = office.world
    return Patient(
        **dict.fromkeys(Patient.__slots__)  # type: ignore[arg-type]
        | {"database": world.workers, "clock": world.clock}
    )


async def test_every_sale_made_while_all_was_off_reaches_meta_once(
    office: Office, serve: "Serve"
) -> None:
    panel, sold = Panel(office.world), set[str]()
    async with open_edge_of(office.world, serve) as edge:
        for gateway in PLATFORMS:
            await panel.say(f"gateway.{gateway}", killed=True)
        await panel.say(META, 0, account=office.world.account)
        for gateway in PLATFORMS:
            status, ids = await sell(office, edge, gateway)
            assert 200 == status, gateway
            sold |= ids
        await Staff(office, panel).work()
        told = {one.check: one.found for one in await flags(_doctor(office))}
        nothing = office.arrived()
        for gateway in PLATFORMS:
            await panel.say(f"gateway.{gateway}", killed=False)
        restarted = Staff(office, panel)
        await restarted.work()
        owed = {row["event_id"]: row["status"] for row in await office.deliveries()}
        still_nothing = office.arrived()
        await panel.say(META, 100, account=office.world.account)
        await restarted.work()

    assert ([], []) == (nothing, still_nothing)
    assert {f"waiting for gateway.{name}" for name in PLATFORMS} < set(told)
    assert told["waiting for gateway.kiwify"].startswith("1 webhooks of 1 tenants")
    assert dict.fromkeys(sold, "pending") == owed
    assert sorted(sold) == office.arrived()
    assert ["everything is on"] == [one.found for one in await flags(_doctor(office))]
