"""Messages that pages send: a forgotten password, an invitation."""

import re
from typing import TYPE_CHECKING

import pytest
from tests.support.door import PASSWORD

from trackai.accounts.new_passwords import MOST_FROM_ADDRESS, MOST_TO_EMAIL
from trackai.model.access import MemberRole

if TYPE_CHECKING:
    from tests.dashboard.conftest import House

_LINK = re.compile(r"https://track\.loja\.test(/\S+)")
NEW = "cadeira nuvem martelo"


async def test_who_forgot_their_password_is_sent_a_link(house: "House") -> None:
    await house.member()
    browser = house.browser("en")
    led = "/forgot" in (await browser.get("/sign-in")).text
    page = await browser.get("/forgot")
    asked = await browser.post("/forgot", email=" Ana@loja.test ")
    letter = await house.postbox.letters.get()
    link = _LINK.search(letter.text)
    assert link
    done = await browser.post(link[1], password=NEW)

    assert (led, page.status, asked.status) == (True, 200, 200)
    assert (letter.to, letter.subject) == ("ana@loja.test", "Nova senha no Track AI")
    assert (done.status, (await browser.get("/")).status) == (303, 200)
    assert await house.sign_in(password=NEW)


async def test_the_answer_does_not_tell_who_is_known(house: "House") -> None:
    await house.member()
    await house.member("bia@loja.test")
    await house.team.set_disabled("bia@loja.test", disabled=True)
    answers = [
        await house.browser().post("/forgot", email=email)
        for email in ("nobody@loja.test", "bia@loja.test", "ana@loja.test")
    ]
    letter = await house.postbox.letters.get()

    assert len({(one.status, one.text) for one in answers}) == 1
    assert "loja.test" not in answers[0].text
    assert (letter.to, house.postbox.letters.empty()) == ("ana@loja.test", True)


async def test_it_is_answered_before_anybody_is_looked_up(house: "House") -> None:
    await house.member()
    house.postbox.gate.clear()
    asked = await house.browser().post("/forgot", email="ana@loja.test")
    waiting = house.postbox.letters.empty()
    house.postbox.gate.set()

    assert (asked.status, waiting) == (200, True)
    assert (await house.postbox.letters.get()).to == "ana@loja.test"


async def test_asking_is_slowed_down_for_one_e_mail(house: "House") -> None:
    for email in ("ana@loja.test", "nobody@loja.test"):
        found = []
        for number in range(MOST_TO_EMAIL + 1):
            browser = house.browser()
            browser.client = f"198.51.100.{number}"
            found.append((await browser.post("/forgot", email=email)).status)

        assert found == [*[200] * MOST_TO_EMAIL, 429]


async def test_asking_is_slowed_down_for_one_client(house: "House") -> None:
    await house.member()
    browser, other = house.browser(), house.browser()
    other.client = "198.51.100.9"
    for number in range(MOST_FROM_ADDRESS):
        await browser.post("/forgot", email=f"nobody{number}@loja.test")
    refused = await browser.post("/forgot", email="ana@loja.test")

    assert (refused.status, "Espere quinze minutos" in refused.text) == (429, True)
    assert (await other.post("/forgot", email="ana@loja.test")).status == 200
    # Asking for a link does not count as a guess.
    assert (await browser.post("/sign-in", email="ana@loja.test", password=PASSWORD)).status == 303


async def test_what_is_no_e_mail_is_said_and_no_other_site_asks(house: "House") -> None:
    browser = house.browser()
    wrong = await browser.post("/forgot", email="ana")
    browser.origin = "https://evil.test"
    foreign = await browser.post("/forgot", email="ana@loja.test")

    assert (wrong.status, "não é um e-mail" in wrong.text) == (422, True)
    assert foreign.status == 403
    assert house.postbox.letters.empty()


async def test_a_message_that_does_not_go_changes_no_answer(house: "House") -> None:
    await house.member()
    house.postbox.works = False
    asked = await house.browser().post("/forgot", email="ana@loja.test")
    again = await house.browser().post("/forgot", email="nobody@loja.test")

    assert (asked.status, asked.text) == (again.status, again.text)


@pytest.mark.parametrize(
    ("works", "reaches_people", "shown"),
    [(True, True, False), (True, False, True), (False, True, True)],
)
async def test_an_invitation_is_mailed_and_its_link_shown_when_it_may_not_arrive(
    house: "House",
    *,
    works: bool,
    reaches_people: bool,
    shown: bool,
) -> None:
    owner = await house.browser_of()
    house.postbox.works, house.postbox.reaches_people = works, reaches_people
    made = await owner.submit("/team", "/team/invitations", email="bia@loja.test", role="analyst")

    assert (made.status, "track.loja.test/join/" in made.text) == (200, shown)
    assert ("enviado por e-mail" in made.text) is not shown
    if works:
        letter = house.postbox.letters.get_nowait()
        link = _LINK.search(letter.text)
        assert link
        assert (letter.to, "Curso" in letter.subject) == ("bia@loja.test", True)
        assert (await house.browser().get(link[1])).status == 200


async def test_a_guest_who_is_known_reads_their_own_language(house: "House") -> None:
    other = await house.world.open_account("Outra")
    owner = await house.browser_of()
    bia = await house.member("bia@loja.test", account=other)
    await house.team.set_language(bia, "en")
    for email in ("bia@loja.test", "carla@loja.test"):
        await owner.submit("/team", "/team/invitations", email=email, role=MemberRole.ANALYST)
    subjects = [(await house.postbox.letters.get()).subject.split()[0] for _ in range(2)]

    assert subjects == ["Invitation", "Convite"]


async def test_without_mail_the_page_says_whom_to_ask(mailless: "House") -> None:
    await mailless.member()
    page = await mailless.browser().get("/forgot")
    asked = await mailless.browser().post("/forgot", email="ana@loja.test")
    owner = await mailless.browser_of("bia@loja.test")
    made = await owner.submit("/team", "/team/invitations", email="c@loja.test", role="analyst")

    for answer in (page, asked):
        assert answer.status == 200
        assert "trackai user password" in answer.text
        assert 'name="email"' not in answer.text
    assert "track.loja.test/join/" in made.text
    assert mailless.postbox.letters.empty()
