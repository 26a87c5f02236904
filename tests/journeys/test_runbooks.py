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
# Lines that depend on when somebody looked.
PROGRESS = re.compile(r"waiting \d+  under way|waits: ")
BLOCK = re.compile(r"```console\n\$ trackai (.+)\n((?:.*\n)*?)```")


def _steps(name: str) -> list[tuple[list[str], str]]:
    """Return a runbook's commands, each with the output that stands there."""
    text = (RUNBOOKS / name).read_text()
    return [(command.split(), output) for command, output in BLOCK.findall(text)]


def _shape(output: str) -> list[str]:
    """Return what must be alike: each line's first word, whatever the figures and ids."""
    lines = [line.split() for line in output.splitlines() if not PROGRESS.match(line)]
    firsts = [words[0] if words else "" for words in lines]
    return ["#" if re.search(r"\d", first) else first for first in firsts]


async def _follow(
    place: "Place",
    name: str,
    words: Mapping[str, str],
    *,
    before: Mapping[int, Callable[[], Awaitable[None]]] | None = None,
    **variables: str,
) -> None:
    """Give every command; each must succeed and print the same lines as the runbook."""
    for number, (command, stands) in enumerate(_steps(name)):
        if before and number in before:
            await before[number]()
        arguments = [words.get(part, part) for part in command]
        done = await asyncio.to_thread(place.run, *arguments, **variables)
        assert done.returncode == 0, (command, done.stderr)
        assert _shape(done.stdout) == _shape(stands), command
        said, begins = done.stdout.splitlines()[0].split(), stands.splitlines()[0]
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


def _processed(program: "Program") -> int:
    return sum(line.get("event") == "receipt.processed" for line in program.said())


@pytest.mark.xdist_group("runbooks")
async def test_an_open_breaker(
    place: "Place", customer: Customer, http: aiohttp.ClientSession, stack: ExitStack
) -> None:
    pixel = customer.pixel.pixel_id
    customer.meta.script_fault("token_expired", times=None, match=pixel)
    program = stack.enter_context(place.start("up", "--port", "0"))
    sold = await customer.sell(http, program.wait_for("up")["address"], "hotmart", 4)
    await asyncio.to_thread(program.wait_for, "breaker.open")
    await until(lambda: _processed(program) == len(sold), "all owed")
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
