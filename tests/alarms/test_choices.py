"""What people decide about alarms: which routes and thresholds there can be, and whose they are."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from trackai.alarms.choices import MOST_ROUTES, NewRoute
from trackai.errors import InvalidField, NotFound
from trackai.model.alarm import RouteKind

if TYPE_CHECKING:
    from tests.alarms.conftest import Tower


async def test_an_owner_has_so_many_routes_at_most(tower: "Tower") -> None:
    for number in range(MOST_ROUTES):
        await tower.choices().add_route(NewRoute(RouteKind.EMAIL, f"{number}", "a@example.com"))
    with pytest.raises(InvalidField):
        await tower.choices().add_route(NewRoute(RouteKind.EMAIL, "one more", "a@example.com"))
    await tower.choices(tower.world.account.tenant.id).add_route(
        NewRoute(RouteKind.EMAIL, "of another owner", "a@example.com")
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": RouteKind.PAGERDUTY, "secret": "short"}, "secret"),
        ({"kind": RouteKind.EMAIL, "address": "ana at loja"}, "address"),
        ({"kind": RouteKind.WEBHOOK, "address": "http://loja.test/hook"}, "address"),
        ({"kind": RouteKind.WEBHOOK, "address": "https://[::1"}, "address"),
        ({"kind": RouteKind.SLACK, "address": "ftp://loja.test"}, "address"),
        ({"kind": RouteKind.SLACK, "address": "https://me@loja.test/hook"}, "address"),
        ({"kind": RouteKind.WEBHOOK, "address": "https://loja.test:99999/hook"}, "address"),
        ({"kind": RouteKind.WEBHOOK, "address": "https://loja.test:8443/hook"}, "address"),
        ({"kind": RouteKind.WEBHOOK, "address": "https://127.0.0.1/hook"}, "address"),
        ({"kind": RouteKind.WEBHOOK, "address": "https://[fd00::1]/hook"}, "address"),
        ({"kind": RouteKind.WEBHOOK, "address": "https://localhost/hook"}, "address"),
        ({"kind": RouteKind.WEBHOOK, "address": "https://intranet/hook"}, "address"),
        ({"kind": RouteKind.SLACK, "address": "https://Vault.Internal./hook"}, "address"),
        ({"kind": RouteKind.WEBHOOK, "address": "https://127.1/hook"}, "address"),
        ({"kind": RouteKind.WEBHOOK, "address": "https://10.0.0x7f.0x1/hook"}, "address"),
        ({"kind": RouteKind.WEBHOOK, "address": f"https://loja.test/{'x' * 2000}"}, "address"),
        ({"name": " "}, "name"),
        ({"language": "fr"}, "language"),
    ],
)
async def test_a_route_that_cannot_be_is_refused(
    tower: "Tower", changes: dict[str, object], field: str
) -> None:
    plain = NewRoute(RouteKind.EMAIL, "ops", "ops@example.com")
    with pytest.raises(InvalidField) as refused:
        await tower.choices().add_route(replace(plain, **changes))  # type: ignore[arg-type]

    assert field == refused.value.field


async def test_a_webhooks_secret_is_made_and_shown_once(tower: "Tower") -> None:
    new = NewRoute(RouteKind.WEBHOOK, "own", "https://loja.test/hook")
    route, secret = await tower.choices().add_route(new)
    (listed,) = await tower.choices().routes()

    assert secret is not None
    assert secret.startswith("whsec_")
    assert route.id == listed["id"]
    assert secret not in str(dict(listed))
    assert "loja.test" not in str(dict(listed))


@pytest.mark.parametrize("value", [-1, 1e300, float("nan"), float("inf")])
async def test_a_threshold_is_a_number(tower: "Tower", value: float) -> None:
    with pytest.raises(InvalidField):
        await tower.choices().set_threshold("cpu_busy", value)


async def test_a_tenant_decides_of_its_own_alarms_alone(tower: "Tower") -> None:
    tenant = tower.choices(tower.world.account.tenant.id)
    with pytest.raises(InvalidField):
        await tenant.set_threshold("cpu_busy", 50)

    assert 180 == (await tenant.set_threshold("dlq_depth", 200)).clear
    with pytest.raises(NotFound):
        await tenant.set_threshold("nothing", 1)


async def test_what_is_or_is_not_has_no_other_threshold(tower: "Tower") -> None:
    with pytest.raises(InvalidField):
        await tower.choices().set_threshold("breaker_open", 1)

    assert 0 == (await tower.choices().set_threshold("breaker_open", 0)).threshold


async def test_a_percentage_ends_at_all_of_it_at_the_latest(tower: "Tower") -> None:
    tenant = tower.choices(tower.world.account.tenant.id)
    with pytest.raises(InvalidField):
        await tenant.set_threshold("webhook_success", 101)

    assert (await tenant.set_threshold("webhook_success", 99)).clear == 100
    assert (await tenant.set_threshold("webhook_success", 95)).clear == 97


async def test_what_is_given_up_leaves_what_the_installation_says(tower: "Tower") -> None:
    tenant = tower.choices(tower.world.account.tenant.id)
    await tower.choices().set_threshold("dlq_depth", 7)
    await tenant.set_threshold("dlq_depth", 9)

    assert (await tenant.set_threshold("dlq_depth", None)).threshold == 7
    assert (await tower.choices().set_threshold("dlq_depth", None)).threshold == 100
