"""Token buckets in memory, one a tenant and process: a burst, then a steady rate."""

import time
from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

# Tenants with a bucket at the same time; the one idle longest starts again with a full one.
MOST_BUCKETS = 10_000


class Throttle:
    """Decides whether a tenant's request comes too soon."""

    def __init__(
        self, *, rate: float, burst: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._monotonic = monotonic
        self._buckets: OrderedDict[UUID, tuple[float, float]] = OrderedDict()

    def wait_s(self, tenant_id: UUID) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        now = self._monotonic()
        tokens, since = self._buckets.get(tenant_id, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        allowed = tokens >= 1.0
        self._buckets[tenant_id] = (tokens - 1.0 if allowed else tokens, now)
        self._buckets.move_to_end(tenant_id)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - tokens) / self._rate
