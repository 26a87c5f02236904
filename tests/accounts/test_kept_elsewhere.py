"""Where a secret is kept may be said by operators alone: a tenant could name another's."""

from collections.abc import AsyncIterator

import pytest
from tests.support.world import World, open_world

from trackai.accounts.onboarding import NewDestination, Onboarding
from trackai.errors import InvalidField
from trackai.model.clock import new_id
from trackai.secrets.port import reference
from trackai.storage.destinations import list_destinations
from trackai.storage.gateway_connections import list_connections

PLACE = "aws:trackai/production/tenants/another/kiwify_secret"
AUDIT = "select details::text as details from audit_logs where tenant_id = $1"


@pytest.fixture
async def world(fresh_database_url: str) -> AsyncIterator[World]:
    async with open_world(fresh_database_url) as made:
        yield made


@pytest.fixture
def onboarding(world: World) -> Onboarding:
    return Onboarding(world.people, world.envelope, world.clock, new_id, "cli:ana")


async def test_what_is_typed_never_names_a_place(world: World, onboarding: Onboarding) -> None:
    tenant, pixel = world.account.tenant.id, world.account.destination.id
    (connection, *_) = world.account.connections.values()

    with pytest.raises(InvalidField, match="operators"):
        await onboarding.connect_gateway(tenant, "kiwify", f" {PLACE}")
    with pytest.raises(InvalidField, match="operators"):
        await onboarding.set_secret(tenant, connection.id, PLACE)
    with pytest.raises(InvalidField, match="operators"):
        await onboarding.set_token(tenant, pixel, PLACE)
    with pytest.raises(InvalidField, match="operators"):
        onboarding.destination_of(tenant, NewDestination("meta", "123", PLACE))


async def test_an_operator_names_a_place_whatever_values_begin_with(
    world: World, onboarding: Onboarding
) -> None:
    tenant = world.account.tenant.id
    made = await onboarding.connect_gateway(tenant, "stripe", reference(PLACE))
    changed = await onboarding.set_token(tenant, world.account.destination.id, reference(PLACE))
    async with world.people.transaction(tenant_id=tenant) as tx:
        known = await list_connections(tx, world.envelope, tenant_id=tenant)
        pixels = await list_destinations(tx, world.envelope, tenant_id=tenant)

    stored = next(one for one in known if one.id == made.id)
    assert [PLACE] == [one.value for one in stored.secrets]
    assert PLACE == changed.token
    assert PLACE in {one.token for one in pixels}
    assert PLACE not in "".join(row["details"] for row in await world.rows(AUDIT))
