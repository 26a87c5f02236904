"""Whatever dies, and whatever Meta answers: what got a 2xx reaches Meta once."""

import asyncio
import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from tests.support.customer import await_accepted, open_customer, until
from tests.support.program import PATIENCE_S, Place, Program

from trackai.storage.embedded import start_embedded

if TYPE_CHECKING:
    from trackai.sandbox.meta import MetaSandbox

Meta = tuple["MetaSandbox", str]

SALES = 12
# Enough that a signal sent in the middle falls into the middle.
MANY = 300
# A stopped clock is not to be had across processes: the time that a dead worker's lease lasts is
# made to pass by moving the lease's end.
LEASES_RUN_OUT = "update queue_messages set run_at = now() where lease is not null"
RECEIPTS = "select count(*) as number from webhook_receipts"


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("kind", ["http_500", "http_503_html", "answer_lost", "truncated_json"])
async def test_a_failing_meta_only_delays(
    place: Place, meta: Meta, http: aiohttp.ClientSession, stack: ExitStack, kind: str
) -> None:
    customer = await open_customer(place, *meta)
    customer.meta.script_fault(kind, times=2)
    program = stack.enter_context(place.start("up", "--port", "0"))
    sold = await customer.sell(http, program.wait_for("up")["address"], "kiwify", SALES)
    await await_accepted(customer, sold)
    await until(lambda: _all_settled(program, sold), "every delivery recorded as accepted")

    assert len(sold) == SALES
    assert {"deferred", "accepted"} == {
        line["outcome"] for line in program.said() if line.get("event") == "delivery.attempted"
    }


def _all_settled(program: Program, sold: list[str]) -> bool:
    accepted = {
        line["event_id"]
        for line in program.said()
        if line.get("event") == "delivery.attempted" and line["outcome"] == "accepted"
    }
    return accepted == set(sold)


@pytest.mark.xdist_group("faults")
async def test_an_expired_token_holds_events_until_a_new_one_is_set(
    place: Place, meta: Meta, http: aiohttp.ClientSession, stack: ExitStack
) -> None:
    customer = await open_customer(place, *meta)
    customer.meta.script_fault("token_expired", times=None, match=customer.pixel.pixel_id)
    program = stack.enter_context(place.start("up", "--port", "0"))
    sold = await customer.sell(http, program.wait_for("up")["address"], "hotmart", SALES)
    await until(lambda: _reasons(program) == {"token_refused"}, "a refused token")
    held = customer.accepted()
    customer.meta.reset()
    customer.meta.add_dataset(customer.pixel.pixel_id)
    customer.meta.add_token("EAAnewtoken", datasets=[customer.pixel.pixel_id])
    arguments = ("destination", "token", str(customer.tenant.id), str(customer.pixel.id))
    place.json(*arguments, "--token", "EAAnewtoken")
    await await_accepted(customer, sold)

    assert held == []
    assert "EAAnewtoken" not in program.log.read_text()


def _reasons(program: Program) -> set[str | None]:
    return {line["reason"] for line in program.said() if line.get("event") == "delivery.attempted"}


@pytest.mark.xdist_group("faults")
async def test_one_event_that_meta_refuses_does_not_take_the_others_along(
    place: Place, meta: Meta, http: aiohttp.ClientSession, stack: ExitStack
) -> None:
    customer = await open_customer(place, *meta)
    bad = customer.sale("perfectpay")
    event_id = f"perfectpay:{bad.transaction}"
    customer.meta.script_fault("bad_event", times=None, event_id=event_id)
    server = stack.enter_context(place.start("serve", "--port", "0"))
    base = server.wait_for("serving")["address"]
    await customer.tell(http, base, "perfectpay", bad)
    sold = await customer.sell(http, base, "perfectpay", SALES)
    # Only now, so that all of them are sent together.
    worker = stack.enter_context(place.start("worker"))
    await await_accepted(customer, sold)
    await until(lambda: _next_of(worker, event_id) == {"DeadLetter"}, "the bad event given up")

    assert event_id not in {event.event_id for event in customer.accepted()}
    dead = place.json("deliveries", "list", str(customer.tenant.id), "--status", "dead")
    assert [event_id] == [row["event_id"] for row in dead]
    assert dead[0]["reason"]


def _next_of(program: Program, event_id: str) -> set[str]:
    return {
        line["next"]
        for line in program.said()
        if line.get("event") == "delivery.attempted" and line["event_id"] == event_id
    }


# Ends --------------------------------------------------------------------------------------------


@pytest.mark.xdist_group("ends")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
async def test_a_server_that_ends_under_load_keeps_what_it_acknowledged(
    place: Place,
    meta: Meta,
    http: aiohttp.ClientSession,
    stack: ExitStack,
    number: signal.Signals,
) -> None:
    customer = await open_customer(place, *meta)
    server = stack.enter_context(place.start("serve", "--port", "0"))
    base = server.wait_for("serving")["address"]

    def end_in_the_middle(done: int) -> None:
        if done == MANY // 3:
            server.process.send_signal(number)

    sold = await customer.sell(http, base, "kiwify", MANY, after=end_in_the_middle)
    status = await asyncio.to_thread(server.process.wait, PATIENCE_S)
    stored = await place.rows(RECEIPTS)
    stack.enter_context(place.start("worker"))
    await await_accepted(customer, sold)

    # One that is told to end may have time to answer the rest; one that is killed has not.
    assert MANY // 4 < len(sold) < MANY + (number is signal.SIGTERM)
    assert stored[0]["number"] >= len(sold)
    assert status == (0 if number is signal.SIGTERM else -number)


@pytest.mark.xdist_group("ends")
async def test_a_worker_told_to_end_finishes_what_is_in_flight(
    place: Place, meta: Meta, http: aiohttp.ClientSession, stack: ExitStack
) -> None:
    customer = await open_customer(place, *meta)
    server = stack.enter_context(place.start("serve", "--port", "0"))
    sold = await customer.sell(http, server.wait_for("serving")["address"], "kiwify", MANY)
    worker = stack.enter_context(place.start("worker"))
    await until(lambda: len(customer.accepted()) > 0, "a first event at Meta")
    status = await asyncio.to_thread(worker.end)
    unsettled = await place.rows(
        "select count(*) as number from queue_messages where lease is not null"
    )
    stack.enter_context(place.start("worker"))
    await await_accepted(customer, sold)

    assert status == 0
    assert unsettled[0]["number"] == 0
    assert customer.meta.duplicates == []


@pytest.mark.xdist_group("ends")
async def test_a_worker_killed_while_meta_has_its_request_is_succeeded_by_another(
    place: Place, meta: Meta, http: aiohttp.ClientSession, stack: ExitStack
) -> None:
    customer = await open_customer(place, *meta)
    customer.meta.script_fault("timeout", times=None, seconds=30)
    server = stack.enter_context(place.start("serve", "--port", "0"))
    sold = await customer.sell(http, server.wait_for("serving")["address"], "stripe", SALES)
    first = stack.enter_context(place.start("worker"))
    await until(lambda: customer.meta.summary()["requests"] > 0, "a request on its way")
    first.end(signal.SIGKILL)
    before = customer.accepted()
    customer.meta.clear_faults()
    await place.forget_workers()
    stack.enter_context(place.start("worker"))
    await await_accepted(customer, sold)

    assert before == []
    assert len(customer.accepted()) == SALES


@pytest.mark.xdist_group("embedded")
@pytest.mark.parametrize("victim", ["program", "database"])
async def test_a_killed_installation_comes_back_with_everything(
    embedded_place: Place,
    meta: Meta,
    http: aiohttp.ClientSession,
    stack: ExitStack,
    victim: str,
) -> None:
    place, data = embedded_place, embedded_place.directory / "data"
    place.run("tenant", "list")  # tells on stderr that it made a database
    with start_embedded(data) as server:
        here = Place(place.directory, server.url, place.key)
        customer = await open_customer(here, *meta)
    program = stack.enter_context(place.start("up", "--port", "0"))
    base = program.wait_for("up")["address"]

    def kill_in_the_middle(done: int) -> None:
        if done == MANY // 3:
            target = program.process.pid if victim == "program" else _server_pid(data)
            os.kill(target, signal.SIGKILL)

    sold = await customer.sell(http, base, "hotmart", MANY, after=kill_in_the_middle)
    program.end(signal.SIGKILL)
    again = stack.enter_context(place.start("up", "--port", "0"))
    again.wait_for("up")
    with start_embedded(data) as server:
        await Place(place.directory, server.url, place.key).rows(LEASES_RUN_OUT)
    await await_accepted(customer, sold)

    assert len(sold) >= MANY // 4
    assert again.end() == 0


def _server_pid(data: Path) -> int:
    with start_embedded(data) as server:
        return server.pid


@pytest.mark.xdist_group("embedded")
async def test_an_embedded_database_that_is_killed_is_started_again(
    embedded_place: Place, meta: Meta, http: aiohttp.ClientSession, stack: ExitStack
) -> None:
    place, data = embedded_place, embedded_place.directory / "data"
    place.run("tenant", "list")
    with start_embedded(data) as server:
        customer = await open_customer(Place(place.directory, server.url, place.key), *meta)
    program = stack.enter_context(place.start("up", "--port", "0"))
    base = program.wait_for("up")["address"]
    before = await customer.sell(http, base, "kiwify", 1)
    os.kill(_server_pid_of(data), signal.SIGKILL)
    await asyncio.to_thread(program.wait_for, "database.restarted")
    after = await customer.sell(http, base, "hotmart", SALES)
    await await_accepted(customer, before + after)

    assert len(after) == SALES
    assert program.end() == 0


def _server_pid_of(data: Path) -> int:
    """Return the server's process without joining it, which would start a dead one."""
    (file,) = data.rglob("postmaster.pid")
    return int(file.read_text().splitlines()[0])
