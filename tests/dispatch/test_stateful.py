"""Queue, breaker and retry together, on a real database, against a model of a few lines.

Hypothesis invents what happens: sales, time, workers that look, die or come late, and platforms in
every mood. After each step the database must say what the model says; in the end, with all well
and time enough, nothing may be left.
"""

import asyncio
import datetime as dt
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tests.support.world import Account, World, open_world
from typing_extensions import override

from trackai.destinations.port import TokenHealth
from trackai.dispatch.breaker import Limits
from trackai.dispatch.dead_letters import DeadLetters, ReplayReleaser, Wish
from trackai.dispatch.dispatcher import Dispatcher, DispatchTools
from trackai.dispatch.gate import Gate
from trackai.model.clock import new_id
from trackai.model.delivery import (
    Accepted,
    CallFacts,
    Deferred,
    ErrorClass,
    Outcome,
    OutgoingEvent,
    Rejected,
)
from trackai.model.tenant import DestinationAccount
from trackai.queue.postgres import PostgresQueue
from trackai.sandbox.platforms import SaleStatus
from trackai.storage.dead_letters import Wanted

T = TypeVar("T")

DESTINATIONS = 2
FAILURES, TRIES = 3, 3
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=60), dt.timedelta(minutes=15)
PROBE_LASTS = dt.timedelta(seconds=120)
THROTTLED = dt.timedelta(seconds=45)
# More rounds of a quarter of an hour than any pause and lease together last.
ROUNDS = 12
MOODS = ("well", "broken", "silent", "token", "throttled", "refuses", "refuses_one", "breaks_one")
DELIVERIES = """
select event_id, status, failed_tries from deliveries where tenant_id = any($1::uuid[])
"""


@dataclass
class Model:
    """One destination as it ought to be, in the plainest words."""

    failures: int = 0
    openings: int = 0
    open_until: dt.datetime | None = None
    probe_until: dt.datetime | None = None
    paused_until: dt.datetime | None = None
    status: dict[str, str] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        return self.open_until is None and self.probe_until is None

    def may_send(self, events: int, now: dt.datetime) -> bool:
        waits = (self.open_until, self.probe_until, self.paused_until)
        if any(until is not None and now < until for until in waits):
            return False
        return self.closed or events == 1

    def begin(self, now: dt.datetime) -> None:
        """A request is on its way; one while it is open is a probe."""
        if not self.closed:
            self.open_until, self.probe_until = None, now + PROBE_LASTS

    def end(self, mood: str, ids: Sequence[str], now: dt.datetime) -> None:
        """The request came back."""
        was_closed = self.closed
        if mood == "breaks_one" and len(ids) > 1:
            self.failures = self.openings = 0  # it took the others
            self.open_until = self.probe_until = self.paused_until = None
        match mood:
            case "broken" | "silent" | "breaks_one":
                self.failures += 1
                if not was_closed or self.failures >= FAILURES:
                    self._open(now)
            case "token":
                self._open(now)
            case _:
                self.failures = self.openings = 0
                self.open_until = self.probe_until = self.paused_until = None
                if mood == "throttled":
                    self.paused_until = now + THROTTLED
        own = mood in {"broken", "silent", "breaks_one"} and was_closed and self.closed
        for one in ids:
            self._settle(one, mood, own=own, first=one == min(ids))

    def _settle(self, one: str, mood: str, *, own: bool, first: bool) -> None:
        if mood == "well" or (mood in _OF_ONE and not first):
            self.status[one] = "accepted"
            return
        self.tries[one] = self.tries.get(one, 0) + own
        if mood in {"refuses", "refuses_one"} or self.tries[one] >= TRIES:
            self.status[one] = "dead"

    def _open(self, now: dt.datetime) -> None:
        pause = min(FIRST_PAUSE * 2**self.openings, LONGEST_PAUSE)
        self.openings += 1
        self.open_until, self.probe_until = now + pause, None


class Moody:
    """A platform in the mood that it is told; it holds the dispatcher to the model."""

    kind = "meta"
    batch_limit = 1000

    def __init__(self, world: World) -> None:
        self._world = world
        self.models: dict[UUID, Model] = {}
        self.moods: dict[UUID, str] = {}
        self.accepted: list[str] = []
        self.wrong: list[str] = []
        self.hangs = False
        self.reached = asyncio.Event()

    def host(self, account: DestinationAccount) -> str:
        # A host each: what several share has its own rules, tested elsewhere.
        return str(account.id)

    def validate(self, account: DestinationAccount) -> None: ...

    async def check_token(self, account: DestinationAccount) -> TokenHealth:
        raise NotImplementedError

    async def send(
        self, account: DestinationAccount, events: Sequence[OutgoingEvent]
    ) -> list[Outcome]:
        model, now = self.models[account.id], self._world.clock.now()
        ids = [event.event_id for event in events]
        if not model.may_send(len(events), now):
            self.wrong.append(f"{len(events)} events were sent although {model} held them")
        if any(model.status[one] != "pending" for one in ids):
            self.wrong.append("something settled was sent again")
        model.begin(now)
        self.reached.set()
        if self.hangs:
            await asyncio.Event().wait()
        mood = self.moods[account.id]
        model.end(mood, ids, now)
        self.accepted += [one for one in ids if model.status[one] == "accepted"]
        return [_outcome(mood, first=one == min(ids)) for one in ids]


_OUTCOMES: Mapping[str, Outcome] = {
    "well": Accepted(CallFacts(http_status=200)),
    "broken": Deferred("transient_error", CallFacts(http_status=500)),
    "silent": Deferred("timeout", CallFacts()),
    "token": Deferred(
        "token_refused",
        CallFacts(http_status=400, error_code=190),
        error_class=ErrorClass.AUTH,
    ),
    "throttled": Deferred(
        "throttled",
        CallFacts(http_status=400, error_code=4),
        retry_after_s=THROTTLED.total_seconds(),
        error_class=ErrorClass.THROTTLED,
    ),
    "refuses": Rejected("invalid_parameter", CallFacts(http_status=400)),
}
# What becomes of the first of several; the others are well.
_OF_ONE = {"refuses_one": "refuses", "breaks_one": "broken"}


def _outcome(mood: str, *, first: bool) -> Outcome:
    if mood in _OF_ONE:
        return _OUTCOMES[_OF_ONE[mood] if first else "well"]
    return _OUTCOMES[mood]


class Machine(RuleBasedStateMachine):
    """What may happen."""

    run_async: "asyncio.Runner"
    world: World

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.run_async.run(work)

    @initialize()
    def open(self) -> None:
        self._do(self._open())

    async def _open(self) -> None:
        world = self.world
        await _empty_queue(world.url)
        self.platform = Moody(world)
        self.queue = PostgresQueue(world.workers, world.clock, new_id)
        tools = DispatchTools(
            world.workers,
            world.envelope,
            self.queue,
            {"meta": self.platform},
            world.clock,
            new_id,
            Gate(world.workers, Limits(failures=FAILURES)),
            tries=TRIES,
        )
        self.workers = [Dispatcher(tools), Dispatcher(tools)]
        self.accounts: list[Account] = []
        for number in range(DESTINATIONS):
            account = await world.open_account(f"Loja {number}")
            self.accounts.append(account)
            self.platform.models[account.destination.id] = Model()
            self.platform.moods[account.destination.id] = "well"

    @rule(who=st.integers(0, DESTINATIONS - 1), count=st.integers(1, 3))
    def sell(self, who: int, count: int) -> None:
        account = self.accounts[who]
        for _ in range(count):
            sale = self.world.sale("kiwify")
            self._do(self.world.tell("kiwify", sale, SaleStatus.APPROVED, account=account))
            model = self.platform.models[account.destination.id]
            model.status[f"kiwify:{sale.transaction}"] = "pending"

    @rule(who=st.integers(0, DESTINATIONS - 1), mood=st.sampled_from(MOODS))
    def be(self, who: int, mood: str) -> None:
        self.platform.moods[self.accounts[who].destination.id] = mood

    @rule(seconds=st.sampled_from([1, 2, 10, 46, 61, 121, 181, 400, 901]))
    def wait(self, seconds: int) -> None:
        self.world.clock.forward(seconds=seconds)

    @rule(worker=st.integers(0, 1), looks=st.integers(1, 4))
    def work(self, worker: int, looks: int) -> None:
        for _ in range(looks):
            self._do(self._work(self.workers[worker]))

    async def _work(self, worker: Dispatcher) -> bool:
        worked = await worker.step()
        await worker.finish()
        return worked

    @rule(
        who=st.integers(0, DESTINATIONS - 1),
        mood=st.sampled_from(MOODS),
        seconds=st.sampled_from([10, 46, 61, 181]),
        rounds=st.integers(2, 6),
    )
    def struggle(self, who: int, mood: str, seconds: int, rounds: int) -> None:
        self.be(who, mood)
        for number in range(rounds):
            self.sell(who, 1)
            self.work(number % 2, 1)
            self.the_database_says_what_the_model_says()
            self.wait(seconds)

    @rule()
    def die_in_mid_request(self) -> None:
        self._do(self._die())

    async def _die(self) -> None:
        platform, worker = self.platform, self.workers[0]
        platform.hangs = True
        platform.reached.clear()
        dying = asyncio.create_task(self._work(worker))
        reached = asyncio.create_task(platform.reached.wait())
        await asyncio.wait({dying, reached}, return_when=asyncio.FIRST_COMPLETED)
        for task in (dying, reached):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        platform.hangs = False

    @rule(who=st.integers(0, DESTINATIONS - 1))
    def replay(self, who: int) -> None:
        self._do(self._replay(self.accounts[who]))

    async def _replay(self, account: Account) -> None:
        world = self.world
        letters = DeadLetters(world.people, world.clock, new_id, account.tenant.id)
        await letters.replay(Wish("test", Wanted()))
        releaser = ReplayReleaser(world.workers, self.queue, world.clock)
        while await releaser.step():
            world.clock.forward(seconds=1)
        model = self.platform.models[account.destination.id]
        for one, status in model.status.items():
            if status == "dead":
                model.status[one], model.tries[one] = "pending", 0

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        if not hasattr(self, "accounts"):
            return
        rows = self._do(self._rows())
        models = self.platform.models.values()
        said = {one: status for model in models for one, status in model.status.items()}
        tries = {one: number for model in models for one, number in model.tries.items()}

        assert self.platform.wrong == []
        assert said == {row["event_id"]: row["status"] for row in rows}
        assert {one: tries.get(one, 0) for one in said} == {
            row["event_id"]: row["failed_tries"] for row in rows
        }

    async def _rows(self) -> "Sequence[asyncpg.Record]":
        async with self.world.workers.transaction() as tx:
            return await tx.fetch(DELIVERIES, [one.tenant.id for one in self.accounts])

    @override
    def teardown(self) -> None:
        if not hasattr(self, "accounts") or self.platform.wrong:
            return
        for account in self.accounts:
            self.platform.moods[account.destination.id] = "well"
        for _ in range(ROUNDS):
            self.world.clock.forward(seconds=901)
            while self._do(self._work(self.workers[1])):
                self.world.clock.forward(seconds=3)
        self.the_database_says_what_the_model_says()
        statuses = [one for model in self.platform.models.values() for one in model.status.values()]

        assert "pending" not in statuses
        assert len(self.platform.accepted) == len(set(self.platform.accepted))
        assert self._do(_queued(self.world.url)) == 0


async def _empty_queue(url: str) -> None:
    await _ask(url, "delete from queue_messages")


async def _queued(url: str) -> int:
    return int(await _ask(url, "select count(*) from queue_messages"))


async def _ask(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("examples", [40])
def test_queue_breaker_and_retry_do_what_a_simple_model_does(
    fresh_database_url: str, examples: int
) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        Machine.run_async = runner
        Machine.world = runner.run(stack.enter_async_context(open_world(fresh_database_url)))
        try:
            run_state_machine_as_test(
                Machine,
                settings=settings(
                    max_examples=examples,
                    stateful_step_count=30,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(stack.aclose())
