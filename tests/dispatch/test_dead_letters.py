"""Dead letters: found, sent again under the same event ids, or given up for good."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import pytest
from tests.dispatch.conftest import QUEUED

from trackai.dispatch.dead_letters import DeadLetters, ReplayReleaser, Wish
from trackai.dispatch.dispatcher import Dispatcher
from trackai.errors import Conflict, InvalidField, NotFound
from trackai.model.clock import new_id
from trackai.queue.port import Lease
from trackai.queue.postgres import PostgresQueue
from trackai.storage.audit_logs import list_audit
from trackai.storage.dead_letters import Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.dispatch.conftest import Office
    from tests.support.world import Account

    from trackai.storage.queue_messages import ClaimedDelivery


class Desk:
    """A tenant's dead letters, and the job that lets replays go."""

    def __init__(self, office: "Office") -> None:
        self.office = office
        self.letters = self.of(office.world.account)
        world = office.world
        self.releaser = ReplayReleaser(world.workers, office.queue, world.clock)

    def of(self, account: "Account") -> DeadLetters:
        return DeadLetters(
            self.office.world.people, self.office.world.clock, new_id, account.tenant.id
        )

    async def kill(self, count: int) -> list[str]:
        """Sell events that Meta will not have; return their ids, sorted."""
        ids = await self.office.sell(count)
        for one in ids:
            self.office.meta.script_fault("bad_event", times=None, event_id=one)
        while await self.office.step():
            pass
        self.office.meta.clear_faults()
        return ids

    async def list(self, **wanted: Any) -> list[dict[str, Any]]:
        return await self.letters.list(Wanted(**wanted), limit=1000)

    async def turn(self) -> bool:
        """Give replays a turn, send what that let go, and let a second pass."""
        worked = await self.releaser.step()
        while await self.office.step():
            pass
        self.office.world.clock.forward(seconds=1)
        return worked


@pytest.fixture
async def desk(office: "Office") -> Desk:
    return Desk(office)


async def test_a_dead_letter_says_why_and_shows_every_try(desk: Desk) -> None:
    (event_id,) = await desk.kill(1)
    (letter,) = await desk.list()
    shown = await desk.letters.show(letter["id"])

    assert (event_id, "invalid_parameter") == (letter["event_id"], letter["reason"])
    tries = shown["tries"]
    assert isinstance(tries, list)
    assert [(1, "rejected", 400)] == [
        (one["attempt"], one["status"], one["http_status"]) for one in tries
    ]


async def test_a_replay_sends_again_under_the_same_event_ids(desk: Desk) -> None:
    ids = await desk.kill(3)
    begun = await desk.letters.replay(Wish("test", Wanted()))
    await desk.turn()
    await desk.turn()
    ended = await desk.letters.progress(UUID(str(begun["id"])))

    assert (3, 3) == (begun["selected"], begun["waiting"])
    assert ids == desk.office.arrived()
    assert (3, 0, 0) == (ended["accepted"], ended["waiting"], ended["under_way"])
    assert ended["finished_at"] is not None
    assert await desk.list() == []


async def test_a_replay_keeps_to_its_rate(desk: Desk) -> None:
    await desk.kill(5)
    await desk.letters.replay(Wish("test", Wanted(), rate=2))
    arrived = []
    for _ in range(3):
        await desk.turn()
        arrived.append(len(desk.office.arrived()))
    await desk.releaser.step()
    again_at_once = await desk.releaser.step()

    assert arrived == [2, 4, 5]
    assert not again_at_once


async def test_the_same_key_twice_is_one_replay(desk: Desk) -> None:
    await desk.kill(2)
    first = await desk.letters.replay(Wish("test", Wanted(), key="monday"))
    second = await desk.letters.replay(Wish("test", Wanted(), key="monday"))
    while await desk.turn():
        pass

    assert first["id"] == second["id"]
    assert len(desk.office.arrived()) == 2
    assert desk.office.meta.duplicates == []


async def test_two_replays_at_once_send_nothing_twice(desk: Desk) -> None:
    await desk.kill(2)
    first = await desk.letters.replay(Wish("test", Wanted()))
    second = await desk.letters.replay(Wish("test", Wanted()))
    while await desk.turn():
        pass

    assert (2, 0) == (first["selected"], second["selected"])
    assert desk.office.meta.duplicates == []


async def test_what_dies_again_can_be_replayed_again(desk: Desk) -> None:
    (event_id,) = await desk.kill(1)
    desk.office.meta.script_fault("bad_event", event_id=event_id)
    begun = await desk.letters.replay(Wish("test", Wanted()))
    while await desk.turn():
        pass
    ended = await desk.letters.progress(UUID(str(begun["id"])))
    again = await desk.letters.replay(Wish("test", Wanted()))
    while await desk.turn():
        pass

    assert (1, 0) == (ended["dead_again"], ended["accepted"])
    assert again["selected"] == 1
    assert [event_id] == desk.office.arrived()


async def test_what_is_older_than_meta_takes_is_refused_and_stays(desk: Desk) -> None:
    await desk.kill(1)
    desk.office.world.clock.forward(days=8)
    refused = await desk.letters.replay(Wish("test", Wanted()))

    assert (0, 1) == (refused["selected"], refused["too_old"])
    assert refused["finished_at"] is not None
    assert len(await desk.list()) == 1
    assert not await desk.releaser.step()


async def test_filters_choose(desk: Desk) -> None:
    await desk.kill(1)
    middle = desk.office.world.clock.now() + dt.timedelta(hours=1)
    desk.office.world.clock.forward(hours=2)
    await desk.kill(1)
    pixel = desk.office.world.account.destination.id
    (newest, oldest) = await desk.list()

    assert [newest] == await desk.list(since=middle)
    assert [oldest] == await desk.list(until=middle)
    assert [oldest] == await desk.list(ids=[oldest["id"]])
    assert 2 == len(await desk.list(reason="invalid_parameter", gateway="kiwify"))
    assert 2 == len(await desk.list(destination_id=pixel))
    assert [] == await desk.list(reason="timeout")
    assert [] == await desk.list(gateway="stripe")
    assert [] == await desk.list(destination_id=new_id())


async def test_discarded_letters_are_gone_for_good(desk: Desk) -> None:
    await desk.kill(2)
    number = await desk.letters.discard(Wanted(), actor="test", why="a test product")
    replayed = await desk.letters.replay(Wish("test", Wanted()))

    assert number == 2
    assert await desk.list() == []
    assert replayed["selected"] == 0
    assert {"discarded"} == {row["status"] for row in await desk.office.deliveries()}


async def test_replays_and_discards_are_in_the_audit_log(desk: Desk) -> None:
    await desk.kill(1)
    await desk.letters.replay(Wish("ana", Wanted(reason="timeout")))
    await desk.letters.discard(Wanted(), actor="bia", why="a test product")
    tenant_id = desk.office.world.account.tenant.id
    async with desk.office.world.people.transaction(tenant_id=tenant_id) as tx:
        newest, oldest = await list_audit(tx, tenant_id=tenant_id, limit=10)

    assert ("bia", "dead_letters.discard") == (newest["actor"], newest["action"])
    assert ("ana", "dead_letters.replay") == (oldest["actor"], oldest["action"])
    details = newest["details"]
    assert isinstance(details, dict)
    assert (details["why"], details["number"]) == ("a test product", 1)


async def test_another_tenants_dead_letters_are_not_there(desk: Desk) -> None:
    await desk.kill(1)
    (letter,) = await desk.list()
    other = desk.of(await desk.office.open_account("Outra"))
    replayed = await other.replay(Wish("test", Wanted(ids=[letter["id"]])))
    discarded = await other.discard(Wanted(ids=[letter["id"]]), actor="test", why="x")

    assert (0, 0) == (replayed["selected"], discarded)
    with pytest.raises(NotFound):
        await other.show(letter["id"])
    with pytest.raises(NotFound):
        await desk.letters.progress(UUID(str(replayed["id"])))


@pytest.mark.parametrize(
    "wish", [Wish("x", Wanted(), rate=0), Wish("x", Wanted(), rate=10**6), Wish("x", Wanted(), "")]
)
async def test_a_wish_out_of_bounds_is_refused(desk: Desk, wish: Wish) -> None:
    with pytest.raises(InvalidField):
        await desk.letters.replay(wish)


async def test_the_same_key_at_the_same_time_is_one_replay(desk: Desk) -> None:
    await desk.kill(3)
    wish = Wish("test", Wanted(), key="monday")
    begun = await asyncio.gather(*(desk.letters.replay(wish) for _ in range(6)))

    assert len({one["id"] for one in begun}) == 1
    assert {one["selected"] for one in begun} == {3}


async def test_a_key_of_another_wish_is_refused(desk: Desk) -> None:
    await desk.kill(1)
    await desk.letters.replay(Wish("test", Wanted(reason="invalid_parameter"), key="monday"))

    with pytest.raises(Conflict, match="another replay's"):
        await desk.letters.replay(Wish("test", Wanted(), key="monday"))


class _Late:
    """A queue whose acknowledgements come after something else happened."""

    def __init__(self, queue: PostgresQueue, happens: Callable[[], Awaitable[None]]) -> None:
        self._queue = queue
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    async def acknowledge(self, lease: Lease, messages: "Sequence[ClaimedDelivery]") -> None:
        if messages:
            await self._happens()
        await self._queue.acknowledge(lease, messages)


async def test_a_replay_between_record_and_acknowledgement_is_not_lost(desk: Desk) -> None:
    office = desk.office
    (event_id,) = await office.sell(1)
    office.meta.script_fault("bad_event", times=1, event_id=event_id)

    async def replayed() -> None:
        if [row["status"] for row in await office.deliveries()] == ["dead"]:
            await desk.letters.replay(Wish("test", Wanted()))
            assert await desk.releaser.step()

    late = Dispatcher(replace(office.tools, queue=_Late(office.queue, replayed)))
    await late.step()
    await late.finish()
    left = await office.world.rows(QUEUED)
    await office.step()

    assert len(left) == 1
    assert [event_id] == office.arrived()


async def test_replays_have_their_turns_one_after_the_other(desk: Desk) -> None:
    await desk.kill(4)
    await desk.letters.replay(Wish("test", Wanted(), rate=1))
    other = await desk.office.open_account("Outra")
    (event_id,) = await desk.office.sell(1, account=other)
    desk.office.meta.script_fault("bad_event", times=1, event_id=event_id)
    await desk.office.step()
    desk.office.world.clock.forward(seconds=1)
    younger = await desk.of(other).replay(Wish("test", Wanted()))
    for _ in range(2):
        await desk.releaser.step()
        desk.office.world.clock.forward(seconds=1)
    progress = await desk.of(other).progress(UUID(str(younger["id"])))

    assert progress["waiting"] == 0


async def test_the_audit_log_names_every_letter_that_was_named(desk: Desk) -> None:
    await desk.kill(1)
    (letter,) = await desk.list()
    tenant_id = desk.office.world.account.tenant.id
    asked = [*(new_id() for _ in range(150)), letter["id"]]
    await desk.letters.discard(Wanted(ids=asked), actor="test", why="test")
    async with desk.office.world.people.transaction(tenant_id=tenant_id) as tx:
        (deed,) = await list_audit(tx, tenant_id=tenant_id, limit=1)

    assert [str(one) for one in asked] == cast("dict[str, Any]", deed["details"])["ids"]


async def test_progress_counts_every_letter_of_the_replay(desk: Desk) -> None:
    (first, *_) = await desk.kill(3)
    begun = await desk.letters.replay(Wish("test", Wanted()))
    desk.office.meta.script_fault("bad_event", times=None, event_id=first)
    while await desk.turn():
        pass
    await desk.letters.discard(Wanted(), actor="test", why="test")
    ended = await desk.letters.progress(UUID(str(begun["id"])))

    assert (2, 1) == (ended["accepted"], ended["discarded"])
