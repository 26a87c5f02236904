"""The doctor finds what is wrong and says what to do."""

import asyncio
import datetime as dt
import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from tests.conftest import Serve
    from tests.support.program import Place

from trackai.ingest.spool import SEGMENT, SET_ASIDE, SPOOL
from trackai.model.clock import SystemClock, new_id
from trackai.sandbox.meta import MetaSandbox
from trackai.storage.envelope import new_key_text
from trackai.storage.pool import Role
from trackai.storage.receipts import (
    NewReceipt,
    ReceiptState,
    RequestParts,
    claim_receipt_all_tenants,
    finish_receipt,
    insert_receipts,
)
from trackai.storage.rejections import insert_rejection

TRACKAI = Path(sys.executable).with_name("trackai")
PIXEL, TOKEN = "123456789012345", "EAAtoken0123456789"


def findings(place: "Place", *more: str, **variables: str) -> tuple[int, dict[str, Any]]:
    done = place.run("doctor", "--json", *more, **variables)
    return done.returncode, {one["check"]: one for one in json.loads(done.stdout)}


def test_an_empty_installation_is_healthy_but_has_nothing_to_do(place: "Place") -> None:
    status, found = findings(place)

    assert status == 0
    assert found["settings"]["state"] == "ok"
    assert "failed" not in {one["state"] for one in found.values()}


def test_every_finding_that_is_not_well_says_what_to_do(place: "Place") -> None:
    place.json("tenant", "create", "Loja")
    place.json("gateway", "connect", "Loja", "hotmart")
    _, found = findings(place)
    ill = [one for one in found.values() if one["state"] != "ok"]

    assert ill
    assert all(one["to_do"] for one in ill)


def test_a_machine_whose_list_of_time_zones_is_another_is_a_finding(
    place: "Place", tmp_path: Path
) -> None:
    place.json("tenant", "create", "Loja")
    place.json("tenant", "create", "Filial", "--time-zone", "America/Manaus")
    # Brazil changes its clocks, and nobody updated the machine.
    (tmp_path / "America").mkdir()
    old = files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "America" / "Sao_Paulo").write_bytes(old)
    _, alike = findings(place, "--offline")
    # A process of its own: others have read the list already.
    done = subprocess.run(  # noqa: S603 - our own program
        [TRACKAI, "doctor", "--offline", "--json"],
        env=place.environment | {"PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = {one["check"]: one for one in json.loads(done.stdout)}
    ill = found["time zone America/Sao_Paulo"]

    assert alike["time zones"]["state"] == "ok"
    assert (1, "failed") == (done.returncode, ill["state"])
    assert ill["found"].endswith("the zone of Loja")
    assert "tzdata" in ill["to_do"]
    assert "time zone America/Manaus" not in found


def test_a_secret_that_is_not_where_it_is_said_to_be_is_a_finding(
    place: "Place", tmp_path: Path
) -> None:
    (tmp_path / "there").write_text("made-up-secret")
    place.json("tenant", "create", "Loja")
    for gateway, name in (("hotmart", "gone"), ("kiwify", "there")):
        place.json("gateway", "connect", "Loja", gateway, "--secret-from", f"file:{name}")
    _, found = findings(place, "--offline", TRACKAI_SECRETS_DIR=str(tmp_path))
    status, asked = findings(place, TRACKAI_SECRETS_DIR=str(tmp_path))

    assert "hotmart of Loja" not in found
    assert (1, "failed") == (status, asked["hotmart of Loja"]["state"])
    assert "file:gone" in asked["hotmart of Loja"]["found"]
    assert "kiwify of Loja" not in asked


def test_a_connection_without_secret_is_a_finding_with_the_command(place: "Place") -> None:
    tenant = place.json("tenant", "create", "Loja")
    connection = place.json("gateway", "connect", "Loja", "hotmart")
    status, found = findings(place)
    ill = found["hotmart of Loja"]

    assert (1, "failed") == (status, ill["state"])
    ids = f"{tenant['tenant_id']} {connection['connection_id']}"
    assert ill["to_do"].endswith(f"trackai gateway secret {ids}")


def test_wrong_settings_are_a_finding(place: "Place") -> None:
    status, found = findings(place, TRACKAI_PORT="x")

    assert status == 1
    assert "TRACKAI_PORT" in found["settings"]["found"]


def test_a_database_that_is_away_is_a_finding(place: "Place") -> None:
    url = "postgresql://nobody:hunter2@127.0.0.1:1/nowhere"
    status, found = findings(place, TRACKAI_DATABASE_URL=url)

    assert status == 1
    assert found["database"]["state"] == "failed"
    assert "hunter2" not in str(found)


async def test_a_token_is_asked_about_at_its_platform(place: "Place", serve: "Serve") -> None:
    meta = MetaSandbox(SystemClock())
    meta.add_dataset(PIXEL)
    meta.add_token(TOKEN, datasets=[PIXEL])
    url = await serve(meta)

    def look() -> tuple[int, str]:
        done = place.run("doctor", "--json")
        return done.returncode, done.stdout

    await asyncio.to_thread(place.json, "tenant", "create", "Loja")
    connect = ("destination", "connect", "Loja", "meta", "--pixel", PIXEL, "--token", TOKEN)
    await asyncio.to_thread(place.json, *connect, "--api-url", url)
    well = await asyncio.to_thread(look)
    meta.reset()
    ill = await asyncio.to_thread(look)

    assert [0, 1] == [well[0], ill[0]]
    assert TOKEN not in well[1] + ill[1]


def test_what_went_wrong_lately_is_a_finding_with_the_command(place: "Place") -> None:
    tenant = place.json("tenant", "create", "Loja")
    asyncio.run(_go_wrong(place, UUID(tenant["tenant_id"])))
    _, found = findings(place)

    assert found["rejected webhooks of Loja"]["found"].endswith("today: signature_mismatch 2")
    assert "1 webhooks could not" in found["failed receipts of Loja"]["found"]
    for check in ("rejected webhooks of Loja", "failed receipts of Loja"):
        assert tenant["tenant_id"] in found[check]["to_do"]


async def _go_wrong(place: "Place", tenant_id: UUID) -> None:
    here, now = place.here(), SystemClock().now()
    async with here.onboarding() as onboarding:
        connection = await onboarding.connect_gateway(tenant_id, "kiwify", "s" * 20)

    def receipt(body: bytes) -> NewReceipt:
        return NewReceipt(
            tenant_id=tenant_id,
            id=new_id(),
            connection_id=connection.id,
            gateway="kiwify",
            received_at=now,
            body=body,
            request=RequestParts(headers={}, query=""),
        )

    async with here.database(Role.INGEST) as database, database.transaction() as tx:
        for number in range(2):
            await insert_rejection(
                tx,
                here.envelope,
                receipt(b"%d" % number),
                reason="signature_mismatch",
                keyless=False,
                expires_at=now + dt.timedelta(days=1),
            )
        await insert_receipts(tx, here.envelope, [receipt(b"not JSON")])
    async with here.database(Role.PIPELINE) as database, database.transaction() as tx:
        claimed = await claim_receipt_all_tenants(tx, now=now)
        assert claimed is not None
        await finish_receipt(tx, claimed, ReceiptState.FAILED, reason="unreadable", now=now)


def test_a_wrong_key_is_one_finding_with_what_to_do(place: "Place") -> None:
    place.json("tenant", "create", "Loja")
    place.json("gateway", "connect", "Loja", "kiwify", "--secret", "s" * 20)
    status, found = findings(place, TRACKAI_SECRET_KEY=new_key_text())

    assert status == 1
    assert "TRACKAI_SECRET_KEY is not the key" in found["key"]["found"]
    assert [one["check"] for one in found.values() if one["state"] == "failed"] == ["key"]


BREAKER = """
insert into breakers (tenant_id, destination_id, state, failures, openings, since, reason, retry_at)
values ($1, $2, 'open', 1, 1, now(), 'token_refused', now() + interval '1 minute')
"""
HOST_BREAKER = """
insert into host_breakers (host, state, failures, openings, since, reason, retry_at)
values ('graph.facebook.com', 'open', 5, 1, now(), 'unreachable', now() + interval '9 minutes')
"""
LATE = """
insert into queue_messages (tenant_id, delivery_id, destination_id, run_at)
values ($1, $2, $3, now() - interval '2 minutes')
"""


def _connected(place: "Place") -> tuple[UUID, UUID]:
    tenant = place.json("tenant", "create", "Loja")
    connect = ("destination", "connect", "Loja", "meta", "--pixel", PIXEL, "--token", TOKEN)
    pixel = place.json(*connect, "--offline")
    return UUID(tenant["tenant_id"]), UUID(pixel["destination_id"])


def test_due_messages_without_a_worker_are_a_finding(place: "Place") -> None:
    tenant_id, pixel_id = _connected(place)
    asyncio.run(place.rows(LATE, tenant_id, new_id(), pixel_id))
    _, found = findings(place, "--offline")

    assert found["queue"]["state"] == "warning"
    assert found["queue"]["found"] == "1 waiting, 1 due, and no worker is seen"


def test_what_a_breaker_holds_is_counted_apart_with_what_mends_it(place: "Place") -> None:
    tenant_id, pixel_id = _connected(place)
    asyncio.run(place.rows(LATE, tenant_id, new_id(), pixel_id))
    asyncio.run(place.rows(BREAKER, tenant_id, pixel_id))
    status, found = findings(place, "--offline")
    ill = found[f"breaker of pixel {PIXEL}"]

    assert status == 1
    assert (found["queue"]["state"], found["queue"]["found"]) == (
        "ok",
        "0 waiting, 0 due, 1 more held by breakers",
    )
    assert ill["found"].endswith(": 1 wait")
    assert "trackai destination token" in ill["to_do"]


def test_an_open_host_holds_its_pixels(place: "Place") -> None:
    tenant_id, pixel_id = _connected(place)
    asyncio.run(place.rows(LATE, tenant_id, new_id(), pixel_id))
    asyncio.run(place.rows(HOST_BREAKER))
    _, found = findings(place, "--offline")
    (listed,) = place.json("destination", "list", "Loja")
    ill = found["breaker of graph.facebook.com"]

    assert (listed["breaker"], listed["breaker_reason"]) == ("open", "unreachable")
    assert listed["breaker_retry_at"]
    assert "tried again at" in ill["found"]
    assert ill["found"].endswith(": 1 wait")
    assert found["queue"]["found"].endswith("1 more held by breakers")


def test_what_the_spool_holds_is_a_finding(place: "Place") -> None:
    directory = Path(place.environment["TRACKAI_DATA_DIR"]) / SPOOL
    _, before = findings(place)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"a-1{SEGMENT}").write_bytes(b"x")
    _, waiting = findings(place)
    (directory / f"a-2{SET_ASIDE}").write_bytes(b"x")
    _, aside = findings(place)

    assert [one["spool"]["state"] for one in (before, waiting, aside)] == [
        "ok",
        "warning",
        "warning",
    ]
    assert "1 files wait" in waiting["spool"]["found"]
    assert "1 files set aside" in aside["spool"]["found"]
