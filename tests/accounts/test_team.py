"""Who is invited, joins, changes and leaves; and links that work once."""

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.support.door import PASSWORD

from trackai.accounts.new_passwords import PASSWORD_FOR
from trackai.accounts.team import DAY, INVITED_FOR, MOST_OF_TEAM, MOST_TO_EMAIL, Newcomer
from trackai.errors import (
    Conflict,
    InvalidField,
    LinkGone,
    NotFound,
    SignInFailed,
    TooManyRequests,
    UnknownTenant,
)
from trackai.model.access import MemberRole
from trackai.model.clock import new_id
from trackai.storage.audit_logs import list_audit

if TYPE_CHECKING:
    from tests.support.door import Door

BIA = Newcomer("Bia Lima", "outra senha bem longa", "en")


async def invite(door: "Door", email: str = "bia@loja.test", **changes: object) -> str:
    wanted: dict[str, object] = {
        "tenant_id": door.world.account.tenant.id,
        "role": MemberRole.OPERATOR,
        "by": "cli:op",
    }
    return await door.team.invite(email, **(wanted | changes))  # type: ignore[arg-type]


async def test_an_invitation_is_taken_up_once(door: "Door") -> None:
    token = await invite(door)
    link, known, name = await door.team.invitation(token)
    both = await asyncio.gather(
        *(door.team.join_new(token, BIA) for _ in range(2)), return_exceptions=True
    )
    team = await door.team.colleagues(door.world.account.tenant.id)

    assert (link.email, known, name) == ("bia@loja.test", None, "Curso")
    assert sorted(type(one).__name__ for one in both) in (
        ["Conflict", "User"],
        ["LinkGone", "User"],
    )
    assert [(one.email, one.name, one.role) for one in team] == [
        ("bia@loja.test", "Bia Lima", MemberRole.OPERATOR)
    ]
    with pytest.raises(LinkGone):
        await door.team.invitation(token)


async def test_an_invitation_ends_after_a_week_or_with_the_next_one(door: "Door") -> None:
    first = await invite(door)
    second = await invite(door)
    with pytest.raises(LinkGone):
        await door.team.invitation(first)
    assert len(await door.team.invitations(door.world.account.tenant.id)) == 1
    door.world.clock.moment += INVITED_FOR

    for token in (second, "", "made up"):
        with pytest.raises(LinkGone):
            await door.team.invitation(token)
    assert await door.team.invitations(door.world.account.tenant.id) == []


async def test_who_is_somewhere_already_joins_as_who_they_are(door: "Door") -> None:
    other = await door.world.open_account("Outra")
    ana, bia = await door.member(), await door.member("bia@loja.test", account=other)
    token = await invite(door, "ana@loja.test", tenant_id=other.tenant.id)
    with pytest.raises(Conflict):
        await door.team.join_new(token, BIA)
    with pytest.raises(LinkGone):
        await door.team.join_as(token, bia)
    await door.team.join_as(token, ana)
    who = await door.seen(await door.sign_in())

    assert len(await door.signing_in.memberships(who.user)) == 2
    with pytest.raises(SignInFailed):
        await door.sign_in(password=BIA.password)


@pytest.mark.parametrize(
    ("newcomer", "field"),
    [
        (Newcomer("Bia", "curta"), "password"),
        (Newcomer("Bia", "a" * 40), "password"),
        (Newcomer("Bia", "x" * 201), "password"),
        (Newcomer(" ", PASSWORD), "name"),
        (Newcomer("x" * 101, PASSWORD), "name"),
    ],
)
async def test_a_bad_password_or_name_is_refused_and_the_link_stays(
    door: "Door", newcomer: Newcomer, field: str
) -> None:
    token = await invite(door)
    with pytest.raises(InvalidField) as refused:
        await door.team.join_new(token, newcomer)

    assert refused.value.field == field
    assert (await door.team.join_new(token, BIA)).name == "Bia Lima"


async def test_what_is_no_address_or_tenant_is_not_invited(door: "Door") -> None:
    wrong = ("", "ana", "ana@", "a b@loja.test", "ana@loja", "a\x00@loja.test", "@loja.test")
    for email in (*wrong, "ana@[192.0.2.1]", "\ud800@loja.test"):
        with pytest.raises(InvalidField):
            await invite(door, email)
    with pytest.raises(UnknownTenant):
        await invite(door, tenant_id=new_id())


async def test_a_team_keeps_an_owner(door: "Door") -> None:
    ana, bia = await door.member(), await door.member("bia@loja.test", MemberRole.ANALYST)
    tenant_id, team = door.world.account.tenant.id, door.team
    with pytest.raises(Conflict):
        await team.remove(tenant_id, ana.id, by="user:x")
    with pytest.raises(Conflict):
        await team.change_role(tenant_id, ana.id, MemberRole.ANALYST, by="user:x")
    with pytest.raises(NotFound):
        await team.remove(tenant_id, new_id(), by="user:x")
    await team.change_role(tenant_id, bia.id, MemberRole.OWNER, by="user:x")
    both = await asyncio.gather(
        *(team.remove(tenant_id, one.id, by="user:x") for one in (ana, bia)),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in both) == ["Conflict", "NoneType"]


async def test_who_is_taken_out_of_a_team_sees_nothing_of_it(door: "Door") -> None:
    await door.member()
    bia = await door.member("bia@loja.test", MemberRole.OPERATOR)
    token = await door.sign_in("bia@loja.test")
    await door.team.remove(door.world.account.tenant.id, bia.id, by="user:x")

    assert (await door.seen(token)).membership is None


async def test_deeds_are_in_the_tenants_audit_log(door: "Door") -> None:
    ana = await door.member()
    tenant_id = door.world.account.tenant.id
    async with door.world.people.transaction(tenant_id=tenant_id) as tx:
        deeds = await list_audit(tx, tenant_id=tenant_id, limit=10)

    assert [(one["actor"], one["action"]) for one in deeds] == [
        (f"user:{ana.id}", "team.join"),
        ("cli:op", "team.invite"),
    ]
    assert "ana@loja.test" not in str(deeds)


async def test_a_forgotten_password_is_set_by_a_link_that_ends_all_sessions(door: "Door") -> None:
    await door.member()
    session = await door.sign_in()
    found = await door.new_passwords.forgot("Ana@loja.test", by="web")
    nobody = await door.new_passwords.forgot("nobody@loja.test", by="web")
    assert found is not None
    token, fresh = found[1], "cadeira nuvem martelo"
    with pytest.raises(InvalidField):
        await door.new_passwords.set_by_link(token, "curta")
    await door.new_passwords.set_by_link(token, fresh)

    assert nobody is None
    assert await door.signing_in.recognize(session) is None
    assert await door.sign_in(password=fresh)
    with pytest.raises(SignInFailed):
        await door.sign_in()
    with pytest.raises(LinkGone):
        await door.new_passwords.set_by_link(token, fresh)


async def test_a_link_for_a_password_is_good_for_two_hours_and_for_nothing_else(
    door: "Door",
) -> None:
    await door.member()
    found = await door.new_passwords.forgot("ana@loja.test", by="web")
    assert found is not None
    with pytest.raises(LinkGone):
        await door.team.invitation(found[1])
    door.world.clock.moment += PASSWORD_FOR

    with pytest.raises(LinkGone):
        await door.new_passwords.set_by_link(found[1], "cadeira nuvem martelo")


async def test_nothing_that_names_somebody_is_stored_plainly(door: "Door") -> None:
    await door.member()
    await invite(door)
    stored = []
    for table in ("users", "sessions", "one_time_links", "memberships", "sign_in_failures"):
        async with door.database.transaction() as tx:
            rows = await tx.fetch(f"select {table}::text as text from {table}")  # noqa: S608
        stored += [row["text"] for row in rows]

    assert len(stored) >= 4
    text = " ".join(stored)
    for word in ("ana@loja.test", "Ana Souza", "bia@loja.test", PASSWORD):
        assert word not in text
        assert word.encode().hex() not in text


async def test_nobody_is_invited_over_and_over(door: "Door") -> None:
    curso, other = door.world.account.tenant.id, await door.world.open_account("Outra")
    for _ in range(MOST_TO_EMAIL):
        await door.team.ask("bia@loja.test", tenant_id=curso)
    for tenant_id in (curso, other.tenant.id):
        with pytest.raises(TooManyRequests):
            await door.team.ask(" BIA@loja.test", tenant_id=tenant_id)
    await door.team.ask("caio@loja.test", tenant_id=curso)
    door.world.clock.forward(seconds=DAY.total_seconds())

    await door.team.ask("bia@loja.test", tenant_id=curso)


async def test_a_team_invites_only_so_many_in_a_day(door: "Door") -> None:
    curso, other = door.world.account.tenant.id, await door.world.open_account("Outra")
    for number in range(MOST_OF_TEAM):
        await door.team.ask(f"guest-{number}@loja.test", tenant_id=curso)
    with pytest.raises(TooManyRequests) as refused:
        await door.team.ask("bia@loja.test", tenant_id=curso)

    await door.team.ask("bia@loja.test", tenant_id=other.tenant.id)
    assert refused.value.retry_after_s is not None
    assert 0 < refused.value.retry_after_s <= DAY.total_seconds()
    with pytest.raises(InvalidField):
        await door.team.ask("bia", tenant_id=curso)
