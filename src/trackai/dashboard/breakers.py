"""What holds a tenant's deliveries back: breakers of its pixels, and of the hosts they share.

How they open and close is in `dispatch/breaker.py`; here they are only looked at.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from trackai.dashboard.tools import DashboardTools
from trackai.destinations.registry import host_of
from trackai.dispatch.breaker import BreakerState
from trackai.storage.breakers import list_open, list_open_hosts_all_tenants
from trackai.storage.destinations import list_destinations


@dataclass(frozen=True, slots=True)
class OpenView:
    """A breaker that is not closed, as a page shows it."""

    pixel_id: str | None  # None: of a host
    host: str | None
    probing: bool
    reason: str | None
    since: dt.datetime
    left_s: int  # until the next try; 0: with the next delivery


async def open_breakers(tools: DashboardTools, *, tenant_id: UUID) -> Sequence[OpenView]:
    """Return what holds the tenant's deliveries back now: hosts first, the longest first."""
    now = tools.clock.now()
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        pixels = await list_open(tx, tenant_id=tenant_id)
        hosts = await list_open_hosts_all_tenants(tx)
        # Seldom any is open: whose hosts they are is looked up then alone.
        known = await list_destinations(tx, tools.envelope, tenant_id=tenant_id) if hosts else []
    own = {host_of(one) for one in known}
    return [
        *(
            OpenView(
                *(None, one.host, one.state == BreakerState.HALF_OPEN, one.reason, one.since),
                left_s=_left_s(one.retry_at, now),
            )
            for one in hosts
            if one.host in own
        ),
        *(
            OpenView(
                *(
                    row["pixel_id"],
                    None,
                    row["state"] == BreakerState.HALF_OPEN,
                    row["reason"],
                    row["since"],
                ),
                left_s=_left_s(row["retry_at"], now),
            )
            for row in pixels
        ),
    ]


def _left_s(retry_at: dt.datetime | None, now: dt.datetime) -> int:
    return max(0, ceil((retry_at - now).total_seconds())) if retry_at else 0
