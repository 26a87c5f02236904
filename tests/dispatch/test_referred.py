"""Pixels whose token is kept elsewhere: looked up to send, again when it is refused, and away."""

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from trackai.dispatch.dispatcher import Dispatcher
from trackai.dispatch.referred import referring
from trackai.dispatch.token_watch import TokenWatch
from trackai.errors import SecretUnavailable
from trackai.secrets.port import Kept, Secrets
from trackai.storage.destinations import set_token

if TYPE_CHECKING:
    from tests.dispatch.conftest import Office

PLACE = "aws:trackai/test/meta_capi_token"
OLD, NEW = "EAAmadeupold", "EAAmadeupnew"


@dataclass
class Safe(Secrets):
    """Where tokens are kept; remembers like the real one does, by age alone."""

    value: str = OLD
    known: str = OLD
    away: bool = False
    ages: list[float] = field(default_factory=list)

    @override
    async def find(self, reference: str, *, max_age_s: float) -> Kept:
        assert PLACE == reference
        self.ages.append(max_age_s)
        if self.away:
            raise SecretUnavailable("away")
        if max_age_s < 10:
            self.known = self.value
        return Kept(self.known)


@pytest.fixture
def safe() -> Safe:
    return Safe()


@pytest.fixture
async def kept(office: "Office", safe: Safe) -> "Office":
    """Keep the account's token elsewhere; the dispatcher looks it up."""
    world, pixel = office.world, office.world.account.destination
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        await set_token(
            tx,
            world.envelope,
            tenant_id=world.account.tenant.id,
            destination_id=pixel.id,
            token=PLACE,
        )
    office.meta.add_token(OLD, datasets=[pixel.pixel_id])
    office.tools = replace(office.tools, destinations=referring(office.tools.destinations, safe))
    office.dispatcher = Dispatcher(office.tools)
    return office


def _end(office: "Office") -> None:
    """Let the old token end."""
    pixel, ended = office.world.account.destination, office.world.clock.now()
    office.meta.add_token(OLD, datasets=[pixel.pixel_id], expires_at=ended - dt.timedelta(days=1))


async def _send(office: "Office") -> None:
    await office.dispatcher.step()
    await office.dispatcher.finish()


async def test_events_go_out_with_the_token_that_is_kept_elsewhere(kept: "Office") -> None:
    ids = await kept.sell(2)
    await _send(kept)

    assert ids == kept.arrived()


async def test_a_token_that_was_changed_meanwhile_is_looked_up_and_used_at_once(
    kept: "Office", safe: Safe
) -> None:
    pixel = kept.world.account.destination.pixel_id
    _end(kept)
    kept.meta.add_token(NEW, datasets=[pixel])
    safe.value = NEW
    ids = await kept.sell(2)
    await _send(kept)

    assert ids == kept.arrived()
    assert 2 == len(await kept.attempts())


async def test_a_token_that_is_refused_and_was_not_changed_is_refused(
    kept: "Office", safe: Safe
) -> None:
    _end(kept)
    await kept.sell()
    await _send(kept)

    (attempt,) = await kept.attempts()
    assert "token_refused" == attempt["reason"]
    assert 2 == len(safe.ages)


async def test_events_wait_for_a_token_that_cannot_be_looked_up(kept: "Office", safe: Safe) -> None:
    safe.away = True
    ids = await kept.sell()
    await _send(kept)
    waited = kept.arrived()
    safe.away = False
    kept.world.clock.forward(seconds=120)
    await _send(kept)

    assert [] == waited
    assert ids == kept.arrived()


async def test_the_token_watch_asks_about_the_token_itself(kept: "Office") -> None:
    tools = kept.tools
    watch = TokenWatch(tools.database, tools.envelope, tools.destinations, tools.clock)
    await watch.step()

    (check,) = await kept.world.rows("select valid from token_checks where tenant_id = $1")
    assert check["valid"] is True


async def test_a_token_that_is_here_is_not_looked_up(office: "Office", safe: Safe) -> None:
    office.dispatcher = Dispatcher(
        replace(office.tools, destinations=referring(office.tools.destinations, safe))
    )
    ids = await office.sell()
    await _send(office)

    assert ids == office.arrived()
    assert [] == safe.ages
