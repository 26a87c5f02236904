"""A key for every tenant: made with it, learned from what is committed, gone with it."""

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from trackai.errors import ConfigurationError, InvariantBroken, StatementRefused
from trackai.model.clock import new_id
from trackai.model.tenant import Tenant
from trackai.storage.destinations import list_destinations
from trackai.storage.envelope import Envelope
from trackai.storage.health import check_key
from trackai.storage.identities import find_click_ids_of_person
from trackai.storage.tenant_keys import (
    know_all_tenants,
    make_missing_all_tenants,
    rewrap,
    shred,
)
from trackai.storage.tenants import insert_tenant

if TYPE_CHECKING:
    from uuid import UUID

    from tests.support.world import World

KEY, NEW_KEY = bytes(range(32)), bytes(range(1, 33))
SEALED = "select token_sealed from destinations where tenant_id = $1"
KEYS = "select wrapped from tenant_keys where tenant_id = $1"


async def tokens(world: "World", envelope: Envelope, tenant_id: "UUID") -> list[str]:
    """Return the tenant's tokens as another process reads them."""
    async with world.people.transaction(tenant_id=tenant_id) as tx:
        return [one.token for one in await list_destinations(tx, envelope, tenant_id=tenant_id)]


async def forget_key(world: "World", tenant_id: "UUID") -> None:
    """Make the tenant one from before tenants had keys."""
    async with world.people.transaction(tenant_id=tenant_id) as tx:
        await tx.execute("delete from tenant_keys where tenant_id = $1", tenant_id)
    world.envelope.forget(tenant_id)


async def test_another_process_with_the_installations_key_opens_what_one_sealed(
    world: "World",
) -> None:
    tenant_id = world.account.tenant.id

    assert [world.account.destination.token] == await tokens(world, Envelope([KEY]), tenant_id)


async def test_no_two_tenants_have_the_same_key(world: "World") -> None:
    other = await world.open_account("Outro")

    mine, theirs = (
        world.envelope.digest(b"", tenant_id=one.tenant.id) for one in (world.account, other)
    )
    assert mine != theirs


async def test_a_value_copied_into_another_tenants_row_does_not_open(world: "World") -> None:
    other = await world.open_account("Outro")
    (stolen,) = await world.rows(SEALED, other)
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        await tx.execute("update destinations set token_sealed = $1", stolen["token_sealed"])

    with pytest.raises(InvariantBroken):
        await tokens(world, world.envelope, world.account.tenant.id)


async def test_another_installations_key_opens_nothing_and_is_refused_at_the_start(
    world: "World",
) -> None:
    stranger = Envelope([NEW_KEY])

    with pytest.raises(InvariantBroken):
        await tokens(world, stranger, world.account.tenant.id)
    async with world.workers.transaction() as tx:
        with pytest.raises(ConfigurationError, match="TRACKAI_SECRET_KEY"):
            await check_key(tx, stranger)


async def test_a_key_that_is_not_committed_is_not_used(world: "World") -> None:
    tenant = Tenant(new_id(), "Nova", f"site{new_id().hex}")

    async with world.people.transaction(tenant_id=tenant.id) as tx:
        await insert_tenant(tx, world.envelope, tenant, now=world.clock.now())

        assert {tenant.id} == world.envelope.unknown([tenant.id])


async def test_tenants_from_before_get_one_key_though_two_processes_make_it(
    world: "World",
) -> None:
    tenant_id = world.account.tenant.id
    await forget_key(world, tenant_id)
    processes = Envelope([KEY]), Envelope([KEY])

    async def make(envelope: Envelope) -> int:
        async with world.workers.transaction() as tx:
            return await make_missing_all_tenants(tx, envelope)

    await asyncio.gather(*map(make, processes))
    assert await make(processes[0]) == 0

    digests = set()
    for envelope in processes:
        async with world.edge.transaction() as tx:
            await know_all_tenants(tx, envelope, limit=10)
        digests.add(envelope.digest(b"", tenant_id=tenant_id))
    assert len(digests) == 1


async def test_without_its_row_nothing_of_the_tenant_opens_any_more(world: "World") -> None:
    tenant_id = world.account.tenant.id
    other = await world.open_account("Outro")

    async with world.people.transaction(tenant_id=tenant_id) as tx:
        await shred(tx, world.envelope, tenant_id=tenant_id)

    for envelope in (world.envelope, Envelope([KEY])):
        with pytest.raises(InvariantBroken, match="gone"):
            await tokens(world, envelope, tenant_id)
        assert [other.destination.token] == await tokens(world, envelope, other.tenant.id)


async def test_a_key_wrapped_anew_needs_the_old_installations_key_no_more(world: "World") -> None:
    tenant_id = world.account.tenant.id
    both = Envelope([NEW_KEY, KEY])

    async with world.people.transaction(tenant_id=tenant_id) as tx:
        assert await rewrap(tx, both, tenant_id=tenant_id)
        assert not await rewrap(tx, both, tenant_id=tenant_id)

    assert [world.account.destination.token] == await tokens(world, Envelope([NEW_KEY]), tenant_id)


async def test_the_edge_reads_keys_and_makes_none(world: "World") -> None:
    tenant_id = world.account.tenant.id
    for statement in (
        "insert into tenant_keys (tenant_id, wrapped, created_at) values ($1, '', now())",
        "delete from tenant_keys where tenant_id = $1",
        "update tenant_keys set wrapped = '' where tenant_id = $1",
    ):
        with pytest.raises(StatementRefused):
            async with world.edge.transaction() as tx:
                await tx.execute(statement, tenant_id)

    async with world.edge.transaction() as tx:
        assert len(await tx.fetch(KEYS, tenant_id)) == 1


async def test_an_identity_stored_before_tenants_had_keys_is_found(world: "World") -> None:
    tenant_id, key = world.account.tenant.id, sha256(b"maria@example.com").digest()
    await world.click("c1")
    async with world.edge.transaction() as tx:
        await tx.execute(
            "insert into identities (tenant_id, kind, key, click_id, seen_at)"
            " values ($1, 'email', $2, 'c1', now())",
            *(tenant_id, key),
        )
        found = await find_click_ids_of_person(
            tx, world.envelope, tenant_id=tenant_id, kind="email", key=key
        )

    assert ["c1"] == found
