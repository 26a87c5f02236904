"""The same parts as separate processes: several servers, several workers, one database."""

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from tests.support.program import PATIENCE_S

from trackai.storage.envelope import new_key_text

if TYPE_CHECKING:
    from tests.support.program import Place

    from trackai.sandbox.meta import MetaSandbox

from tests.support.customer import await_accepted, open_customer

SALES = 60
GATEWAYS = ("perfectpay", "hotmart", "kiwify", "stripe")


@pytest.mark.xdist_group("scale")
async def test_two_servers_and_two_workers_lose_and_double_nothing(
    place: "Place", meta: tuple["MetaSandbox", str], http: aiohttp.ClientSession, stack: ExitStack
) -> None:
    customer = await open_customer(place, *meta)
    server = stack.enter_context(place.start("serve", "--workers", "2", "--port", "0"))
    workers = [stack.enter_context(place.start("worker")) for _ in range(2)]
    base = server.wait_for("serving")["address"]
    for worker in workers:
        worker.wait_for("working")
    sold = [
        event_id
        for gateway in GATEWAYS
        for event_id in await customer.sell(http, base, gateway, SALES)
    ]
    again = customer.sale("hotmart")
    for _ in range(20):
        await customer.tell(http, base, "hotmart", again)
    await await_accepted(customer, [*sold, f"hotmart:{again.transaction}"])

    assert len(sold) == SALES * len(GATEWAYS)
    assert len(customer.accepted()) == len(sold) + 1
    assert customer.meta.duplicates == []
    assert [0, 0, 0] == [one.end() for one in (server, *workers)]


def _processes_of(leader: int) -> list[int]:
    """Return the Python processes that a `serve` started."""
    found = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
    return [int(pid) for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.xdist_group("scale")
def test_a_server_process_that_dies_ends_them_all_with_an_error(
    place: "Place", stack: ExitStack
) -> None:
    server = stack.enter_context(place.start("serve", "--workers", "3", "--port", "0"))
    server.wait_for("serving")
    first, second = _processes_of(server.process.pid)
    os.kill(first, signal.SIGKILL)
    status = server.process.wait(PATIENCE_S)

    assert status == 1
    assert "process_died" in server.log.read_text()
    assert not Path(f"/proc/{second}").exists()


@pytest.mark.xdist_group("scale")
def test_server_processes_do_not_outlive_the_one_that_started_them(
    place: "Place", stack: ExitStack
) -> None:
    server = stack.enter_context(place.start("serve", "--workers", "2", "--port", "0"))
    port = server.wait_for("serving")["address"].rpartition(":")[2]
    (sibling,) = _processes_of(server.process.pid)
    server.end(signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{sibling}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    again = stack.enter_context(place.start("serve", "--port", port))

    assert again.wait_for("serving")["address"].endswith(port)


@pytest.mark.parametrize("command", ["serve", "worker", "up"])
def test_a_wrong_key_stops_the_start(place: "Place", command: str) -> None:
    place.json("tenant", "create", "Loja")
    place.json("gateway", "connect", "Loja", "kiwify", "--secret", "s" * 20)
    port = [] if command == "worker" else ["--port", "0"]
    done = place.run(command, *port, TRACKAI_SECRET_KEY=new_key_text())

    assert done.returncode == 2
    assert "TRACKAI_SECRET_KEY is not the key" in done.stderr
