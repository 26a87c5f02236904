"""Job: leased messages to attempts, recorded, then acknowledged.

1. Lease due messages of destinations that have room; load the deliveries they name. What is
   settled already is acknowledged; what does not open is a dead letter.
2. What a flag turns off waits until it is released. Ask the gate about each other destination.
   What it holds goes back unused; a probe sends one event.
3. Send each destination's events in requests as large as it takes.
4. Record every try, the breaker and what each delivery becomes, in one transaction a call.
5. Acknowledge what is settled, give the rest back until its time.

Calls to destinations run beside each other and nobody waits for all of them: a silent one keeps
its own events only. A crash before 4 sends the group again under the same event ids; a crash
between 4 and 5 only acknowledges again.
"""

import asyncio
import contextlib
import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from trackai.destinations.port import Destination
from trackai.dispatch.breaker import Go, Hold, Probe
from trackai.dispatch.gate import Admitted, Gate, Lane
from trackai.dispatch.record import Batch, Recorder, Tried
from trackai.dispatch.retry import EVENT_LIFETIME, TRIES, RetryAt, Standing, next_step
from trackai.dispatch.signals import counts, signals_of
from trackai.errors import Unavailable
from trackai.flags.catalogue import destination_flag
from trackai.flags.switches import Switches
from trackai.model.clock import Clock, NewId
from trackai.model.delivery import CallFacts, Deferred, ErrorClass, Outcome
from trackai.model.tenant import DestinationAccount
from trackai.queue.port import LEASE, Lease, Queue
from trackai.storage import deliveries, destinations
from trackai.storage.deliveries import Loaded, Owed
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database
from trackai.storage.queue_messages import ClaimedDelivery, Share
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import JOB_ERRORS

# Most messages of one destination taken at once; Meta takes 1000 events a request.
CLAIM_EACH = 1000
# Calls to one destination under way side by side, in one process.
CALLS_EACH = 3
# One call may take this long.
SEND_TIMEOUT_S = 90.0
# Why a delivery is given up whose stored buyer or click is damaged, or sealed with a lost key.
SEALED = "does_not_open"
# When a destination's account is gone or of an unknown kind: look again after this.
UNROUTABLE_PAUSE_S = 300.0
NO_ACCOUNT = "destination_gone"  # or its token does not open
# Messages that wait for a probe's end.
AFTER_PROBE = dt.timedelta(seconds=2)
# A lease is extended so often while its work goes on.
EXTEND_EVERY_S = LEASE.total_seconds() / 3
# What was cancelled ends at once, unless the database is away.
CANCELLED_S = 5.0


def _nobody() -> None:
    """Wake nobody."""


@dataclass(frozen=True, slots=True)
class DispatchTools:
    """What dispatching needs; wired once by the worker."""

    database: Database
    envelope: Envelope
    queue: Queue
    destinations: Mapping[str, Destination]
    clock: Clock
    new_id: NewId
    gate: Gate
    calls: int = 32  # under way side by side
    tries: int = TRIES
    wake: Callable[[], None] = field(default=_nobody)  # a destination has room again
    switches: Switches | None = None  # None: everything is on


@dataclass(frozen=True, slots=True)
class _Group:
    """One destination's part of a lease."""

    lease: Lease
    destination_id: UUID
    account: DestinationAccount | None
    destination: Destination | None
    messages: Sequence[ClaimedDelivery]
    owed: Mapping[UUID, Owed]

    def lane(self) -> Lane | None:
        if self.account is None or self.destination is None:
            return None
        host = self.destination.host(self.account)
        return Lane(self.account.tenant_id, self.account.id, host)


class Dispatcher:
    """Sends what is due; several may run, in one process or many."""

    def __init__(self, tools: DispatchTools) -> None:
        self._tools = tools
        self._recorder = Recorder(tools.database, tools.gate, tools.new_id)
        self._under_way: dict[asyncio.Task[None], UUID] = {}
        # Jitter needs no secrecy.
        self._random = random.Random()  # noqa: S311

    async def step(self) -> bool:
        """Take what is due where there is room, and begin to send it; False when nothing was."""
        while len(self._under_way) >= self._tools.calls:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        calls = Counter(self._under_way.values())
        busy = [one for one, number in calls.items() if number >= CALLS_EACH]
        room = self._tools.calls - len(self._under_way)
        lease = await self._tools.queue.receive(Share(room, CLAIM_EACH, busy))
        if not lease.messages:
            return False
        await self._begin(lease)
        return True

    async def finish(self) -> None:
        """Wait until all calls under way are recorded; cancelled, it cancels them and they end."""
        try:
            while self._under_way:
                await asyncio.wait(self._under_way)
        except asyncio.CancelledError:
            for task in self._under_way:
                task.cancel()
            # Who comes after it must not meet one that still extends its lease.
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=CANCELLED_S)
            raise

    async def _begin(self, lease: Lease) -> None:
        loaded, accounts = await self._load(lease)
        owed = {one.event.delivery_id: one for one in loaded.owed}
        if loaded.sealed:
            await self._bury(loaded.sealed)
        settled = [message for message in lease.messages if message.delivery_id not in owed]
        await self._tools.queue.acknowledge(lease, settled)
        groups = [
            self._group(lease, destination_id, messages, owed, accounts)
            for destination_id, messages in _by_destination(lease, owed).items()
        ]
        going = await self._without_held(lease, groups)
        lanes = [lane for group in going if (lane := group.lane()) is not None]
        admitted = await self._tools.gate.admit(lanes, self._tools.clock.now())
        for group in going:
            said = admitted.get(group.destination_id, Admitted(Go()))
            task = asyncio.create_task(self._work(group, said), name="dispatch-call")
            self._under_way[task] = group.destination_id
            task.add_done_callback(self._done)

    async def _without_held(self, lease: Lease, groups: Sequence[_Group]) -> Sequence[_Group]:
        """Let what a flag turns off wait, and return the rest."""
        if self._tools.switches is None:
            return groups
        board = await self._tools.switches.board()
        off = {
            group.destination_id
            for group in groups
            if (account := group.account) is not None
            and not board.of(destination_flag(account.kind), account.tenant_id).on
        }
        held = [one for group in groups if group.destination_id in off for one in group.messages]
        if held:
            await self._tools.queue.hold(lease, held)
            get_logger().info("deliveries.held", number=len(held))
        return [group for group in groups if group.destination_id not in off]

    def _done(self, task: "asyncio.Task[None]") -> None:
        del self._under_way[task]
        self._tools.wake()

    def _group(
        self,
        lease: Lease,
        destination_id: UUID,
        messages: Sequence[ClaimedDelivery],
        owed: Mapping[UUID, Owed],
        accounts: Mapping[UUID, DestinationAccount],
    ) -> _Group:
        account = accounts.get(destination_id)
        destination = self._tools.destinations.get(account.kind) if account else None
        return _Group(lease, destination_id, account, destination, messages, owed)

    async def _bury(self, keys: Sequence[tuple[UUID, UUID]]) -> None:
        """Make dead letters of deliveries that cannot be read; mended, they can be replayed."""
        async with self._tools.database.transaction() as tx:
            number = await deliveries.bury_all_tenants(
                tx, keys, reason=SEALED, now=self._tools.clock.now()
            )
        get_logger().error(
            "delivery.buried",
            reason=SEALED,
            number=number,
            delivery_ids=[str(delivery_id) for _, delivery_id in keys],
        )

    async def _load(self, lease: Lease) -> tuple[Loaded, dict[UUID, DestinationAccount]]:
        async with self._tools.database.transaction() as tx:
            loaded = await deliveries.load_owed_all_tenants(
                tx,
                self._tools.envelope,
                [(message.tenant_id, message.delivery_id) for message in lease.messages],
            )
            accounts = await destinations.load_destinations_all_tenants(
                tx,
                self._tools.envelope,
                sorted({(one.tenant_id, one.destination_id) for one in loaded.owed}),
            )
        return loaded, accounts

    async def _work(self, group: _Group, admitted: Admitted) -> None:
        """Deal with a group; its own trouble ends here, its lease gives the messages back."""
        try:
            async with self._kept(group):
                await self._deliver(group, admitted)
        except Unavailable as error:
            get_logger().warning("dispatch.not_recorded", reason=str(error))
        except Exception:  # noqa: BLE001 - one destination's trouble must not end another's
            JOB_ERRORS.labels("dispatch").inc()
            get_logger().exception("job.failed", job="dispatch")

    @contextlib.asynccontextmanager
    async def _kept(self, group: _Group) -> AsyncIterator[None]:
        """Extend the group's lease while a block runs."""

        async def keep() -> None:
            while True:
                await asyncio.sleep(EXTEND_EVERY_S)
                with contextlib.suppress(Unavailable):
                    await self._tools.queue.extend(group.lease, group.messages)

        task = asyncio.create_task(keep(), name="dispatch-lease")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _deliver(self, group: _Group, admitted: Admitted) -> None:
        queue, lease, messages = self._tools.queue, group.lease, group.messages
        match admitted.admission:
            case Hold(until=until):
                await queue.postpone(lease, [(message, until) for message in messages])
                return
            case Probe():
                messages, waiting = self._for_probe(group)
                later = self._tools.clock.now() + AFTER_PROBE
                await queue.postpone(lease, [(message, later) for message in waiting])
            case Go():
                pass
        tried = await self._try(group, [group.owed[one.delivery_id] for one in messages], admitted)
        pairs = list(zip(messages, (one.step for one in tried), strict=True))
        await queue.acknowledge(
            lease, [message for message, step in pairs if not isinstance(step, RetryAt)]
        )
        await queue.postpone(
            lease, [(message, step.at) for message, step in pairs if isinstance(step, RetryAt)]
        )

    def _for_probe(
        self, group: _Group
    ) -> tuple[Sequence[ClaimedDelivery], Sequence[ClaimedDelivery]]:
        """Return what goes with a probe, and what waits for its end.

        Events that are too old are refused without a request. They go along, because a probe made
        of one asks nothing.
        """
        oldest = self._tools.clock.now() - EVENT_LIFETIME
        old: list[ClaimedDelivery] = []
        young: list[ClaimedDelivery] = []
        for message in group.messages:
            event = group.owed[message.delivery_id].event
            (old if event.event_time <= oldest else young).append(message)
        return [*old, *young[:1]], young[1:]

    async def _try(
        self, group: _Group, batch: Sequence[Owed], admitted: Admitted
    ) -> Sequence[Tried]:
        outcomes = await self._send(group, batch)
        now = self._tools.clock.now()
        probing = isinstance(admitted.admission, Probe)

        def judge(well: bool) -> list[Tried]:  # noqa: FBT001 - the one question asked
            return [
                self._judge(one, outcome, now, own=counts(outcome, well=well and not probing))
                for one, outcome in zip(batch, outcomes, strict=True)
            ]

        kind = group.account.kind if group.account else "unknown"
        return await self._recorder.record(
            Batch(
                id=self._tools.new_id(),
                kind=kind,
                at=now,
                lane=group.lane(),
                admitted=admitted,
                signals=signals_of(outcomes),
            ),
            judge,
        )

    def _judge(self, owed: Owed, outcome: Outcome, now: dt.datetime, *, own: bool) -> Tried:
        failed_tries = owed.failed_tries + own
        standing = Standing(owed.attempts + 1, failed_tries, owed.event.event_time, now)
        step = next_step(outcome, standing, self._random.random(), self._tools.tries)
        return Tried(owed, outcome, step, failed_tries)

    async def _send(self, group: _Group, batch: Sequence[Owed]) -> list[Outcome]:
        if group.account is None or group.destination is None:
            reason = NO_ACCOUNT if group.account is None else "destination_unknown"
            deferred = Deferred(
                reason,
                CallFacts(batch_size=len(batch)),
                retry_after_s=UNROUTABLE_PAUSE_S,
                error_class=ErrorClass.UNROUTABLE,
            )
            return [deferred] * len(batch)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                return await group.destination.send(group.account, [one.event for one in batch])
        except TimeoutError:
            return [Deferred("timeout", CallFacts(batch_size=len(batch))) for _ in batch]


def _by_destination(lease: Lease, owed: Mapping[UUID, Owed]) -> dict[UUID, list[ClaimedDelivery]]:
    groups: defaultdict[UUID, list[ClaimedDelivery]] = defaultdict(list)
    for message in lease.messages:
        if message.delivery_id in owed:
            groups[owed[message.delivery_id].destination_id].append(message)
    return groups
