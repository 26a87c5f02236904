"""Dead letters from the command line: what is listed, taken and refused, and what is waited for."""

import asyncio
import base64
import datetime as dt
import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.program import Place
from tests.support.world import World, open_world

from trackai.sandbox.platforms import SaleStatus

if TYPE_CHECKING:
    import subprocess

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
BURY = """
update deliveries set status = 'dead', reason = 'invalid_parameter', settled_at = now(),
  event_time = now() - $2::interval
where tenant_id = $1 and status = 'pending'
"""
SETTLE = "update deliveries set status = $2, replay_waits = false where tenant_id = $1 and id = $3"
BREAKER = """
insert into breakers (tenant_id, destination_id, state, failures, openings, since, reason, retry_at)
values ($1, $2, 'open', 5, 1, now(), 'timeout', now() + interval '9 minutes')
"""


@dataclass
class Counter:
    """A tenant with dead letters, and commands about them."""

    place: Place
    world: World

    @property
    def tenant(self) -> str:
        return str(self.world.account.tenant.id)

    async def dead(self, count: int, *, age: dt.timedelta = dt.timedelta(days=1)) -> list[str]:
        """Have that many more dead letters; return all ids, newest first."""
        for _ in range(count):
            await self.world.tell("kiwify", self.world.sale("kiwify"), SaleStatus.APPROVED)
        async with self.world.workers.transaction() as tx:
            await tx.execute(BURY, self.world.account.tenant.id, age)
        return [row["id"] for row in await self.json("list")]

    async def run(self, verb: str, *more: str) -> "subprocess.CompletedProcess[str]":
        return await asyncio.to_thread(self.place.run, "dlq", verb, self.tenant, *more)

    async def json(self, verb: str, *more: str) -> Any:
        done = await self.run(verb, *more, "--json")
        return json.loads(done.stdout)

    async def settle(self, delivery: str, status: str) -> None:
        await self.place.rows(SETTLE, self.world.account.tenant.id, status, delivery)


@pytest.fixture
async def counter(tmp_path: Path, fresh_database_url: str) -> AsyncIterator[Counter]:
    async with open_world(fresh_database_url) as world:
        yield Counter(Place(tmp_path, fresh_database_url, key=KEY), world)


async def test_letters_that_wait_in_a_replay_are_listed_with_it(counter: Counter) -> None:
    first, second = await counter.dead(2)
    replay = await counter.json("replay", first)
    listed = {row["id"]: row["replay"] for row in await counter.json("list")}

    assert listed == {first: replay["id"], second: None}


async def test_an_empty_list_says_how_many_there_are_in_all(counter: Counter) -> None:
    none = await counter.run("list")
    await counter.dead(2)
    other = await counter.run("list", "--reason", "timeout")

    assert none.stdout == "No dead letters.\n"
    assert other.stdout == "None that match; 2 dead letters in all.\n"


async def test_ids_that_are_not_to_be_had_are_named_with_why(counter: Counter) -> None:
    waiting, accepted, discarded, free = await counter.dead(4)
    unknown = str(counter.world.account.tenant.id)
    replay = await counter.json("replay", waiting)
    await counter.settle(accepted, "accepted")
    await counter.settle(discarded, "discarded")
    asked = (waiting, accepted, discarded, unknown, free)
    done = await counter.run("replay", *asked)
    again = await counter.run("discard", *asked, "--why", "a test")

    assert (done.returncode, again.returncode) == (1, 1)
    assert done.stderr.splitlines() == [
        f"trackai: not taken: {waiting}: in the replay {replay['id']}",
        f"trackai: not taken: {accepted}: already accepted",
        f"trackai: not taken: {discarded}: discarded",
        f"trackai: not taken: {unknown}: unknown",
    ]
    assert "selected     1" in done.stdout
    assert again.stdout == "discarded  0\n"


async def test_those_too_old_are_told_and_fail_a_replay_that_is_waited_for(
    counter: Counter,
) -> None:
    await counter.dead(2, age=dt.timedelta(days=8))
    done = await counter.run("replay", "--all", "--wait")

    assert done.returncode == 1
    assert "too old      2" in done.stdout
    assert "2 older than seven days (event_too_old)" in done.stderr


async def test_who_waits_is_told_the_id_first_and_why_it_waits(counter: Counter) -> None:
    account = counter.world.account
    await counter.dead(1)
    await counter.place.rows(BREAKER, account.tenant.id, account.destination.id)
    done = await counter.run("replay", "--all", "--wait", "--timeout", "2.5")
    said = done.stdout.splitlines()
    (replay,) = await counter.place.rows("select id from replays")

    assert done.returncode == 1
    assert said[0] == f"replay {replay['id']}"
    assert said[1] == "waiting 1  under way 0  accepted 0  dead again 0"
    assert said[2].startswith(f"waits: breaker of pixel {account.destination.pixel_id} open until")
    assert said[3].startswith("id ")  # what did not change was not said again
    assert f"trackai dlq progress {counter.tenant} {replay['id']}" in done.stderr


async def test_nobody_who_takes_a_replay_is_told(counter: Counter) -> None:
    await counter.dead(1)
    done = await counter.run("replay", "--all", "--wait", "--timeout", "11")

    assert "waits: no worker took it within 10 s: none is seen, start trackai worker" in (
        done.stdout.splitlines()
    )


async def test_ctrl_c_leaves_the_replay_and_says_how_to_look_again(counter: Counter) -> None:
    await counter.dead(1)
    with counter.place.start("dlq", "replay", counter.tenant, "--all", "--wait") as program:
        said = await asyncio.to_thread(program.wait_for_text, "replay ")
        status = await asyncio.to_thread(program.end, signal.SIGINT)
    replay = said.split()[1]
    progress = await counter.json("progress", replay)

    assert status == 130
    assert f"trackai dlq progress {counter.tenant} {replay}" in program.log.read_text()
    assert progress["waiting"] == 1


async def test_a_waited_for_replay_in_json_is_one_document(counter: Counter) -> None:
    await counter.dead(1)
    done = await counter.run("replay", "--all", "--wait", "--timeout", "0", "--json")

    assert json.loads(done.stdout)["waiting"] == 1


async def test_causes_are_told_of_every_account_that_is_there(counter: Counter) -> None:
    world = counter.world
    other = await world.open_account("Outra")
    gone = await world.open_account("Foi embora")
    nothing = await asyncio.to_thread(counter.place.run, "dlq", "causes")
    await counter.dead(2)
    for account in (other, gone):
        await world.tell("stripe", world.sale("stripe"), SaleStatus.APPROVED, account=account)
        async with world.workers.transaction() as tx:
            await tx.execute(BURY, account.tenant.id, dt.timedelta(days=1))
    await asyncio.to_thread(counter.place.run, "tenant", "delete", str(gone.tenant.id), "--yes")
    told = await asyncio.to_thread(counter.place.json, "dlq", "causes")

    assert nothing.stdout == "No dead letters.\n"
    assert [
        (counter.tenant, "kiwify", "invalid_parameter", 2),
        (str(other.tenant.id), "stripe", "invalid_parameter", 1),
    ] == [(one["tenant_id"], one["gateway"], one["reason"], one["number"]) for one in told]


@pytest.mark.parametrize(
    ("verb", "options", "says"),
    [
        ("list", ("--gateway", "kivify"), "There is no such gateway. Known: cakto,"),
        ("list", ("--reason", os.fsdecode(b"\xff")), "reason is not text"),
        ("list", ("--reason", "x" * 101), "reason is 1 to 100"),
        ("replay", ("--all", "--key", os.fsdecode(b"\xff")), "key is not text"),
        ("replay", ("--all", "--key", "x" * 201), "key is 1 to 200"),
        ("discard", ("--all", "--why", " "), "why is blank"),
        ("discard", ("--all", "--why", os.fsdecode(b"\xff")), "why is not text"),
        ("discard", ("--all", "--why", "x" * 501), "why is 1 to 500"),
    ],
)
async def test_words_that_are_none_are_refused_with_a_sentence(
    counter: Counter, verb: str, options: tuple[str, ...], says: str
) -> None:
    done = await counter.run(verb, *options)

    assert done.returncode == 1
    assert says in done.stderr
    assert "[invalid_field]" in done.stderr
