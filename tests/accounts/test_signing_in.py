"""Who signs in, for how long, and how often somebody may guess."""

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import pytest
from tests.support.door import HOME, PASSWORD

from trackai.accounts.brake import MOST_OF_ADDRESS, MOST_OF_EMAIL, WINDOW
from trackai.accounts.signing_in import IDLE, LONGEST
from trackai.errors import SignInFailed, TooManyRequests
from trackai.model.access import MemberRole, Permission
from trackai.model.clock import new_id
from trackai.storage import users

if TYPE_CHECKING:
    from tests.support.door import Door


async def test_the_right_password_opens_the_tenants_pages(door: "Door") -> None:
    user = await door.member(role=MemberRole.ANALYST)
    who = await door.seen(await door.sign_in("  ANA@loja.test "))

    assert (who.user.id, who.user.name, who.session.agent) == (
        user.id,
        "Ana Souza",
        "Firefox, Linux",
    )
    assert who.membership is not None
    assert (who.membership.tenant_id, who.membership.tenant_name) == (
        door.world.account.tenant.id,
        "Curso",
    )
    assert (who.may(Permission.SEE), who.may(Permission.OPERATE)) == (True, False)
    assert "ana@" not in repr(who)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ana@loja.test", "cavalo bateria grampo "),
        ("ana@loja.test", ""),
        ("ana@loja.test", "x" * 100_000),
        ("bia@loja.test", PASSWORD),
        ("not an address", PASSWORD),
        ("ana@loja.test\x00", PASSWORD),
    ],
)
async def test_anything_else_fails_and_does_not_say_why(
    door: "Door", email: str, password: str
) -> None:
    await door.member()
    with pytest.raises(SignInFailed) as refused:
        await door.sign_in(email, password)

    assert str(refused.value) == "E-mail and password do not fit together."


async def test_a_session_ends_when_it_is_not_used_and_when_it_is_old(door: "Door") -> None:
    await door.member()
    token, clock = await door.sign_in(), door.world.clock
    began = clock.moment
    while clock.moment + IDLE < began + LONGEST:
        clock.moment += IDLE - dt.timedelta(minutes=1)
        await door.seen(token)
    clock.moment = began + LONGEST
    old = await door.signing_in.recognize(token)
    idle = await door.sign_in()
    clock.moment += IDLE

    assert old is None
    assert await door.signing_in.recognize(idle) is None


async def test_what_no_browser_holds_opens_nothing(door: "Door") -> None:
    await door.member()
    token = await door.sign_in()

    for wrong in ("", "x", token[:-1], token + "x", "\x00", "é" * 50, "x" * 10_000):
        assert await door.signing_in.recognize(wrong) is None


async def test_whoever_signs_out_is_out_and_others_can_be_ended(door: "Door") -> None:
    await door.member()
    first, second = await door.sign_in(), await door.sign_in()
    who = await door.seen(first)
    listed = await door.signing_in.sessions(who.user.id)
    other = next(one for one in listed if one.id != who.session.id)
    ended = await door.signing_in.end_session(who.user.id, other.id)
    strangers = await door.signing_in.end_session(new_id(), who.session.id)
    await door.signing_in.sign_out(who)

    assert (len(listed), ended, strangers) == (2, True, False)
    assert await door.signing_in.recognize(first) is None
    assert await door.signing_in.recognize(second) is None


async def test_guessing_a_password_is_slowed_down(door: "Door") -> None:
    await door.member()
    for number in range(MOST_OF_EMAIL):
        with pytest.raises(SignInFailed):
            await door.sign_in(password="wrong", address=f"203.0.113.{number}")
    with pytest.raises(TooManyRequests) as refused:
        await door.sign_in()
    door.world.clock.moment += WINDOW

    assert refused.value.retry_after_s == pytest.approx(WINDOW.total_seconds())
    assert await door.sign_in()


async def test_trying_many_names_from_one_address_is_slowed_down(door: "Door") -> None:
    await door.member()
    for number in range(MOST_OF_ADDRESS):
        with pytest.raises(SignInFailed):
            await door.sign_in(f"nobody{number}@loja.test")
    with pytest.raises(TooManyRequests):
        await door.sign_in()

    assert await door.sign_in(address="198.51.100.2")


async def test_signing_in_forgets_the_failures_before(door: "Door") -> None:
    await door.member()
    for _ in range(3):
        for _ in range(MOST_OF_EMAIL - 1):
            with pytest.raises(SignInFailed):
                await door.sign_in(password="wrong")
        assert await door.sign_in()


async def test_who_is_disabled_is_out_at_once(door: "Door") -> None:
    user = await door.member()
    token = await door.sign_in()
    async with door.database.transaction() as tx:
        await users.set_disabled(tx, user_id=user.id, since=door.world.clock.now())

    assert await door.signing_in.recognize(token) is None
    with pytest.raises(SignInFailed):
        await door.sign_in()


async def test_pages_are_of_tenants_one_is_in(door: "Door") -> None:
    mine, other = await door.world.open_account("Minha"), await door.world.open_account("Outra")
    await door.member(account=mine)
    token = await door.sign_in()
    who = await door.seen(token)
    stranger = await door.signing_in.switch(who, other.tenant.id)
    nobody = await door.signing_in.switch(who, new_id())
    after = await door.seen(token)

    assert (stranger, nobody) == (None, None)
    assert after.membership is not None
    assert after.membership.tenant_id == mine.tenant.id


async def test_a_platform_operator_may_enter_every_tenant(door: "Door") -> None:
    other = await door.world.open_account("Outra")
    user = await door.member(role=MemberRole.ANALYST)
    async with door.database.transaction() as tx:
        await users.make_platform_operator(tx, user_id=user.id)
    token = await door.sign_in()
    switched = await door.signing_in.switch(await door.seen(token), other.tenant.id)
    who = await door.seen(token)

    assert [one.tenant_name for one in await door.signing_in.memberships(who.user)] == [
        "Curso",
        "Outra",
    ]
    assert switched is not None
    assert who.membership == switched
    assert who.may(Permission.MANAGE)


async def test_tries_at_the_same_moment_count_each(door: "Door") -> None:
    await door.member()
    tries = (door.sign_in(password="wrong", address=f"{HOME}{one}") for one in range(40))
    found = await asyncio.gather(*tries, return_exceptions=True)

    kinds = [type(one) for one in found]
    assert set(kinds) <= {SignInFailed, TooManyRequests}
    # As many more as there are connections may have looked before the others were noted.
    assert kinds.count(SignInFailed) <= MOST_OF_EMAIL + 4
    with pytest.raises(TooManyRequests):
        await door.sign_in()
