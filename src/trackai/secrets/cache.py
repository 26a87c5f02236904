"""Remembers what was looked up: for a while, and for as long as nobody can be asked.

However many ask, a secret is looked up once at a time and at most once a second, so that
forged webhooks cannot make Amazon's bill.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from trackai.errors import SecretMissing, SecretUnavailable
from trackai.secrets.port import Kept
from trackai.telemetry.logging import get_logger

# A secret is looked up again after so long at the earliest, whoever asks.
AGAIN_S = 1.0
# While nobody answers, what was known is used for so long without asking: nobody waits for it.
QUIET_S = 30.0
MOST = 10_000  # the longest unused goes first


@dataclass(slots=True)
class _Known:
    lock: asyncio.Lock
    kept: Kept | None = None
    at: float = 0.0
    tried_at: float | None = None
    quiet_until: float = 0.0
    error: SecretUnavailable | None = None


class Cache:
    """Wraps what looks secrets up."""

    def __init__(
        self,
        look_up: Callable[[str], Awaitable[Kept]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up = look_up
        self._monotonic = monotonic
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def find(self, name: str, *, max_age_s: float) -> Kept:
        """Return what is known, or what is found; see `Secrets.find`."""
        known = self._known.setdefault(name, _Known(asyncio.Lock()))
        self._known.move_to_end(name)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        if known.kept is not None and self._good(known, max_age_s):
            return known.kept
        async with known.lock:
            if known.kept is not None and self._monotonic() - known.at < max_age_s:
                return known.kept
            await self._refresh(name, known)
        if known.kept is None:
            raise known.error or SecretUnavailable()
        return known.kept

    def _good(self, known: _Known, max_age_s: float) -> bool:
        """Tell whether what is known will do; who insists does not take what is old."""
        now = self._monotonic()
        waits = max_age_s > AGAIN_S and (known.lock.locked() or now < known.quiet_until)
        return waits or now - known.at < max_age_s

    async def _refresh(self, name: str, known: _Known) -> None:
        now = self._monotonic()
        if known.tried_at is not None and now - known.tried_at < AGAIN_S:
            return
        known.tried_at = now
        try:
            known.kept, known.at, known.error = await self._look_up(name), now, None
        except SecretMissing as error:
            # Withdrawn on purpose: what was known is no secret any more.
            known.kept, known.error = None, error
            get_logger().error("secret.missing", kept_at=name)
        except SecretUnavailable as error:
            known.error, known.quiet_until = error, now + QUIET_S
            get_logger().warning(
                "secret.away", kept_at=name, reason=error.reason, kept=known.kept is not None
            )
