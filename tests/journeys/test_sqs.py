"""The whole way over Amazon SQS, at a stand-in that speaks its protocol; small numbers."""

import asyncio
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import aiohttp
import pytest
from tests.support.customer import await_accepted, open_customer, until

from trackai.queue.sqs_client import LONG_POLL_S

if TYPE_CHECKING:
    from tests.support.program import Place

    from trackai.sandbox.meta import MetaSandbox

SALES = 15


@pytest.fixture
def sqs_place(place: "Place", amazon: dict[str, str]) -> "Place":
    """Return an installation whose queue is at Amazon."""
    place.variables |= amazon | {
        "TRACKAI_QUEUE": "sqs",
        "TRACKAI_SQS_QUEUE": f"capi-{place.directory.name}",
        "TRACKAI_SQS_DEAD_QUEUE": f"capi-{place.directory.name}-dlq",
    }
    return place


@pytest.mark.xdist_group("sqs")
async def test_a_sale_goes_over_sqs(
    sqs_place: "Place",
    meta: tuple["MetaSandbox", str],
    http: aiohttp.ClientSession,
    stack: ExitStack,
) -> None:
    made = sqs_place.json("queue", "create")
    customer = await open_customer(sqs_place, *meta)
    program = stack.enter_context(sqs_place.start("up", "--port", "0"))
    sold = await customer.sell(http, program.wait_for("up")["address"], "kiwify", SALES)
    await await_accepted(customer, sold)

    assert len(made) == 2
    assert len(sold) == SALES
    assert customer.meta.duplicates == []
    assert program.end() == 0


@pytest.mark.xdist_group("sqs")
async def test_a_killed_worker_loses_nothing_that_is_in_sqs(
    sqs_place: "Place",
    meta: tuple["MetaSandbox", str],
    http: aiohttp.ClientSession,
    stack: ExitStack,
) -> None:
    sqs_place.json("queue", "create")
    customer = await open_customer(sqs_place, *meta)
    server = stack.enter_context(sqs_place.start("serve", "--port", "0"))
    customer.meta.script_fault("timeout", times=None, seconds=30)
    sold = await customer.sell(http, server.wait_for("serving")["address"], "hotmart", SALES)
    first = stack.enter_context(sqs_place.start("worker"))
    await until(lambda: customer.meta.summary()["requests"] > 0, "a request on its way")
    first.end(signal.SIGKILL)
    customer.meta.clear_faults()
    # The dead worker's long poll goes on at SQS and may swallow references for a visibility.
    await asyncio.sleep(LONG_POLL_S + 1)
    await sqs_place.forget_workers()
    stack.enter_context(sqs_place.start("worker"))
    await await_accepted(customer, sold)

    assert len(sold) == SALES


@pytest.mark.xdist_group("sqs")
def test_a_worker_without_its_queues_says_how_to_make_them(sqs_place: "Place") -> None:
    sqs_place.json("tenant", "list")
    done = sqs_place.run("worker")

    assert done.returncode == 2
    assert "trackai queue create" in done.stderr


@pytest.mark.xdist_group("sqs")
def test_without_aws_settings_the_error_names_them(sqs_place: "Place") -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        sqs_place.variables.pop(name)
    done = sqs_place.run("queue", "create")

    assert done.returncode == 2
    assert "AWS_DEFAULT_REGION" in done.stderr
