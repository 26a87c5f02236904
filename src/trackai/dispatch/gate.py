"""Lets requests to a destination go or holds them: its breaker's and its host's word together.

The state is in the database, so that all workers act on the same. Asking costs one look; only a
breaker that is in trouble is locked and written.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.dispatch.breaker import (
    Admission,
    Breaker,
    BreakerState,
    Failed,
    Go,
    Hold,
    Limits,
    Probe,
    Refused,
    Signal,
    Succeeded,
    admit,
    after,
    after_at_host,
    unasked,
)
from trackai.storage.breakers import (
    StoredBreaker,
    load_breakers_all_tenants,
    load_host_breakers_all_tenants,
    lock_breaker,
    lock_host_breaker_all_tenants,
    update_breaker,
    update_host_breaker_all_tenants,
)
from trackai.storage.pool import Database, Tx
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import BREAKER_CHANGES


@dataclass(frozen=True, slots=True)
class Lane:
    """A destination and the host that its requests go to."""

    tenant_id: UUID
    destination_id: UUID
    host: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """What a lane's next request may do, and whose breaker a success would be news to."""

    admission: Admission
    own_troubled: bool = False
    host_troubled: bool = False


class Gate:
    """The breakers of all destinations, over one database."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    async def admit(self, lanes: Sequence[Lane], now: dt.datetime) -> dict[UUID, Admitted]:
        """Return, by destination, what its next request may do."""
        async with self._database.transaction() as tx:
            known = await load_breakers_all_tenants(
                tx, [(lane.tenant_id, lane.destination_id) for lane in lanes]
            )
            hosts = await load_host_breakers_all_tenants(tx, sorted({one.host for one in lanes}))
        admitted = {}
        for lane in lanes:
            own = _troubled(known.get(lane.destination_id))
            host = _troubled(hosts.get(lane.host))
            admission = await self._ask(lane, now) if own or host else Go()
            admitted[lane.destination_id] = Admitted(admission, own, host)
        return admitted

    async def _ask(self, lane: Lane, now: dt.datetime) -> Admission:
        """Ask both breakers, the host's first; each holds, probes or lets go."""
        async with self._database.transaction() as tx:
            stored_host = await lock_host_breaker_all_tenants(tx, lane.host, now=now)
            stored = await lock_breaker(
                tx, tenant_id=lane.tenant_id, destination_id=lane.destination_id, now=now
            )
            host, by_host = admit(_opened(stored_host), now)
            own, by_own = admit(_opened(stored), now)
            for said in (by_host, by_own):
                if isinstance(said, Hold):
                    return said  # and neither becomes half-open: nothing is written
            await self._save(tx, lane, _opened(stored), own)
            await self._save_host(tx, lane, _opened(stored_host), host)
            return Probe() if isinstance(by_host, Probe) or isinstance(by_own, Probe) else Go()

    async def note(
        self,
        tx: Tx,
        lane: Lane,
        admitted: Admitted,
        signals: Sequence[Signal],
        now: dt.datetime,
    ) -> bool:
        """Take in what a call's requests said, with the caller's commit.

        True while both breakers are closed. What is no news locks nothing: the host's row is
        everybody's.
        """
        is_closed = True
        if admitted.host_troubled or any(
            isinstance(one, Failed) and one.at_host for one in signals
        ):
            host = before = _opened(await lock_host_breaker_all_tenants(tx, lane.host, now=now))
            for signal in signals:
                host = after_at_host(host, lane.destination_id, signal, now, self._limits)
            if not signals and isinstance(admitted.admission, Probe):
                host = unasked(host, now)
            await self._save_host(tx, lane, before, host)
            is_closed = host.state is BreakerState.CLOSED
        if admitted.own_troubled or not all(isinstance(one, Succeeded) for one in signals):
            own = before = _opened(
                await lock_breaker(
                    tx, tenant_id=lane.tenant_id, destination_id=lane.destination_id, now=now
                )
            )
            for signal in signals:
                own = after(own, signal, now, self._limits)
            if not signals and isinstance(admitted.admission, Probe):
                own = unasked(own, now)
            refused = any(isinstance(one, Refused) for one in signals)
            await self._save(tx, lane, before, own, refused=refused)
            is_closed = is_closed and own.state is BreakerState.CLOSED
        return is_closed

    async def _save(
        self, tx: Tx, lane: Lane, before: Breaker, now_is: Breaker, *, refused: bool = False
    ) -> None:
        if now_is != before:
            await update_breaker(
                tx,
                _stored(now_is),
                tenant_id=lane.tenant_id,
                destination_id=lane.destination_id,
            )
            _report("destination", str(lane.destination_id), before, now_is, refused=refused)

    async def _save_host(self, tx: Tx, lane: Lane, before: Breaker, now_is: Breaker) -> None:
        if now_is != before:
            await update_host_breaker_all_tenants(tx, _stored(now_is), host=lane.host)
            _report("host", lane.host, before, now_is)


def _report(
    scope: str, subject: str, before: Breaker, now_is: Breaker, *, refused: bool = False
) -> None:
    # A refusal in the middle of an outage is another matter: waiting will not mend it.
    is_refusal = refused and before.reason != now_is.reason
    if before.state is now_is.state and not is_refusal:
        return
    if before.state is not now_is.state:
        BREAKER_CHANGES.labels(scope, now_is.state.value).inc()
    # An opening after a failed probe is no news: nobody is to be called twice.
    is_news = now_is.state is BreakerState.OPEN and (now_is.openings == 1 or is_refusal)
    log = get_logger().warning if is_news else get_logger().info
    log(
        f"breaker.{now_is.state.value}",
        scope=scope,
        subject=subject,
        reason=now_is.reason,
        failures=now_is.failures,
        retry_at=now_is.retry_at.isoformat() if now_is.retry_at else None,
    )


def _troubled(stored: StoredBreaker | None) -> bool:
    return stored is not None and not _opened(stored).untroubled


def _opened(stored: StoredBreaker) -> Breaker:
    return Breaker(
        since=stored.since,
        state=BreakerState(stored.state),
        failures=stored.failures,
        openings=stored.openings,
        reason=stored.reason,
        retry_at=stored.retry_at,
        paused_until=stored.paused_until,
        blamed=frozenset(stored.blamed),
    )


def _stored(breaker: Breaker) -> StoredBreaker:
    return StoredBreaker(
        state=breaker.state.value,
        failures=breaker.failures,
        openings=breaker.openings,
        reason=breaker.reason,
        since=breaker.since,
        retry_at=breaker.retry_at,
        paused_until=breaker.paused_until,
        blamed=tuple(sorted(breaker.blamed)),
    )
