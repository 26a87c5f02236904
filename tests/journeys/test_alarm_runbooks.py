"""The commands of every alarm's runbook, as they stand there, in an installation that works."""

import asyncio
import json
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

import aiohttp
import pytest
from tests.journeys.test_runbooks import _steps
from tests.support.customer import SECRETS, await_accepted, open_customer

from trackai.alarms.catalogue import ALARMS

if TYPE_CHECKING:
    from tests.support.program import Place

    from trackai.sandbox.meta import MetaSandbox

# These two are followed in their own trouble.
OTHERS = {"dlq-troubleshooting", "circuit-breaker-trip"}
PAGES = sorted({one.page for one in ALARMS.values()} - OTHERS)
# An installation is never quite well: the doctor says so by its exit status.
MAY_FAIL = {"doctor"}
# Lists that are the same in every installation. Tasks of backups are another one's.
LISTS = (["alarms", "list"], ["jobs", "list"])
OF_ANOTHER = {"backup-old"}


def _head(output: str) -> list[str]:
    """Return what does not depend on whose installation it is: a meaning, a table's names."""
    lines = output.splitlines()
    if len(lines) > 1 and lines[1].startswith("title "):
        # Somebody may have set another threshold for what stands in the runbook.
        whole = lines[: lines.index("")] if "" in lines else lines
        return [line for line in whole if not line.startswith("fires ")]
    # A table's names; a sentence says that there is nothing to show.
    named = bool(lines) and not re.search(r"\d|\.$", lines[0])
    return lines[:1] if named else []


def _cells(output: str) -> list[list[str]]:
    """Return a table's lines below its head, cell by cell."""
    return [re.split(r"\s{2,}", line) for line in output.splitlines()[1:]]


def _differs(command: list[str], stands: str, said: str) -> set[str]:
    """Return what stands in only one of them: of alarms, tasks, and checks that found no fault."""
    if command in LISTS:
        listed = [{cells[0] for cells in _cells(output)} for output in (stands, said)]
        return listed[0] ^ listed[1]
    if command[0] == "doctor":
        shown = {_kind(cells[0]) for cells in _cells(stands)}
        return {_kind(name) for name, state, *_ in _cells(said) if state == "ok"} - shown
    return set()


def _kind(check: str) -> str:
    """Return what a check is of: `breakers` where all are well, `breaker of` one where not."""
    return check.split(maxsplit=1)[0].removesuffix("s")


@pytest.mark.xdist_group("runbooks")
async def test_every_command_of_every_runbook_works(
    place: "Place", meta: tuple["MetaSandbox", str], http: aiohttp.ClientSession, stack: ExitStack
) -> None:
    customer = await open_customer(place, *meta)
    program = stack.enter_context(place.start("up", "--port", "0"))
    base = await asyncio.to_thread(program.wait_for, "up")
    await await_accepted(customer, await customer.sell(http, base["address"], "kiwify", 2))
    tenant = str(customer.tenant.id)
    for name, *whose in (("On call",), ("Ana", "--tenant", tenant)):
        place.json("alarms", "routes", "add", "email", name, "--address", "ops@example.com", *whose)
    (connection,) = (
        row for row in place.json("gateway", "list", tenant) if row["gateway"] == "kiwify"
    )
    (sale, *_) = place.json("conversions", "list", tenant)
    words = {
        "TENANT": tenant,
        "DESTINATION": str(customer.pixel.id),
        "CONNECTION": connection["connection_id"],
        "SALE": str(sale["conversion_id"]),
    }
    variables = {
        "TRACKAI_GATEWAY_SECRET": SECRETS["kiwify"],
        "TRACKAI_DESTINATION_TOKEN": customer.pixel.token,
    }
    turns = asyncio.Semaphore(3)

    async def follow(page: str, command: list[str], stands: str) -> None:
        arguments = [words.get(part, part) for part in command]
        async with turns:
            done = await asyncio.to_thread(place.run, *arguments, **variables)
        assert done.returncode == 0 or command[0] in MAY_FAIL, (page, command, done.stderr)
        said = [line.split() for line in _head(done.stdout)]
        assert [line.split() for line in _head(stands)] == said or not said, (page, command)
        if page not in OF_ANOTHER:
            assert set() == _differs(command, stands, done.stdout), (page, command)
        if command[:2] == ["alarms", "drill"]:
            assert json.loads(stands.splitlines()[-1]) == json.loads(done.stdout.splitlines()[-1])

    steps = [(page, *step) for page in PAGES for step in _steps(f"{page}.md")]
    await asyncio.gather(*(follow(*step) for step in steps))

    assert {page for page, *_ in steps} == set(PAGES)
    assert all(
        ["alarms", "drill"] in [step[1][:2] for step in steps if step[0] == p] for p in PAGES
    )
