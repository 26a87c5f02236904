"""A person asks what is stored: one document with everything, and no secret."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.privacy.people import ANA, BIA, desk, live
from tests.support.opened import traces
from tests.support.world import PIXEL_TOKEN, SECRET

from trackai.errors import SecretUnavailable
from trackai.model.tenant import Secret
from trackai.privacy.erase import Erasure
from trackai.privacy.export import Export
from trackai.privacy.person import Person
from trackai.secrets.opening import open_secrets
from trackai.storage.gateway_connections import set_secrets

if TYPE_CHECKING:
    from tests.support.world import World

WHO = Person.named(email=ANA.email, phone=ANA.phone)
LISTS = (
    *("identities", "clicks", "page_events", "conversions", "webhook_receipts"),
    *("webhook_rejections", "also_known_by"),
)


async def test_the_document_holds_all_of_the_person_and_nothing_of_others(world: "World") -> None:
    ana = await live(world, world.account, ANA, "ana")
    await live(world, world.account, BIA, "bia")
    other = await world.open_account("Outra loja")
    await live(world, other, ANA, "ana")
    document = await Export(desk(world), WHO).run()
    text = msgspec.json.encode(document, enc_hook=str)

    said = json.loads(text)
    assert {row["click_id"] for row in said["clicks"]} == {
        *("ana-click", "ana-again", "ana-phone", "ana-lead", "ana-back"),
    }
    assert {row["click_id"] for row in said["page_events"]} == {
        *("ana-click", "ana-phone", "ana-lost", "ana-lead"),
    }
    assert {row["kind"] for row in said["identities"]} == {"email", "phone", "external_id"}
    assert {row["id"] for row in said["webhook_receipts"]} == {str(one) for one in ana.receipts}
    assert {sale.transaction for sale in ana.sales.values()} <= {
        row["transaction"] for row in said["conversions"]
    }
    assert len(said["webhook_rejections"]) == 1
    assert all(row["buyer"]["email"] == ANA.email for row in said["conversions"])
    assert all(row["notices"] for row in said["conversions"])
    assert any(row["deliveries"] for row in said["conversions"])
    assert said["clicks"][0]["visitor"]["client_ip"] == ANA.client_ip
    assert [] == [word for word in traces(BIA) if word in text]


async def test_the_document_holds_no_secret(world: "World") -> None:
    await live(world, world.account, ANA, "ana")
    text = msgspec.json.encode(await Export(desk(world), WHO).run(), enc_hook=str)

    assert SECRET.encode() not in text
    assert PIXEL_TOKEN.encode() not in text


async def test_the_document_is_empty_once_the_person_is_erased(world: "World") -> None:
    await live(world, world.account, ANA, "ana")
    before = await Export(desk(world), WHO).run()
    await Erasure(desk(world), WHO, why="ticket 7").run()
    after = await Export(desk(world), WHO).run()

    assert all(before[name] for name in LISTS if name != "also_known_by")
    assert {name: [] for name in LISTS} == {name: after[name] for name in LISTS}


async def test_who_asked_is_written_down_without_whom_they_asked_about(world: "World") -> None:
    await live(world, world.account, ANA, "ana")
    await Export(desk(world), WHO).run()
    document = await Export(desk(world), WHO).run()
    (deed,) = json.loads(msgspec.json.encode(document["audit"], enc_hook=str))

    assert (deed["action"], deed["actor"]) == ("privacy.export", "cli:ana")
    assert deed["details"]["found"]["conversions"] > 5
    assert [] == [word for word in traces(ANA) if word in str(deed).encode()]


async def test_a_phone_that_came_with_the_email_is_told_so_that_it_can_be_asked_for(
    world: "World",
) -> None:
    await live(world, world.account, ANA, "ana")
    document = await Export(desk(world), Person.named(email=ANA.email)).run()

    assert ANA.phone in document["also_known_by"]  # type: ignore[operator]


async def test_a_webhook_that_names_the_person_in_passing_shows_no_other_buyer(
    world: "World",
) -> None:
    await live(world, world.account, BIA, "bia")
    producer = Person.named(email="produtor@example.com")
    document = await Export(desk(world), producer).run()
    text = msgspec.json.encode(document["webhook_receipts"], enc_hook=str)

    assert document["webhook_receipts"]
    assert [] == document["conversions"]
    assert [] == [word for word in traces(BIA) if word in text]


async def _keep_elsewhere(world: "World", *places: str) -> None:
    account = world.account
    async with world.people.transaction(tenant_id=account.tenant.id) as tx:
        for one in account.connections.values():
            await set_secrets(
                tx,
                world.envelope,
                tenant_id=account.tenant.id,
                connection_id=one.id,
                secrets=tuple(Secret(place) for place in places),
            )


async def test_a_secret_that_is_kept_elsewhere_is_left_out_of_bodies_too(
    world: "World", tmp_path: Path
) -> None:
    await live(world, world.account, ANA, "ana")
    before = str((await Export(desk(world), WHO).run())["webhook_receipts"])
    # No name of a field gives it away.
    (tmp_path / "kept").write_text(ANA.email)
    await _keep_elsewhere(world, "file:gone", "file:kept")
    async with open_secrets(tmp_path) as secrets:
        document = await Export(replace(desk(world), secrets=secrets), WHO).run()

    assert ANA.email in before
    assert ANA.email not in str(document["webhook_receipts"])


async def test_a_document_is_refused_while_a_secret_cannot_be_looked_up(world: "World") -> None:
    await _keep_elsewhere(world, "file:kept")
    async with open_secrets(None) as secrets:
        with pytest.raises(SecretUnavailable):
            await Export(replace(desk(world), secrets=secrets), WHO).run()
