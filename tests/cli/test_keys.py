"""The installation's key is rotated and the old one dropped; a tenant is deleted."""

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trackai.storage.envelope import new_key_text, parse_keys
from trackai.storage.pool import Role

if TYPE_CHECKING:
    from uuid import UUID

    from tests.support.program import Place

CONNECT = ("destination", "connect", "Loja", "meta", "--pixel", "123456789012345")
TOKEN = "EAAtoken0123456789"


def seal_as_before_tenants_had_keys(place: "Place", tenant_id: "UUID") -> None:
    """Put an envelope of version 1 in the place of the tenant's token."""
    (key,) = parse_keys(place.key)
    name = sha256(b"trackai key name\x00" + key).digest()[:4]
    context = b"destinations\x00" + tenant_id.bytes
    sealed = b"\x01" + name + bytes(12) + AESGCM(key).encrypt(bytes(12), TOKEN.encode(), context)

    async def put() -> None:
        async with (
            place.here().database(Role.APP) as database,
            database.transaction(tenant_id=tenant_id) as tx,
        ):
            await tx.execute("update destinations set token_sealed = $1", sealed)

    asyncio.run(put())


def test_the_installations_key_is_rotated_and_the_old_one_dropped(
    place_with_tenant: "Place",
) -> None:
    place = place_with_tenant
    place.json(*CONNECT, "--token", TOKEN, "--offline")
    seal_as_before_tenants_had_keys(place, asyncio.run(place.here().tenant("Loja")).id)
    place.key = f"{new_key_text()},{place.key}"

    first, second = place.json("rekey"), place.json("rekey")
    place.key = place.key.partition(",")[0]
    (pixel,) = place.json("destination", "list", "Loja")

    assert first == {"wrapped": 1, "resealed": 1, "need_an_older_key": {}}
    assert second == {"wrapped": 0, "resealed": 0, "need_an_older_key": {}}
    assert pixel["pixel_id"] == "123456789012345"


def test_a_key_dropped_too_early_is_named_as_the_cause(place_with_tenant: "Place") -> None:
    place = place_with_tenant
    place.json(*CONNECT, "--token", TOKEN, "--offline")
    place.key = new_key_text()

    done = place.run("destination", "list", "Loja")

    assert done.returncode == 1
    assert "TRACKAI_SECRET_KEY" in done.stderr


def test_a_tenant_is_deleted_and_its_name_is_free_again(place_with_tenant: "Place") -> None:
    place = place_with_tenant
    place.json(*CONNECT, "--token", TOKEN, "--offline")

    unasked = place.run("tenant", "delete", "Loja")
    deleted = place.json("tenant", "delete", "Loja", "--yes")
    again = place.run("tenant", "delete", "Loja", "--yes")
    after = place.json("tenant", "list")
    anew = place.json("tenant", "create", "Loja")

    assert (unasked.returncode, "--yes" in unasked.stderr) == (2, True)
    assert (again.returncode, after) == (1, [])
    assert anew["tenant_id"] != deleted["deleted"]
    assert TOKEN not in unasked.stderr + again.stderr
