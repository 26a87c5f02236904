"""How a destination stands: its own breaker and its host's together, and what mends them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.destinations.registry import host_of
from trackai.model.tenant import DestinationAccount
from trackai.storage.breakers import (
    StoredBreaker,
    load_breakers_all_tenants,
    load_host_breakers_all_tenants,
)
from trackai.storage.pool import Tx

_BY_ITSELF = "Nothing: it is tried again by itself, at least every 15 minutes."
# The mends of docs/runbooks/circuit-breaker-trip.md.
MENDS: Mapping[str, str] = {
    "token_refused": "Make a token in Events Manager and set it: trackai destination token",
    "permission_missing": "Assign the pixel to the token's user in Business settings; "
    "it goes on by itself.",
    "policy_block": "Meta blocked the account for a time: read what Meta wrote to its owner.",
    "transient_error": _BY_ITSELF,
    "timeout": _BY_ITSELF,
    "unreachable": _BY_ITSELF,
    "unreadable_answer": _BY_ITSELF,
}
OTHER_MEND = "Look at what the platform answered: trackai deliveries attempts"

CLOSED = "closed"
# The worse of two states is the one that holds.
_WORSE = (CLOSED, "half_open", "open")


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a destination is sent to; `reason` says why not, `retry_at` until when."""

    state: str = CLOSED
    reason: str | None = None
    retry_at: dt.datetime | None = None


def standing(own: StoredBreaker | None, host: StoredBreaker | None, now: dt.datetime) -> Standing:
    """Fold a destination's breaker and its host's: both must let a request go."""
    known = [one for one in (own, host) if one is not None]
    if not known:
        return Standing()
    worst = max(known, key=lambda one: _WORSE.index(one.state))
    times = [
        at
        for one in known
        for at in (one.paused_until, one.retry_at if one.state != CLOSED else None)
        if at is not None and (at > now or one.state != CLOSED)
    ]
    reason = worst.reason if worst.state != CLOSED else None
    return Standing(worst.state, reason, max(times, default=None))


async def standings(
    tx: Tx, accounts: Sequence[DestinationAccount], now: dt.datetime
) -> dict[UUID, Standing]:
    """Return how each of these destinations stands."""
    own = await load_breakers_all_tenants(tx, [(one.tenant_id, one.id) for one in accounts])
    hosts = await load_host_breakers_all_tenants(tx, sorted({host_of(one) for one in accounts}))
    return {one.id: standing(own.get(one.id), hosts.get(host_of(one)), now) for one in accounts}
