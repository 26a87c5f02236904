"""Webhooks of a gateway that is off: kept and answered 200, or as if there were no address."""

import json
from typing import TYPE_CHECKING

import pytest
from tests.ingest.conftest import TOKEN

from trackai.flags.setting import Change, FlagSetting
from trackai.flags.switches import FOUND_S
from trackai.model.alarm import INSTALLATION
from trackai.model.clock import new_id
from trackai.model.flag import OffMode
from trackai.model.tenant import Secret
from trackai.storage.audit_logs import Scribe
from trackai.storage.receipts import TABLE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from tests.ingest.conftest import BuildWorld, World

PERFECTPAY = "gateway.perfectpay"
RECEIPTS = "select * from webhook_receipts where tenant_id = $1 order by id"
REJECTIONS = "select * from webhook_rejections where tenant_id = $1"


def sale(token: str = TOKEN) -> bytes:
    body = {"token": token, "code": f"PPCP{new_id().hex}", "sale_status_enum": 2}
    return json.dumps(body, indent=3).encode()


async def say(
    world: "World", change: Change, *, owner: "UUID | None" = None, heard: bool = True
) -> None:
    """Say something of the flag, of the world's tenant unless another owner is named."""
    scribe = Scribe(owner or world.tenant.id, "cli:ana", world.clock, new_id)
    await FlagSetting(world.people, world.clock, scribe, [PERFECTPAY]).change(PERFECTPAY, change)
    if heard:
        world.edge._directory.switches._read_at -= FOUND_S


@pytest.fixture
async def everybodys_end(world: "World") -> "AsyncIterator[None]":
    """Let nothing count for everybody after the test: others share its database."""
    yield
    scribe = Scribe(INSTALLATION, "cli:ana", world.clock, new_id)
    await FlagSetting(world.people, world.clock, scribe, [PERFECTPAY]).clear(PERFECTPAY)


async def test_one_that_stores_takes_the_webhook_as_ever(world: "World") -> None:
    await say(world, Change(percent=0, off_mode=OffMode.STORE))
    body = sale()
    reply = await world.webhook(body)
    again = await world.webhook(body)
    forged = await world.webhook(sale("perfectpay-token-of-somebody-else"))

    (row,) = await world.rows(RECEIPTS)
    kept = world.envelope.open(row["body_sealed"], table=TABLE, tenant_id=world.tenant.id)
    assert (200, {"receipt_id": str(row["id"]), "repeat": False}) == (reply.status, reply.json)
    assert (200, True, 401) == (again.status, again.json["repeat"], forged.status)
    assert body == kept


async def test_one_that_turns_away_answers_as_if_there_were_no_address(world: "World") -> None:
    await say(world, Change(percent=0, off_mode=OffMode.REJECT))
    nowhere = await world.call("POST", "/api/v1/webhooks/perfectpay/keyofnobody", sale())
    proved = await world.webhook(sale())
    forged = await world.webhook(sale("perfectpay-token-of-somebody-else"))
    keyless = await world.call(
        "POST", "/api/v1/webhooks/perfectpay", sale(), x_tenant_id=str(world.tenant.id)
    )

    told = {(one.status, one.text) for one in (nowhere, proved, forged, keyless)}
    assert {404} == {status for status, _ in told}
    assert 1 == len(told)
    assert ([], []) == (await world.rows(RECEIPTS), await world.rows(REJECTIONS))


async def test_another_tenant_is_not_turned_away(world: "World", build: "BuildWorld") -> None:
    other = await build()
    await say(world, Change(percent=0, off_mode=OffMode.REJECT))

    assert (404, 200) == (
        (await world.webhook(sale())).status,
        (await other.webhook(sale())).status,
    )


async def test_one_that_is_on_again_takes_webhooks(world: "World") -> None:
    await say(world, Change(percent=0, off_mode=OffMode.REJECT))
    off = await world.webhook(sale())
    await say(world, Change(percent=100))

    assert (404, 200) == (off.status, (await world.webhook(sale())).status)


async def test_a_change_is_not_asked_for_with_every_webhook(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    switches = world.edge._directory.switches
    moment = switches._monotonic()
    monkeypatch.setattr(switches, "_monotonic", lambda: moment)
    first = await world.webhook(sale())
    await say(world, Change(percent=0, off_mode=OffMode.REJECT), heard=False)
    soon = await world.webhook(sale())
    switches._read_at -= FOUND_S

    assert (200, 200) == (first.status, soon.status)
    assert 404 == (await world.webhook(sale())).status


@pytest.mark.usefixtures("everybodys_end")
@pytest.mark.parametrize(("mode", "status"), [(OffMode.STORE, 200), (OffMode.REJECT, 404)])
async def test_the_kill_switch_is_for_everybody(world: "World", mode: OffMode, status: int) -> None:
    await say(world, Change(percent=100))
    await say(world, Change(killed=True, off_mode=mode), owner=INSTALLATION)

    assert status == (await world.webhook(sale())).status


async def test_pages_are_heard_all_the_same(world: "World") -> None:
    await say(world, Change(percent=0, off_mode=OffMode.REJECT))

    assert 201 == (await world.track("pageview", {"event_id": "one"})).status


async def test_an_old_secret_opens_nothing_that_is_turned_away(world: "World") -> None:
    world.connection = await world.connect(Secret(TOKEN), Secret("perfectpay-token-before"))
    await say(world, Change(percent=0, off_mode=OffMode.REJECT))

    assert 404 == (await world.webhook(sale("perfectpay-token-before"))).status
