"""Coming in and going out, over HTTP as browsers speak it."""

from typing import TYPE_CHECKING

import pytest
from tests.support.door import PASSWORD

from trackai.accounts.brake import MOST_OF_ADDRESS
from trackai.dashboard.visiting import COOKIE
from trackai.model.access import MemberRole
from trackai.storage import users
from trackai.storage.audit_logs import list_audit

if TYPE_CHECKING:
    from tests.dashboard.conftest import House

NEW = {"name": "Bia Lima", "password": "outra senha bem longa", "language": "en"}


async def invited(house: "House", email: str = "bia@loja.test") -> str:
    token = await house.team.invite(
        email,
        tenant_id=house.world.account.tenant.id,
        role=MemberRole.ANALYST,
        by="cli:op",
    )
    return f"/join/{token}"


async def test_an_invitation_leads_to_the_first_page(house: "House") -> None:
    link, browser = await invited(house), house.browser()
    shown = await browser.get(link)
    joined = await browser.post(link, **NEW)
    home = await browser.get(joined.to)
    again = await house.browser("en").get(link)

    assert ("Curso" in shown.text, "analista" in shown.text) == (True, True)
    assert (joined.status, joined.to) == (303, "/")
    assert home.status == 200
    assert '<html lang="en">' in home.text
    assert (again.status, "used already" in again.text) == (404, True)


async def test_the_cookie_is_kept_from_scripts_other_sites_and_open_lines(house: "House") -> None:
    await house.member()
    browser = house.browser()
    answer = await browser.post("/sign-in", email="ana@loja.test", password=PASSWORD)
    (cookie,) = answer.cookies
    said = {part.strip().lower() for part in cookie.split(";")[1:]}

    assert cookie.startswith(f"{COOKIE}=")
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= said
    assert not [one for one in said if one.startswith("domain")]


@pytest.mark.parametrize("bad", [{"password": "curta"}, {"name": " "}])
async def test_what_cannot_be_taken_is_said_and_what_was_written_stays(
    house: "House", bad: dict[str, str]
) -> None:
    link, browser = await invited(house), house.browser()
    refused = await browser.post(link, **(NEW | bad))

    assert (refused.status, 'role="alert"' in refused.text) == (422, True)
    assert ("name" in bad) or 'value="Bia Lima"' in refused.text
    assert "senha bem longa" not in refused.text
    assert (await browser.post(link, **NEW)).status == 303


async def test_signing_in_leads_to_where_one_wanted_to_go(house: "House") -> None:
    await house.member()
    browser = house.browser()
    asked = await browser.get("/?period=30d")
    page = await browser.get(asked.to)
    answer = await browser.post("/sign-in", email="ana@loja.test", password=PASSWORD, next="/")

    assert (asked.status, asked.to) == (303, "/sign-in?next=/")
    assert page.status == 200
    assert (answer.status, answer.to) == (303, "/")
    assert (await browser.get("/sign-in")).to == "/"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "evil", ""],
)
async def test_signing_in_leads_to_no_other_site(house: "House", elsewhere: str) -> None:
    await house.member()
    answer = await house.browser().post(
        "/sign-in", email="ana@loja.test", password=PASSWORD, next=elsewhere
    )

    assert answer.to == "/"


async def test_a_wrong_password_is_said_in_the_readers_language(house: "House") -> None:
    await house.member()
    wrong = {"email": "ana@loja.test", "password": "errada"}
    first = await house.browser().post("/sign-in", **wrong)
    second = await house.browser("en-US,en;q=0.9").post("/sign-in", **wrong)
    for _ in range(3):
        await house.browser().post("/sign-in", **wrong)
    slowed = await house.browser().post("/sign-in", **(wrong | {"password": PASSWORD}))

    assert (first.status, "não combinam" in first.text) == (401, True)
    assert "do not fit" in second.text
    assert 'value="ana@loja.test"' in first.text
    assert (slowed.status, slowed.cookies) == (429, [])


@pytest.mark.parametrize("origin", ["https://evil.test", "null", ""])
async def test_what_another_sites_page_sends_is_refused(house: "House", origin: str) -> None:
    browser = await house.browser_of()
    browser.origin = origin
    out = await browser.submit("/", "/sign-out")
    entry = await browser.post("/sign-in", email="ana@loja.test", password=PASSWORD)

    assert (out.status, entry.status) == (403, 403)
    assert (await browser.get("/")).status == 200


@pytest.mark.parametrize("proof", ["", "00", "zz" * 64, "00" * 64])
async def test_a_form_without_its_pages_proof_is_refused(house: "House", proof: str) -> None:
    browser = await house.browser_of()
    refused = await browser.post("/sign-out", csrf=proof)

    assert refused.status == 403
    assert (await browser.get("/")).status == 200


async def test_a_proof_is_of_one_session(house: "House") -> None:
    ana, bia = await house.browser_of(), await house.browser_of("bia@loja.test")
    page = (await ana.get("/")).text
    proof = page.split('name="csrf" value="')[1].split('"')[0]

    assert (await bia.post("/sign-out", csrf=proof)).status == 403
    assert proof not in (await ana.get("/")).text


async def test_signing_out_ends_the_session_itself(house: "House") -> None:
    browser = await house.browser_of()
    token = browser.token
    out = await browser.submit("/", "/sign-out")
    browser.token = token

    assert (out.status, out.to) == (303, "/sign-in")
    assert (await browser.get("/")).status == 303


async def test_a_new_password_is_set_by_a_link(house: "House") -> None:
    await house.member()
    found = await house.new_passwords.forgot("ana@loja.test", by="cli:op")
    assert found is not None
    link, browser = f"/password/{found[1]}", house.browser()
    short = await browser.post(link, password="curta")
    done = await browser.post(link, password="cadeira nuvem martelo")

    assert (short.status, 'role="alert"' in short.text) == (422, True)
    assert (done.status, (await browser.get("/")).status) == (303, 200)
    assert (await house.browser().get(link)).status == 404
    assert await house.sign_in(password="cadeira nuvem martelo")


async def test_a_password_that_was_changed_ends_a_link_that_waits(house: "House") -> None:
    browser = await house.browser_of()
    found = await house.new_passwords.forgot("ana@loja.test", by="web")
    assert found is not None
    link, new = f"/password/{found[1]}", "cadeira nuvem martelo"
    open_before = await house.browser().get(link)
    done = await browser.submit("/account", "/account/password", old=PASSWORD, new=new)

    assert (open_before.status, done.status) == (200, 200)
    assert (await house.browser().get(link)).status == 404
    assert (await house.browser().post(link, password="janela pedra vento")).status == 404


async def test_somebody_known_joins_another_team_by_signing_in(house: "House") -> None:
    other = await house.world.open_account("Outra")
    browser = await house.browser_of()
    token = await house.team.invite(
        "ana@loja.test", tenant_id=other.tenant.id, role=MemberRole.OWNER, by="cli:op"
    )
    link = f"/join/{token}"
    stranger = await house.browser().get(link)
    joined = await browser.submit(link, link)
    switched = await browser.submit("/", "/tenant", tenant_id=str(other.tenant.id))
    home = await browser.get("/")

    assert 'name="password"' not in stranger.text
    assert f"/sign-in?next={link}" in stranger.text
    assert (joined.status, switched.status) == (303, 303)
    assert "Outra" in home.text


async def test_another_tenant_is_entered_by_its_team_and_by_operators_who_leave_a_note(
    house: "House",
) -> None:
    other = await house.world.open_account("Outra")
    browser = await house.browser_of()
    wanted = {"tenant_id": str(other.tenant.id)}
    refused = await browser.submit("/", "/tenant", **wanted)
    nonsense = await browser.submit("/", "/tenant", tenant_id="x")
    async with house.database.transaction() as tx:
        user = await users.find_by_email(tx, house.world.envelope, "ana@loja.test")
        assert user is not None
        await users.make_platform_operator(tx, user_id=user.id)
    entered = await browser.submit("/", "/tenant", **wanted)
    async with house.world.people.transaction(tenant_id=other.tenant.id) as tx:
        deeds = await list_audit(tx, tenant_id=other.tenant.id, limit=5)

    assert (refused.status, nonsense.status, entered.status) == (404, 404, 303)
    assert [(one["actor"], one["action"]) for one in deeds] == [(f"user:{user.id}", "tenant.enter")]


async def test_who_guesses_behind_a_proxy_slows_nobody_else_down(house: "House") -> None:
    await house.member()
    guesser, ana = house.browser(), house.browser()
    guesser.client, ana.client = "198.51.100.7", "203.0.113.9"
    for number in range(MOST_OF_ADDRESS):
        await guesser.post("/sign-in", email=f"nobody{number}@loja.test", password="x")
    right = {"email": "ana@loja.test", "password": PASSWORD}

    assert (await guesser.post("/sign-in", **right)).status == 429
    assert (await ana.post("/sign-in", **right)).status == 303
