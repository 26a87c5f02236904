"""What is known of tokens: asked about in time, told once, visible, forgotten with the token."""

import datetime as dt
from typing import TYPE_CHECKING

import asyncpg
import pytest
from structlog.testing import capture_logs

from trackai.accounts.onboarding import Onboarding
from trackai.dispatch.token_watch import NOT_WELL, SOON, WELL, TokenWatch
from trackai.model.clock import new_id

if TYPE_CHECKING:
    from tests.dispatch.conftest import Office

CHECKS = """
select valid, expires_at, due_at, checked_at from token_checks where tenant_id = $1
"""
EVENTS = {"token.refused", "token.expires_soon", "token.valid_again"}


@pytest.fixture
def watch(office: "Office") -> TokenWatch:
    tools = office.tools
    return TokenWatch(tools.database, tools.envelope, tools.destinations, tools.clock)


def _set_expiry(office: "Office", expires_in: dt.timedelta | None) -> dt.datetime | None:
    account = office.world.account.destination
    expires_at = office.world.clock.now() + expires_in if expires_in is not None else None
    office.meta.add_token(account.token, datasets=[account.pixel_id], expires_at=expires_at)
    return expires_at


async def _told(watch: TokenWatch) -> list[str]:
    with capture_logs() as logs:
        await watch.step()
    return [line["event"] for line in logs if line["event"] in EVENTS]


async def test_the_expiry_is_known_and_asked_for_again_in_time(
    office: "Office", watch: TokenWatch
) -> None:
    expires_at = _set_expiry(office, dt.timedelta(days=60))
    worked = await watch.step()
    (check,) = await office.world.rows(CHECKS)

    assert worked
    assert (check["valid"], check["expires_at"]) == (True, expires_at)
    assert check["due_at"] == office.world.clock.now() + WELL
    assert not await watch.step()


async def test_an_end_that_is_near_is_told_once(office: "Office", watch: TokenWatch) -> None:
    _set_expiry(office, SOON - dt.timedelta(hours=5))
    first = await _told(watch)
    office.world.clock.forward(seconds=NOT_WELL.total_seconds())

    assert first == ["token.expires_soon"]
    assert await _told(watch) == []


async def test_a_refused_token_is_told_once_and_again_when_it_is_well(
    office: "Office", watch: TokenWatch
) -> None:
    _set_expiry(office, -dt.timedelta(days=1))
    told = []
    for expires_in in (None, None, dt.timedelta(days=90)):
        told.append(await _told(watch))
        office.world.clock.forward(seconds=NOT_WELL.total_seconds())
        if expires_in:
            _set_expiry(office, expires_in)
    told.append(await _told(watch))

    assert told[0] == ["token.refused"]
    assert told[1] == []
    assert told[3] == ["token.valid_again"]


async def test_a_platform_that_cannot_be_asked_is_no_verdict(
    office: "Office", watch: TokenWatch
) -> None:
    deaf = await office.world.open_account("Muda", meta_url="http://127.0.0.1:9")
    told = await _told(watch)
    (check,) = await office.world.rows(CHECKS, deaf)

    assert told == []
    assert check["valid"] is None
    assert check["due_at"] < office.world.clock.now() + WELL


async def test_two_workers_ask_once(office: "Office", watch: TokenWatch) -> None:
    tools = office.tools
    other = TokenWatch(tools.database, tools.envelope, tools.destinations, tools.clock)
    before = office.meta.summary()["requests"]
    await watch.step()
    await other.step()

    assert office.meta.summary()["requests"] - before == 1


async def test_a_new_token_is_asked_about_at_once(office: "Office", watch: TokenWatch) -> None:
    await watch.step()
    account = office.world.account
    office.meta.add_token("EAAnew", datasets=[account.destination.pixel_id])
    onboarding = Onboarding(office.world.people, office.world.envelope, office.world.clock, new_id)
    await onboarding.set_token(account.tenant.id, account.destination.id, "EAAnew", actor="cli:ana")
    (forgotten,) = await office.world.rows(CHECKS)
    await watch.step()
    (check,) = await office.world.rows(CHECKS)
    deeds = await office.world.rows("select actor, action from audit_logs where tenant_id = $1")

    assert forgotten["valid"] is None
    assert check["valid"] is True
    assert [tuple(row) for row in deeds] == [("cli:ana", "destination.token")]


async def test_a_token_that_does_not_open_stops_no_others_check(
    office: "Office", watch: TokenWatch
) -> None:
    other = await office.open_account("Outra")
    office.register(office.world.account)  # both have one token: it is the well pixel's again
    connection = await asyncpg.connect(office.world.url)
    await connection.execute(
        "update destinations set token_sealed ="
        " set_byte(token_sealed, 30, get_byte(token_sealed, 30) # 255) where tenant_id = $1",
        other.tenant.id,
    )
    await connection.close()
    with capture_logs() as logs:
        await watch.step()
    (check,) = await office.world.rows(CHECKS)

    assert check["valid"] is True
    assert ["token.sealed"] == [one["event"] for one in logs if one["log_level"] == "error"]
