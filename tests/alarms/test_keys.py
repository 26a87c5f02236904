"""Where routes lead is sealed by their owner's key, also after the installation has another."""

from typing import TYPE_CHECKING

from tests.alarms.conftest import ROUTING_KEY

from trackai.accounts.rekeying import rekey_alarms
from trackai.storage.alarm_routes import load_routes_all_tenants, open_routes_all_tenants
from trackai.storage.envelope import Envelope

if TYPE_CHECKING:
    from tests.alarms.conftest import Tower

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


async def opened(tower: "Tower", *keys: bytes) -> str | None:
    """Return the installation's only secret, with these keys of the installation, if it opens."""
    async with tower.world.workers.transaction() as tx:
        (route,) = await load_routes_all_tenants(tx)
        found = await open_routes_all_tenants(tx, Envelope(keys), [route.id])
    target = found[route.id][1]
    return target.secret if target else None


async def test_a_new_key_opens_what_the_old_one_sealed(tower: "Tower") -> None:
    await tower.page()
    before = await opened(tower, OLD)
    without = await opened(tower, NEW)
    done = [await rekey_alarms(tower.world.workers, Envelope([NEW, OLD])) for _ in range(2)]

    assert without is None
    assert [True, False] == done
    assert ROUTING_KEY == before == await opened(tower, NEW)
