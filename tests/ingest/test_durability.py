"""What was answered is stored, what could not be is said so, and neighbours do not suffer."""

import asyncio
import contextlib
import dataclasses
import datetime as dt
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import asyncpg
import pytest
from tests.support.program import PATIENCE_S, POLL_S

from trackai.errors import StatementRefused, StorageUnavailable, Unavailable
from trackai.ingest.outage import Reach
from trackai.ingest.stores import Stores
from trackai.model.click import AdIdentifiers, Click, PageEvent, PageEventKind, Utm, Visitor
from trackai.storage.pool import Database, Role
from trackai.telemetry.metrics import REGISTRY

if TYPE_CHECKING:
    from tests.ingest.conftest import World

TOKEN = "perfectpay-token-0123456789abcdef"

CLICKS = "select click_id from clicks where tenant_id = $1 order by click_id"
EVENTS = "select event_key from page_events where tenant_id = $1 order by event_key"


def click(world: "World", click_id: str, *, fbclid: str | None = None) -> Click:
    return Click(
        tenant_id=world.tenant.id,
        click_id=click_id,
        received_at=world.clock.now(),
        ads=AdIdentifiers(fbclid=fbclid),
        utm=Utm(),
        visitor=Visitor("203.0.113.7", "Agent"),
    )


def lead(world: "World", key: str, *, fbp: str | None = None) -> PageEvent:
    return PageEvent(
        tenant_id=world.tenant.id,
        kind=PageEventKind.LEAD,
        event_key=key,
        received_at=world.clock.now(),
        click_id="c1",
        identities=(("email", key.encode().ljust(32)),),
        fbp=fbp,
    )


@pytest.fixture
async def stores(database_url: str, world: "World") -> AsyncIterator[Stores]:
    database = await Database.connect(database_url, Role.INGEST, size=2)

    async def keep(_reports: object) -> None:
        raise StorageUnavailable("nothing is kept here")

    reach = Reach(database, patience_s=PATIENCE_S)
    yield Stores(reach, world.envelope, keep=keep, writers=2)
    await database.close()


HOLD_CLICK = """
insert into clicks (tenant_id, click_id, received_at, day, keep_days)
values ($1, $2, now(), $3, 365)
"""
HOLD_LEAD = """
insert into page_events (tenant_id, kind, event_key, received_at, day, keep_days)
values ($1, 'lead', $2, now(), $3, 365)
"""


@contextlib.asynccontextmanager
async def held(world: "World", statement: str, key: str) -> AsyncIterator[None]:
    """Hold a key in an open transaction, so that the edge's insert of it must wait."""
    with contextlib.suppress(_Undone):
        async with world.workers.transaction() as tx:
            await tx.execute(statement, world.tenant.id, key, world.clock.now().date())
            yield
            raise _Undone


class _Undone(Exception):
    pass


async def until_inserts_wait(database_url: str, count: int) -> None:
    """Return when so many statements of the edge wait for a lock."""
    owner = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await owner.fetchval(WAITING) < count:
                pass
    finally:
        await owner.close()


WAITING = """
select count(*) from pg_stat_activity
where datname = current_database() and application_name = 'trackai ingest'
  and wait_event_type = 'Lock'
"""
CUT_OFF = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and application_name = 'trackai ingest'
"""


async def cut_off(database_url: str) -> None:
    """End every connection of the edge, as a failover would."""
    owner = await asyncpg.connect(database_url)
    await owner.fetchval(CUT_OFF)
    await owner.close()


async def test_bad_row_fails_alone_among_its_neighbours(world: "World", stores: Stores) -> None:
    # NUL is what PostgreSQL's text cannot hold; the addresses refuse it, so this is a bug's row.
    rows = [
        click(world, f"c{number:02}", fbclid="\x00" if number in {7, 23} else "fine")
        for number in range(40)
    ]
    results = await asyncio.gather(
        *(stores.clicks.add(row) for row in rows), return_exceptions=True
    )

    failed = [number for number, result in enumerate(results) if result is not None]
    stored = [row["click_id"] for row in await world.rows(CLICKS)]
    assert [7, 23] == failed
    assert all(isinstance(results[number], StatementRefused) for number in failed)
    assert stored == [f"c{number:02}" for number in range(40) if number not in {7, 23}]


async def test_row_that_cannot_even_be_sealed_fails_alone(world: "World", stores: Stores) -> None:
    bad = dataclasses.replace(click(world, "bad"), visitor=Visitor("\ud800"))
    results = await asyncio.gather(
        *(stores.clicks.add(row) for row in (click(world, "a"), bad, click(world, "z"))),
        return_exceptions=True,
    )

    assert [True, False, True] == [result is None for result in results]
    assert ["a", "z"] == [row["click_id"] for row in await world.rows(CLICKS)]


async def test_page_event_that_is_refused_leaves_its_neighbours(
    world: "World", stores: Stores
) -> None:
    events = [lead(world, "e1"), lead(world, "e2", fbp="\x00"), lead(world, "e3")]
    results = await asyncio.gather(
        *(stores.page_events.add(event) for event in events), return_exceptions=True
    )

    assert [True, False, True] == [result is None for result in results]
    assert ["e1", "e3"] == [row["event_key"] for row in await world.rows(EVENTS)]


async def test_answer_comes_after_the_commit_and_not_before(
    world: "World", database_url: str
) -> None:
    async with held(world, HOLD_CLICK, "c1"):
        asked = asyncio.create_task(world.track("click", {"click_id": "c1"}))
        await until_inserts_wait(database_url, 1)
        _, unanswered = await asyncio.wait({asked}, timeout=0.1)

    reply = await asked
    assert unanswered == {asked}
    assert reply.status == 201
    assert ["c1"] == [row["click_id"] for row in await world.rows(CLICKS)]


async def test_closing_stores_and_answers_what_was_taken(world: "World", database_url: str) -> None:
    async with held(world, HOLD_CLICK, "c00"):
        first = asyncio.create_task(world.track("click", {"click_id": "c00"}))
        await until_inserts_wait(database_url, 1)
        second = asyncio.create_task(world.track("click", {"click_id": "c00"}))
        await until_inserts_wait(database_url, 2)
        # Both writers are busy now: these can only wait in memory.
        others = [
            asyncio.create_task(world.track("click", {"click_id": f"c{number:02}"}))
            for number in range(1, 30)
        ]
        await until_waiting("clicks", 29)
        closing = asyncio.create_task(world.edge.close())
        late = await world.track("click", {"click_id": "late"})

    await closing
    replies = await asyncio.gather(first, second, *others)
    assert (503, "1") == (late.status, late.headers["retry-after"])
    assert {201} == {reply.status for reply in replies}
    assert [f"c{number:02}" for number in range(30)] == [
        row["click_id"] for row in await world.rows(CLICKS)
    ]


def waiting_rows(table: str) -> float | None:
    return REGISTRY.get_sample_value("trackai_edge_waiting_rows", {"table": table})


async def until_waiting(table: str, rows: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        # A gauge has no event to wait for.
        while waiting_rows(table) != rows:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_full_queue_is_503_and_says_when_to_return(
    world: "World", database_url: str, stores: Stores
) -> None:
    async with held(world, HOLD_CLICK, "c0"):
        busy = [asyncio.create_task(stores.clicks.add(click(world, "c0")))]
        await until_inserts_wait(database_url, 1)
        busy.append(asyncio.create_task(stores.clicks.add(click(world, "c0"))))
        await until_inserts_wait(database_url, 2)
        waiting = [
            asyncio.create_task(stores.clicks.add(click(world, f"w{number}")))
            for number in range(10_000)
        ]
        await until_waiting("clicks", 10_000)
        with pytest.raises(Unavailable) as refused:
            await stores.clicks.add(click(world, "over"))

    await asyncio.gather(*busy, *waiting)
    assert refused.value.retry_after_s == 1.0
    assert len(await world.rows(CLICKS)) == 10_001


async def test_without_spool_a_lost_connection_is_503_and_soon_it_works_again(
    world: "World", database_url: str
) -> None:
    async with held(world, HOLD_CLICK, "c1"):
        asked = asyncio.create_task(world.track("click", {"click_id": "c1"}))
        await until_inserts_wait(database_url, 1)
        await cut_off(database_url)
        lost = await asked
    async with asyncio.timeout(PATIENCE_S):
        while (await world.track("click", {"click_id": "c1"})).status != 201:  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)

    assert (503, "storage_unavailable") == (lost.status, lost.code)
    assert int(lost.headers["retry-after"]) >= 1
    assert lost.headers["access-control-allow-origin"] == "*"
    assert ["c1"] == [row["click_id"] for row in await world.rows(CLICKS)]


async def test_database_that_is_away_is_503_for_known_and_unknown_alike(world: "World") -> None:
    await world.track("click", {"click_id": "c1"})
    await world.webhook(b"{}")
    await world.ingest.close()
    replies = [
        await world.track("click", {"click_id": "c2"}),
        await world.track("click", {"click_id": "c2"}, x_site_key="never-seen"),
        await world.webhook(b'{"token": "%b"}' % TOKEN.encode()),
    ]
    forged = await world.webhook(b'{"token": "forged"}')

    assert {(503, "storage_unavailable", "2")} == {
        (reply.status, reply.code, reply.headers["retry-after"]) for reply in replies
    }
    assert (401, "proof_failed") == (forged.status, forged.code)


async def test_cancelled_caller_does_not_poison_its_batch(
    world: "World", database_url: str, stores: Stores
) -> None:
    async with held(world, HOLD_CLICK, "c0"):
        busy = [asyncio.create_task(stores.clicks.add(click(world, "c0")))]
        await until_inserts_wait(database_url, 1)
        busy.append(asyncio.create_task(stores.clicks.add(click(world, "c0"))))
        await until_inserts_wait(database_url, 2)
        rows = [asyncio.create_task(stores.clicks.add(click(world, key))) for key in "abc"]
        await until_waiting("clicks", 3)
        rows[1].cancel()

    await asyncio.gather(*busy, rows[0], rows[2])
    assert rows[1].cancelled()
    assert {"a", "c"} <= {row["click_id"] for row in await world.rows(CLICKS)}


async def test_clicks_in_opposite_orders_do_not_deadlock(
    world: "World", database_url: str, stores: Stores
) -> None:
    keys = [f"c{number:03}" for number in range(1000)]
    async with held(world, HOLD_CLICK, "c500"):
        adding = [asyncio.create_task(stores.clicks.add(click(world, key))) for key in keys]
        adding += [asyncio.create_task(stores.clicks.add(click(world, key))) for key in keys[::-1]]
        # Both writers are in the middle of their rows, unless they take them in one order.
        await until_inserts_wait(database_url, 2)

    await asyncio.gather(*adding)
    assert keys == [row["click_id"] for row in await world.rows(CLICKS)]


async def test_events_in_opposite_orders_do_not_deadlock(
    world: "World", database_url: str, stores: Stores
) -> None:
    keys = [f"e{number:03}" for number in range(1000)]
    async with held(world, HOLD_LEAD, "e500"):
        adding = [asyncio.create_task(stores.page_events.add(lead(world, key))) for key in keys]
        adding += [
            asyncio.create_task(stores.page_events.add(lead(world, key))) for key in keys[::-1]
        ]
        await until_inserts_wait(database_url, 2)

    await asyncio.gather(*adding)
    assert keys == [row["event_key"] for row in await world.rows(EVENTS)]


async def test_rows_of_one_moment_share_commits(world: "World", stores: Stores) -> None:
    labels = {"table": "clicks"}
    before = REGISTRY.get_sample_value("trackai_group_commit_rows_count", labels) or 0.0
    await asyncio.gather(*(stores.clicks.add(click(world, f"c{number}")) for number in range(500)))

    commits = (REGISTRY.get_sample_value("trackai_group_commit_rows_count", labels) or 0) - before
    assert 1 <= commits <= 2
    assert len(await world.rows(CLICKS)) == 500


async def test_received_at_is_ours_whatever_the_browser_says(world: "World") -> None:
    world.clock.moment += dt.timedelta(days=1)
    await world.track("click", {"click_id": "c1", "client_time": "1970-01-01T00:00:00Z"})

    (row,) = await world.rows("select received_at from clicks where tenant_id = $1")
    assert row["received_at"] == world.clock.now()
