"""Codes of a second factor: set up, asked for once each, lost, turned off."""

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.support.door import BROWSER, HOME, PASSWORD, Phone

from trackai.accounts.brake import MOST_OF_EMAIL, WINDOW
from trackai.accounts.codes import RECOVERY_CODES, STEP_S
from trackai.accounts.entries import HALF_FOR
from trackai.accounts.second_factor import OFFERED_FOR
from trackai.errors import (
    CodeRefused,
    Conflict,
    InvalidField,
    InvariantBroken,
    NotFound,
    SignInFailed,
    TooManyRequests,
)
from trackai.storage.audit_logs import list_audit
from trackai.storage.users import User, find_by_email

if TYPE_CHECKING:
    from tests.support.door import Door

    from trackai.accounts.entries import Entry


async def come(door: "Door", password: str = PASSWORD, email: str = "ana@loja.test") -> "Entry":
    return await door.signing_in.sign_in(email, password, address=HOME, agent=BROWSER)


async def give(door: "Door", half: str, code: str, address: str = HOME) -> "Entry | None":
    return await door.second_factor.finish(half, code, address=address, agent=BROWSER)


async def again(door: "Door", email: str = "ana@loja.test") -> User:
    async with door.database.transaction() as tx:
        user = await find_by_email(tx, door.world.envelope, email)
    assert user is not None
    return user


async def deeds(door: "Door") -> list[tuple[object, object, object]]:
    tenant_id = door.world.account.tenant.id
    async with door.world.people.transaction(tenant_id=tenant_id) as tx:
        found = await list_audit(tx, tenant_id=tenant_id, limit=50)
    return [(one["actor"], one["action"], one["details"]) for one in reversed(found)]


async def test_a_password_alone_opens_nothing_any_more(door: "Door") -> None:
    user = await door.member()
    before = await come(door)
    phone = await door.secure(user)
    half = await come(door)
    opened = await give(door, half.token, phone.code())
    assert opened is not None

    assert (before.half, half.half, opened.half) == (False, True, False)
    assert await door.signing_in.recognize(half.token) is None
    assert (await door.seen(opened.token)).user.second_factor
    assert await give(door, half.token, phone.recovery[0]) is None


async def test_other_browsers_are_signed_out_when_it_begins(door: "Door") -> None:
    user = await door.member()
    own, other = await come(door), await come(door)
    session = (await door.seen(own.token)).session
    await door.second_factor.offer(user, PASSWORD, address=HOME)
    secret = (await door.second_factor.standing(user)).secret
    assert secret is not None
    await door.second_factor.confirm(user, Phone(secret, door.world.clock).code(), session=session)

    assert await door.signing_in.recognize(own.token) is not None
    assert await door.signing_in.recognize(other.token) is None


async def test_what_is_offered_counts_from_its_first_code_on(door: "Door") -> None:
    user = await door.member()
    with pytest.raises(InvalidField) as wrong:
        await door.second_factor.offer(user, "wrong", address=HOME)
    with pytest.raises(Conflict):
        await door.second_factor.confirm(user, "000000")
    await door.second_factor.offer(user, PASSWORD, address=HOME)
    standing = await door.second_factor.standing(user)
    with pytest.raises(InvalidField) as refused:
        await door.second_factor.confirm(user, "not a code")

    assert (wrong.value.field, refused.value.field) == ("old", "code")
    assert standing.secret is not None
    assert standing.address is not None
    assert standing.address.startswith("otpauth://totp/")
    assert standing.secret not in repr(standing)
    assert not (await come(door)).half


async def test_an_offer_is_over_after_a_while(door: "Door") -> None:
    user = await door.member()
    await door.second_factor.offer(user, PASSWORD, address=HOME)
    door.world.clock.moment += OFFERED_FOR

    assert (await door.second_factor.standing(user)).secret is None
    with pytest.raises(Conflict):
        await door.second_factor.confirm(user, "000000")


async def test_what_counts_is_not_replaced_by_another_offer(door: "Door") -> None:
    user = await door.member()
    phone = await door.secure(user)
    await door.second_factor.offer(user, PASSWORD, address=HOME)

    with pytest.raises(Conflict):
        await door.second_factor.confirm(user, phone.code())
    half = await come(door)
    assert await give(door, half.token, phone.code()) is not None


async def test_a_code_lets_in_once(door: "Door") -> None:
    phone = await door.secure(await door.member())
    code = phone.code()
    first, second = await come(door), await come(door)
    opened = await give(door, first.token, code)

    assert opened is not None
    with pytest.raises(CodeRefused):
        await give(door, second.token, code)
    with pytest.raises(CodeRefused):  # earlier than the last one
        await give(door, second.token, phone.code(-1))
    assert await give(door, second.token, phone.code(1)) is not None


async def test_a_code_at_the_same_moment_lets_one_in(door: "Door") -> None:
    phone = await door.secure(await door.member())
    halves = [await come(door) for _ in range(3)]
    code = phone.code()
    found = await asyncio.gather(
        *(give(door, one.token, code) for one in halves), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in found) == ["CodeRefused", "CodeRefused", "Entry"]


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_clocks_may_differ_by_a_step(door: "Door", steps: int) -> None:
    phone = await door.secure(await door.member())
    door.world.clock.forward(seconds=5 * STEP_S)
    half = await come(door)

    assert await give(door, half.token, phone.code(steps)) is not None


@pytest.mark.parametrize("steps", [-2, 2])
async def test_clocks_may_not_differ_by_two(door: "Door", steps: int) -> None:
    phone = await door.secure(await door.member())
    door.world.clock.forward(seconds=5 * STEP_S)
    half = await come(door)

    with pytest.raises(CodeRefused):
        await give(door, half.token, phone.code(steps))


@pytest.mark.parametrize("wrong", ["", "12345", "1234567", "١٢٣٤٥٦", "x" * 10_000, "\x00", "é"])
async def test_anything_else_is_no_code(door: "Door", wrong: str) -> None:
    await door.secure(await door.member())
    half = await come(door)

    with pytest.raises(CodeRefused):
        await give(door, half.token, wrong)


async def test_recovery_codes_let_in_once_each(door: "Door") -> None:
    user = await door.member()
    phone = await door.secure(user)
    code = phone.recovery[3]
    half = await come(door)
    opened = await give(door, half.token, f" {code.upper().replace('-', ' ')} ")
    half = await come(door)

    assert opened is not None
    assert len({*phone.recovery}) == RECOVERY_CODES
    with pytest.raises(CodeRefused):
        await give(door, half.token, code)
    assert (await door.second_factor.standing(user)).codes_left == RECOVERY_CODES - 1


async def test_a_recovery_code_is_of_one_person(door: "Door") -> None:
    phone = await door.secure(await door.member())
    await door.secure(await door.member("bia@loja.test"))
    half = await come(door, email="bia@loja.test")

    with pytest.raises(CodeRefused):
        await give(door, half.token, phone.recovery[0])


async def test_half_a_session_is_over_after_five_minutes(door: "Door") -> None:
    phone = await door.secure(await door.member())
    half = await come(door)
    door.world.clock.moment += HALF_FOR

    assert await door.second_factor.awaited(half.token) is None
    assert await give(door, half.token, phone.code()) is None
    for nothing in ("", "x", "x" * 10_000):
        assert await door.second_factor.awaited(nothing) is None


async def test_codes_are_guessed_as_slowly_as_passwords(door: "Door") -> None:
    phone = await door.secure(await door.member())
    half = await come(door)
    for number in range(MOST_OF_EMAIL):
        await come(door)  # the password, right each time, forgets nothing
        with pytest.raises(CodeRefused):
            await give(door, half.token, "abc", address=f"203.0.113.{number}")
    with pytest.raises(TooManyRequests):
        await give(door, half.token, phone.code())
    with pytest.raises(TooManyRequests):
        await come(door)
    door.world.clock.moment += WINDOW
    half = await come(door)

    assert await give(door, half.token, phone.code()) is not None


async def test_turning_it_off_takes_password_and_code(door: "Door") -> None:
    phone = await door.secure(await door.member())
    user = await again(door)
    with pytest.raises(InvalidField) as no_password:
        await door.second_factor.turn_off(user, "wrong", phone.code(), address=HOME)
    with pytest.raises(InvalidField) as no_code:
        await door.second_factor.turn_off(user, PASSWORD, "000", address=HOME)
    half = await come(door)
    await door.second_factor.turn_off(user, PASSWORD, phone.code(), address=HOME)

    assert (no_password.value.field, no_code.value.field) == ("old", "code")
    assert not (await come(door)).half
    assert await door.second_factor.awaited(half.token) is None
    assert (await door.second_factor.standing(user)).codes_left == 0


async def test_who_holds_a_session_does_not_guess(door: "Door") -> None:
    phone = await door.secure(await door.member())
    user = await again(door)
    for _ in range(MOST_OF_EMAIL - 1):
        with pytest.raises(InvalidField):
            await door.second_factor.turn_off(user, PASSWORD, "000", address=HOME)
    # Whoever knows the password may show it as often as they like: it wins no more tries.
    await door.second_factor.offer(user, PASSWORD, address=HOME)
    with pytest.raises(InvalidField):
        await door.second_factor.turn_off(user, PASSWORD, "000", address=HOME)

    with pytest.raises(TooManyRequests):
        await door.second_factor.turn_off(user, PASSWORD, phone.code(), address=HOME)


async def test_a_link_for_a_password_leads_to_the_code(door: "Door") -> None:
    phone = await door.secure(await door.member())
    waiting = await come(door)
    found = await door.new_passwords.forgot("ana@loja.test", by="web")
    assert found is not None
    user = await door.new_passwords.set_by_link(found[1], "cadeira nuvem martelo")
    entry = await door.signing_in.enter(user, agent=BROWSER)

    assert entry.half
    assert await door.second_factor.awaited(waiting.token) is None
    assert await give(door, entry.token, phone.code()) is not None


async def test_who_is_disabled_gives_no_code(door: "Door") -> None:
    phone = await door.secure(await door.member())
    half = await come(door)
    await door.team.set_disabled("ana@loja.test", disabled=True)

    assert await give(door, half.token, phone.code()) is None


async def test_the_operator_lets_somebody_in_who_is_locked_out(door: "Door") -> None:
    user = await door.member()
    await door.secure(user)
    removed = await door.second_factor.remove("Ana@loja.test", by="cli:op")
    with pytest.raises(NotFound):
        await door.second_factor.remove("ana@loja.test", by="cli:op")
    with pytest.raises(NotFound):
        await door.second_factor.remove("nobody@loja.test", by="cli:op")

    assert removed.id == user.id
    assert not (await come(door)).half
    assert ("cli:op", "user.second_factor_off", {}) in await deeds(door)


async def test_what_somebody_does_at_the_door_is_in_their_teams_audit_log(door: "Door") -> None:
    other = await door.world.open_account("Outra")
    user = await door.member()
    phone = await door.secure(user)
    with pytest.raises(SignInFailed):
        await come(door, "wrong")
    for email in ("ana@loja.test", "nobody@loja.test", "no address"):
        await door.signing_in.note_failure(email)
    half = await come(door)
    with pytest.raises(CodeRefused):
        await give(door, half.token, "000")
    await give(door, half.token, phone.code())
    with pytest.raises(InvalidField):
        await door.second_factor.turn_off(await again(door), "wrong", "000", address=HOME)
    written, me = await deeds(door), f"user:{user.id}"
    async with door.world.people.transaction(tenant_id=other.tenant.id) as tx:
        elsewhere = await list_audit(tx, tenant_id=other.tenant.id, limit=50)

    assert written[2:] == [
        (me, "user.second_factor_on", {}),
        ("web", "user.sign_in_failed", {}),
        ("web", "user.sign_in_failed", {"second_factor": True}),
        (me, "user.sign_in", {"second_factor": "totp"}),
        (me, "user.proof_failed", {}),
    ]
    assert "ana@" not in str(written)
    assert [one for one in elsewhere if str(one["action"]).startswith("user.")] == []


async def test_neither_secret_nor_codes_are_stored_plainly(door: "Door") -> None:
    user = await door.member()
    phone = await door.secure(user)
    await come(door)
    stored = ""
    for table in ("users", "recovery_codes", "half_sessions"):
        async with door.database.transaction() as tx:
            rows = await tx.fetch(f"select {table}::text as text from {table}")  # noqa: S608
        assert rows
        stored += " ".join(row["text"] for row in rows)

    for word in (phone.secret, *phone.recovery, *(one.replace("-", "") for one in phone.recovery)):
        assert word not in stored
        assert word.encode().hex() not in stored


async def test_a_secret_that_is_copied_to_somebody_else_does_not_open(door: "Door") -> None:
    ana, bia = await door.member(), await door.member("bia@loja.test")
    phone = await door.secure(ana)
    async with door.database.transaction() as tx:
        await tx.execute(
            "update users set totp_sealed = (select totp_sealed from users where id = $1)"
            " where id = $2",
            *(ana.id, bia.id),
        )
    half = await come(door, email="bia@loja.test")

    with pytest.raises(InvariantBroken):
        await give(door, half.token, phone.code())
