"""Sales that nobody made, for the dashboard's last step; never in production."""

from collections.abc import Collection
from dataclasses import dataclass

import aiohttp

from trackai.dashboard.tools import PracticeSale
from trackai.model.clock import Clock, NewId
from trackai.sandbox.platforms import PLATFORMS, Sale, SaleStatus, platform
from trackai.sandbox.platforms.deliver import deliver


@dataclass(frozen=True, slots=True)
class Practice:
    """Stand-ins of payment platforms that send to this very installation."""

    url: str  # where it listens, without a slash at the end
    clock: Clock
    new_id: NewId

    @property
    def gateways(self) -> Collection[str]:
        """Names of the platforms that have one."""
        return PLATFORMS.keys()

    async def sell(self, sale: PracticeSale) -> bool:
        """Send the webhooks of a paid sale as the platform does; False when one was refused."""
        connection, now = sale.connection, self.clock.now()
        sender = platform(connection.gateway, sale.secret)
        made = Sale(sender.transaction(self.new_id()), now, click_id=sale.click_id)
        url = f"{self.url}/api/v1/webhooks/{connection.gateway}/{connection.endpoint_key}"
        async with aiohttp.ClientSession() as session:
            taken = [
                (await deliver(session, url, one, tries=1)).taken
                for one in sender.notices(made, SaleStatus.APPROVED, at=now)
            ]
        return all(taken)
