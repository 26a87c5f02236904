"""A second factor over HTTP: on the account page, and at the door."""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.support.door import PASSWORD, Phone

from trackai.accounts.brake import MOST_OF_EMAIL
from trackai.accounts.codes import STEP_S
from trackai.accounts.entries import HALF_FOR
from trackai.dashboard.visiting import HALF_COOKIE
from trackai.model.access import MemberRole

if TYPE_CHECKING:
    from tests.dashboard.conftest import Browser, House

_SECRET = re.compile(r'<code class="once">([A-Z2-7]{32})</code>')
_CODE = re.compile(r"<li><code>([a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4})</code></li>")
_RIGHT = {"email": "ana@loja.test", "password": PASSWORD}


async def set_up(house: "House", browser: "Browser") -> Phone:
    """Turn it on, as its pages lead to."""
    began = await browser.submit("/account", "/account/second-factor", old=PASSWORD)
    secret = _SECRET.search((await browser.get("/account")).text)
    assert (began.status, bool(secret)) == (303, True)
    assert secret is not None
    phone = Phone(secret[1], house.world.clock)
    done = await browser.submit("/account", "/account/second-factor/confirm", code=phone.code())
    assert (done.status, "navegadores" in done.text) == (200, True)
    phone.recovery = _CODE.findall(done.text)
    house.world.clock.forward(seconds=STEP_S)
    return phone


async def test_it_is_set_up_with_a_picture_and_shown_codes_once(house: "House") -> None:
    browser = await house.browser_of(role=MemberRole.ANALYST)
    other = house.browser()
    other.token = await house.sign_in()
    wrong = await browser.submit("/account", "/account/second-factor", old="x")
    await browser.submit("/account", "/account/second-factor", old=PASSWORD)
    page = (await browser.get("/account")).text
    missed = await browser.submit("/account", "/account/second-factor/confirm", code="x")
    phone = await set_up(house, browser)
    after = (await browser.get("/account")).text

    assert (wrong.status, "não confere" in wrong.text) == (422, True)
    assert (await other.get("/account")).status == 303
    assert "<svg" in unquote(page.split('class="qr" src="')[1].split('"')[0])
    assert (missed.status, 'role="alert"' in missed.text) == (422, True)
    assert len({*phone.recovery}) == 10
    assert "Códigos de recuperação restantes: 10" in after
    for hidden in (phone.secret, *phone.recovery, "data:image/svg"):
        assert hidden not in after


async def test_signing_in_asks_for_the_code_and_leads_on(house: "House") -> None:
    phone, browser = await set_up(house, await house.browser_of()), house.browser()
    asked = await browser.post("/sign-in", **_RIGHT, next="/team")
    inside = await browser.get("/team")
    page = await browser.get(asked.to)
    recovery = await browser.get(f"{asked.to}&recovery=1")
    wrong = await browser.post("/sign-in/code", code="123", next="/team")
    no_recovery = await browser.post("/sign-in/code", code="123", next="/team", recovery="1")
    done = await browser.post("/sign-in/code", code=phone.code(), next="/team")

    assert (asked.status, asked.to) == (303, "/sign-in/code?next=/team")
    assert (inside.status, inside.to) == (303, "/sign-in?next=/team")
    assert (page.status, 'autocomplete="one-time-code"' in page.text) == (200, True)
    assert (recovery.status, "Código de recuperação" in recovery.text) == (200, True)
    assert (wrong.status, "já foi usado" in wrong.text) == (401, True)
    assert "Espere o próximo" in wrong.text
    assert "Escreva outro dos que você guardou" in no_recovery.text
    assert (done.status, done.to, browser.half) == (303, "/team", "")
    assert (await browser.get("/team")).status == 200


async def test_half_a_session_is_of_one_browser_and_short(house: "House") -> None:
    phone, browser = await set_up(house, await house.browser_of()), house.browser()
    asked = await browser.post("/sign-in", **_RIGHT)
    (cookie,) = asked.cookies
    said = {part.strip().lower() for part in cookie.split(";")[1:]}
    elsewhere = await house.browser().post("/sign-in/code", code=phone.code())
    foreign = house.browser()
    foreign.half, foreign.origin = browser.half, "https://evil.test"
    refused = await foreign.post("/sign-in/code", code=phone.code())
    house.world.clock.moment += HALF_FOR
    late = await browser.post("/sign-in/code", code=phone.code())
    page = await browser.get("/sign-in/code?next=/team")

    assert cookie.startswith(f"{HALF_COOKIE}=")
    assert {"httponly", "secure", "samesite=lax", "path=/", "max-age=300"} <= said
    assert (elsewhere.status, elsewhere.to) == (303, "/sign-in?next=/")
    assert refused.status == 403
    assert (late.status, late.to, page.to) == (303, "/sign-in?next=/", "/sign-in?next=/team")
    assert browser.token == ""


async def test_a_code_leads_to_no_other_site(house: "House") -> None:
    phone, browser = await set_up(house, await house.browser_of()), house.browser()
    asked = await browser.post("/sign-in", **_RIGHT, next="//evil.test")
    page = await browser.get("/sign-in/code?next=https://evil.test")
    done = await browser.post("/sign-in/code", code=phone.code(), next="/\\evil.test")

    assert asked.to == "/sign-in/code?next=/"
    assert "evil" not in page.text
    assert done.to == "/"


async def test_guessing_codes_is_slowed_down(house: "House") -> None:
    phone, browser = await set_up(house, await house.browser_of()), house.browser()
    await browser.post("/sign-in", **_RIGHT)
    found = [(await browser.post("/sign-in/code", code="123")).status for _ in range(MOST_OF_EMAIL)]
    slowed = await browser.post("/sign-in/code", code=phone.code())

    assert found == [401] * MOST_OF_EMAIL
    assert (slowed.status, "Espere quinze minutos" in slowed.text) == (429, True)


async def test_a_recovery_code_lets_in_and_turns_it_off(house: "House") -> None:
    phone, browser = await set_up(house, await house.browser_of()), house.browser()
    await browser.post("/sign-in", **_RIGHT)
    done = await browser.post("/sign-in/code", code=phone.recovery[0], recovery="1")
    off = "/account/second-factor/off"
    used = await browser.submit("/account", off, old=PASSWORD, code=phone.recovery[0])
    turned = await browser.submit("/account", off, old=PASSWORD, code=phone.recovery[1])
    again = await house.browser().post("/sign-in", **_RIGHT)

    assert (done.status, used.status, turned.status) == (303, 422, 303)
    assert (again.status, again.to) == (303, "/")


async def test_a_stolen_session_does_not_guess_the_password(house: "House") -> None:
    browser = await house.browser_of()
    phone = await set_up(house, browser)
    change = {"new": "cadeira nuvem martelo"}
    for _ in range(MOST_OF_EMAIL):
        await browser.submit("/account", "/account/password", old="wrong", **change)
    slowed = await browser.submit("/account", "/account/password", old=PASSWORD, **change)
    off = await browser.submit(
        "/account", "/account/second-factor/off", old=PASSWORD, code=phone.code()
    )

    assert (slowed.status, "Espere quinze minutos" in slowed.text) == (429, True)
    assert off.status == 429
    assert (await browser.get("/")).status == 200


async def test_an_owner_sees_who_has_one_and_what_was_done(house: "House") -> None:
    owner = await house.browser_of()
    before = (await owner.get("/team")).text
    await set_up(house, owner)
    after, audit = (await owner.get("/team")).text, (await owner.get("/audit")).text

    assert ("<td>sim</td>" in before, "<td>sim</td>" in after) == (False, True)
    assert "<code>user.second_factor_on</code>" in audit


async def test_a_sign_in_that_failed_is_noted_after_its_answer(house: "House") -> None:
    owner = await house.browser_of()
    await house.browser().post("/sign-in", **(_RIGHT | {"password": "x"}))
    await house.browser().post("/sign-in", email="nobody@loja.test", password="x")
    shown = ""
    while "user.sign_in_failed" not in shown:  # pytest's own limit ends it
        shown = (await owner.get("/audit")).text

    assert shown.count("<code>user.sign_in_failed</code>") == 1
