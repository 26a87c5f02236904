"""The runbooks' commands, as they stand there, in the trouble that they are for."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from tests.support.customer import Customer, await_accepted, open_customer, until

if TYPE_CHECKING:
    from tests.support.program import Place, Program

    from trackai.sandbox.meta import MetaSandbox

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
BLOCK = re.compile(r"```console\n\$ trackai (.+)\n((?:.*\n)*?)```")


def _steps(name: str) -> list[tuple[list[str], str]]:
    """Return a runbook's commands, each with the first line of the output that stands there."""
    text = (RUNBOOKS / name).read_text()
    return [(command.split(), output.splitlines()[0]) for command, output in BLOCK.findall(text)]


async def _follow(
    place: "Place",
    name: str,
    words: Mapping[str, str],
    *,
    before: Mapping[int, Callable[[], Awaitable[None]]] | None = None,
    **variables: str,
) -> None:
    """Give every command; each must succeed and begin as it does in the runbook."""
    for number, (command, begins) in enumerate(_steps(name)):
        if before and number in before:
            await before[number]()
        arguments = [words.get(part, part) for part in command]
        done = await asyncio.to_thread(place.run, *arguments, **variables)
        assert done.returncode == 0, (command, done.stderr)
        said = done.stdout.splitlines()[0].split()
        assert said[0] == begins.split()[0], (command, said)
        if not re.search(r"\d", begins):  # a table's head, or a sentence
            assert said == begins.split(), command


@pytest.fixture
async def customer(place: "Place", meta: tuple["MetaSandbox", str]) -> Customer:
    return await open_customer(place, *meta)


@pytest.mark.xdist_group("runbooks")
async def test_dead_letters(
    place: "Place", customer: Customer, http: aiohttp.ClientSession, stack: ExitStack
) -> None:
    bad = [customer.sale("kiwify") for _ in range(3)]
    ids = [f"kiwify:{sale.transaction}" for sale in bad]
    for one in ids:
        customer.meta.script_fault("bad_event", times=None, event_id=one)
    program = stack.enter_context(place.start("up", "--port", "0"))
    base = program.wait_for("up")["address"]
    for sale in bad:
        await customer.tell(http, base, "kiwify", sale)
    await until(lambda: len(_ended(program, "DeadLetter")) == 3, "three dead letters")
    customer.meta.clear_faults()
    (first, *_) = place.json("dlq", "list", str(customer.tenant.id))
    words = {"TENANT": str(customer.tenant.id), "DELIVERY": str(first["id"])}
    await _follow(place, "dlq-troubleshooting.md", words)

    assert set(ids) == {event.event_id for event in customer.accepted()}


def _ended(program: "Program", how: str) -> set[str]:
    return {line["event_id"] for line in program.said() if line.get("next") == how}


@pytest.mark.xdist_group("runbooks")
async def test_an_open_breaker(
    place: "Place", customer: Customer, http: aiohttp.ClientSession, stack: ExitStack
) -> None:
    pixel = customer.pixel.pixel_id
    customer.meta.script_fault("token_expired", times=None, match=pixel)
    program = stack.enter_context(place.start("up", "--port", "0"))
    sold = await customer.sell(http, program.wait_for("up")["address"], "hotmart", 4)
    await asyncio.to_thread(program.wait_for, "breaker.open")
    held = place.json("destination", "list", str(customer.tenant.id))
    customer.meta.add_token("EAAnew", datasets=[pixel])

    async def well() -> None:
        customer.meta.clear_faults()

    async def sent() -> None:
        await await_accepted(customer, sold)
        await until(lambda: len(_ended(program, "Done")) == len(sold), "all recorded")

    await _follow(
        place,
        "circuit-breaker-trip.md",
        {"TENANT": str(customer.tenant.id), "DESTINATION": str(customer.pixel.id)},
        before={2: well, 3: sent},
        TRACKAI_DESTINATION_TOKEN="EAAnew",
    )

    assert [row["breaker"] for row in held] == ["open"]
