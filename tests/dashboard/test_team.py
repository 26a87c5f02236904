"""Pages of owners: the team, keys, the audit log; and everybody's own."""

import re
from html import unescape
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from tests.support.door import PASSWORD

from trackai.accounts.team import MOST_TO_EMAIL
from trackai.model.access import MemberRole

if TYPE_CHECKING:
    from tests.dashboard.conftest import House


async def test_an_owner_invites_changes_and_removes(house: "House") -> None:
    owner = await house.browser_of()
    made = await owner.submit("/team", "/team/invitations", email="bia@loja.test", role="analyst")
    link = re.search(r"https://track.loja.test(/join/[^<\s]+)", made.text)
    assert link
    guest = house.browser()
    new = {"name": "Bia Lima", "password": "outra senha bem longa"}
    joined = await guest.post(link[1], **new)
    bia = next(
        one
        for one in await house.team.colleagues(house.world.account.tenant.id)
        if one.email == "bia@loja.test"
    )
    forbidden = await guest.get("/team")
    changed = await owner.submit("/team", f"/team/{bia.user_id}/role", role="owner")
    allowed = await guest.get("/team")
    removed = await owner.submit("/team", f"/team/{bia.user_id}/remove")
    gone = await guest.get("/")

    assert (made.status, joined.status) == (200, 303)
    assert link[1] not in (await owner.get("/team")).text
    assert (forbidden.status, changed.status, allowed.status) == (403, 303, 200)
    assert (removed.status, gone.status) == (303, 403)


async def test_what_cannot_be_done_with_a_team_is_said(house: "House") -> None:
    owner = await house.browser_of()
    ana = (await house.team.colleagues(house.world.account.tenant.id))[0].user_id
    no_email = await owner.submit("/team", "/team/invitations", email="bia", role="owner")
    no_role = await owner.submit("/team", "/team/invitations", email="b@y.test", role="king")
    last = await owner.submit("/team", f"/team/{ana}/role", role="analyst")
    leaving = await owner.submit("/team", f"/team/{ana}/remove")

    assert (no_email.status, "não é um e-mail" in no_email.text) == (422, True)
    assert 'value="bia"' in no_email.text
    assert no_role.status == 404
    assert (last.status, "precisa de um proprietário" in last.text) == (422, True)
    assert leaving.status == 422


async def test_too_many_invitations_are_refused_and_none_is_sent(house: "House") -> None:
    owner = await house.browser_of()
    invited = {"email": "bia@loja.test", "role": "analyst"}
    made = [
        await owner.submit("/team", "/team/invitations", **invited) for _ in range(MOST_TO_EMAIL)
    ]
    refused = await owner.submit("/team", "/team/invitations", **invited)

    assert {one.status for one in made} == {200}
    assert (refused.status, "Convites demais" in refused.text) == (429, True)
    assert house.postbox.letters.qsize() == MOST_TO_EMAIL


async def test_an_invitation_is_withdrawn(house: "House") -> None:
    owner = await house.browser_of()
    made = await owner.submit("/team", "/team/invitations", email="bia@loja.test", role="analyst")
    link = re.search(r"https://track.loja.test(/join/[^<\s]+)", made.text)
    assert link
    taken = await owner.submit("/team", "/team/invitations/withdraw", email="bia@loja.test")
    again = await owner.submit("/team", "/team/invitations/withdraw", email="bia@loja.test")

    assert (taken.status, again.status) == (303, 404)
    assert (await house.browser().get(link[1])).status == 404


async def test_another_teams_members_are_out_of_reach(house: "House") -> None:
    other = await house.world.open_account("Outra")
    bia = await house.member("bia@loja.test", account=other)
    owner = await house.browser_of()

    assert (await owner.submit("/team", f"/team/{bia.id}/remove")).status == 404
    assert (await owner.submit("/team", f"/team/{bia.id}/role", role="analyst")).status == 404
    assert "bia@loja.test" not in (await owner.get("/team")).text


async def test_a_key_is_shown_once_and_revoked(house: "House") -> None:
    owner = await house.browser_of()
    made = await owner.submit("/keys", "/keys", name="Planilha", scope_read="1")
    key = re.search(r"trk_[A-Za-z0-9_-]{40,}", made.text)
    page = (await owner.get("/keys")).text
    address = re.search(r"/keys/[0-9a-f-]{36}/revoke", page)
    assert key
    assert address
    revoked = await owner.submit("/keys", address[0])
    again = await owner.submit("/keys", address[0])
    nameless = await owner.submit("/keys", "/keys", name=" ", scope_read="1")
    useless = await owner.submit("/keys", "/keys", name="x")

    assert key[0] not in page
    assert (revoked.status, again.status) == (303, 404)
    assert (nameless.status, useless.status) == (422, 422)
    assert "revogada em" in (await owner.get("/keys")).text


async def test_deeds_are_listed_by_who_did_them(house: "House") -> None:
    owner = await house.browser_of()
    await owner.submit("/keys", "/keys", name="Planilha", scope_read="1")
    page = (await owner.get("/audit")).text

    assert "<code>api_key.create</code>" in page
    assert "<td>Ana Souza</td>" in page


async def test_somebody_changes_language_and_password(house: "House") -> None:
    browser, other = await house.browser_of(role=MemberRole.ANALYST), house.browser()
    other.token = await house.sign_in()
    english = await browser.submit("/account", "/account/language", language="en")
    nonsense = await browser.submit("/account", "/account/language", language="xx")
    fields = {"old": PASSWORD, "new": "cadeira nuvem martelo"}
    wrong = await browser.submit("/account", "/account/password", **(fields | {"old": "x"}))
    short = await browser.submit("/account", "/account/password", **(fields | {"new": "x"}))
    done = await browser.submit("/account", "/account/password", **fields)

    assert (english.status, nonsense.status) == (303, 422)
    assert '<html lang="en">' in (await browser.get("/")).text
    assert (wrong.status, "not your current password" in wrong.text) == (422, True)
    assert (short.status, "15 to 200" in short.text) == (422, True)
    assert (done.status, "signed out" in done.text) == (200, True)
    assert ((await browser.get("/")).status, (await other.get("/")).status) == (200, 303)


async def test_browsers_were_seen_at_a_time_of_the_accounts_zone(house: "House") -> None:
    owner = await house.browser_of()
    zone = ZoneInfo(house.world.account.tenant.time_zone)
    at = house.world.clock.now().astimezone(zone)
    page = (await owner.get("/account")).text

    assert f"visto em {at:%d/%m/%Y %H:%M}" in unescape(page)


async def test_another_browser_is_signed_out(house: "House") -> None:
    browser, other = await house.browser_of(), house.browser()
    other.token = await house.sign_in()
    page = (await browser.get("/account")).text
    address = re.search(r"/account/sessions/[0-9a-f-]{36}/end", page)
    assert address
    ended = await browser.submit("/account", address[0])

    assert ended.status == 303
    assert ((await browser.get("/")).status, (await other.get("/")).status) == (200, 303)


@pytest.mark.parametrize("path", ["/account/sessions/x/end", "/keys/x/revoke", "/team/x/remove"])
async def test_an_id_that_is_none_is_an_address_that_is_none(house: "House", path: str) -> None:
    browser = await house.browser_of()

    assert (await browser.submit("/account", path)).status == 404
