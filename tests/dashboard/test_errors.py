"""Every error that a page can show: in the reader's language, in the pages' look, and a way on."""

from html import unescape
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request

from trackai.dashboard.error_pages import code_of, error_page, page_before
from trackai.dashboard.rendering import HEADERS
from trackai.dashboard.words import LANGUAGES, say, words_of
from trackai.errors import (
    BodyTooSlow,
    InvariantBroken,
    StorageGone,
    TooManyRequests,
    TrackaiError,
)
from trackai.model.access import MemberRole

if TYPE_CHECKING:
    from tests.dashboard.conftest import Answer, House

LOCALES = {"pt": "pt-BR", "en": "en-US"}
# What only platforms, scripts and programs are told: it arises where no page is.
NOT_ON_PAGES = {
    *("tenant_missing", "proof_failed", "spool_full"),
    *("backup_failed", "backup_damaged", "cloudwatch_unavailable"),
}
# Bugs of ours, whatever they are: that something broke is what people have of it.
BUGS = {"invariant_broken", "statement_refused"}
# A receipt's; workers note it there.
NOTED = {"payload_not_understood"}


def every(kind: type[TrackaiError] = TrackaiError) -> list[type[TrackaiError]]:
    """Return a class and all that come of it, but for those of the edge and the API."""
    ours = [kind] if kind.__module__.startswith(("trackai.errors", "trackai.dashboard")) else []
    return [*ours, *(one for child in kind.__subclasses__() for one in every(child))]


def asked(method: str = "GET", path: str = "/team", **headers: str) -> Request:
    """Return a request as a browser makes it."""
    said = {"host": "track.loja.test", "accept": "text/html", **headers}
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in said.items()]
    return Request(
        {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": raw,
            "scheme": "https",
        }
    )


def is_page(answer: "Answer", code: str, language: str = "pt") -> bool:
    """Tell whether an answer is the page of an error."""
    text = unescape(answer.text)
    said = {name.lower(): value for name, value in answer.headers.items()}
    return (
        say(language, f"errors.{code}") in text
        and say(language, "errors.title") in text
        and 'class="door"' in text
        and HEADERS.items() <= said.items()
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", sorted({one.code for one in every()} - NOT_ON_PAGES - NOTED))
def test_every_error_has_words_and_says_what_to_do(code: str, language: str) -> None:
    kind = next(one for one in every() if one.code == code)
    error = kind.__new__(kind)
    Exception.__init__(error, "In English.")
    error.field, error.retry_after_s = None, None
    page = error_page(asked(accept_language=LOCALES[language]), error)
    text = unescape(bytes(page.body).decode())

    assert page.status_code == kind.status
    assert say(language, f"errors.{'error' if code in BUGS else code}") in text
    # What is wrong, and what to do about it.
    assert words_of(language)[f"errors.{code_of(error)}"].count(". ") >= 1
    assert "In English." not in text
    assert f'lang="{"en" if language == "en" else "pt-BR"}"' in text


def test_no_words_are_of_an_error_that_there_is_not() -> None:
    ways = {"title", "back", "again", "to_form", "to_account"}
    told = {key.removeprefix("errors.") for key in words_of("pt") if key.startswith("errors.")}

    assert told - ways - {one.code for one in every()} == set()
    assert told & (BUGS | NOTED | NOT_ON_PAGES) == set()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_address_a_method_and_a_role(house: "House", language: str) -> None:
    analyst = await house.browser_of(role=MemberRole.ANALYST)
    await analyst.submit("/account", "/account/language", language=language)
    stranger = house.browser(LOCALES[language])

    assert is_page(await analyst.get("/nowhere"), "not_found", language)
    assert is_page(await analyst.get("/team"), "forbidden", language)
    assert is_page(await stranger.get("/join/x"), "link_gone", language)
    # Whoever lost a password is led to where another link is asked for.
    lost = [await stranger.get("/password/x"), await stranger.post("/password/x", password="y")]
    assert [is_page(one, "password_link_gone", language) for one in lost] == [True, True]
    assert ['href="/forgot"' in one.text for one in lost] == [True, True]
    method = await stranger.get("/sign-out")
    assert (method.status, is_page(method, "method_not_allowed", language)) == (405, True)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_form_that_is_too_large_is_told_so_on_a_page(house: "House", language: str) -> None:
    browser = house.browser(LOCALES[language])
    answer = await browser.post("/sign-in", email="x" * 100_000)

    assert (answer.status, is_page(answer, "body_too_large", language)) == (413, True)
    assert answer.headers["Connection"] == "close"


async def test_forms_of_old_pages_and_of_other_sites(house: "House") -> None:
    browser = await house.browser_of()
    without = await browser.post("/keys", name="x")
    browser.origin = "https://evil.test"
    foreign = await browser.submit("/keys", "/keys", name="x")

    assert (without.status, is_page(without, "page_too_old")) == (403, True)
    assert (foreign.status, is_page(foreign, "from_elsewhere")) == (403, True)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_owners_are_not_sent_to_owners_for_what_is_of_the_installation(
    house: "House", method: str
) -> None:
    browser = await house.browser_of()
    if method == "GET":
        answer = await browser.get("/go-live")
    else:
        answer = await browser.submit("/flags", "/flags/everybody/kill", key="gateway.kiwify")

    assert (answer.status, is_page(answer, "operators_only")) == (403, True)


async def test_who_is_in_no_team_is_led_to_their_account(house: "House") -> None:
    browser = await house.browser_of()
    tenant_id = house.world.account.tenant.id
    (ana,) = await house.team.colleagues(tenant_id)
    await house.member("bia@loja.test", MemberRole.OWNER)
    await house.team.remove(tenant_id, ana.user_id, by="user:x")
    answer = await browser.get("/")

    assert (answer.status, is_page(answer, "no_team")) == (403, True)
    assert 'href="/account"' in answer.text
    assert (await browser.get("/account")).status == 200


async def test_another_tenants_things_are_not_there(house: "House") -> None:
    other = await house.world.open_account("Outra")
    browser = await house.browser_of()
    connection = other.connections["kiwify"]
    answer = await browser.get(f"/connections/gateways/{connection.id}")
    changed = await browser.submit("/", "/tenant", tenant_id=str(other.tenant.id))

    assert (answer.status, is_page(answer, "not_found")) == (404, True)
    assert (changed.status, is_page(changed, "not_found")) == (404, True)


async def test_a_session_that_is_over_is_told_so_and_leads_back(house: "House") -> None:
    browser = await house.browser_of()
    who = await house.seen(browser.token)
    await house.signing_in.end_session(who.user.id, who.session.id)
    opened = await browser.get("/team")
    sent = await browser._ask("POST", "/keys", {"name": "x"}, {"Referer": f"{house.url}/keys?a=b"})
    page = await browser.get(opened.to)

    assert (opened.status, opened.to) == (303, "/sign-in?next=/team&over=1")
    assert (sent.status, sent.to) == (303, "/sign-in?next=/keys%3Fa%3Db&over=1")
    assert say("pt", "sign_in.over") in unescape(page.text)
    assert (await house.browser().get("/team")).to == "/sign-in?next=/team"


@pytest.mark.parametrize("path", ["/", "/sign-in", "/campaigns/spend"])
async def test_a_database_that_is_away_is_told_so(
    house: "House", monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    browser = await house.browser_of()

    async def away(_token: str) -> None:
        raise StorageGone("The database is away: OSError.", retry_after_s=1.0)

    monkeypatch.setattr(house.signing_in, "recognize", away)
    answer = await browser.get(path)
    program = await browser.get(path, Accept="*/*")

    assert (answer.status, is_page(answer, "storage_unavailable")) == (503, True)
    assert f'class="button" href="{path}"' in answer.text
    assert (answer.headers["Retry-After"], answer.headers["Cache-Control"]) == ("1", "no-store")
    assert '"code":"storage_unavailable"' in program.text


async def test_what_breaks_is_told_and_noted_without_its_address(
    house: "House", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def breaks(_token: str) -> None:
        raise InvariantBroken("A bug.")

    monkeypatch.setattr(house.team, "invitation", breaks)
    answer = await house.browser().get("/join/secret-token")

    assert (answer.status, is_page(answer, "error")) == (500, True)
    noted = capsys.readouterr()
    assert "page.failed" in noted.out + noted.err
    assert "secret-token" not in noted.out + noted.err


def test_an_error_leads_on_to_where_it_may_go_better() -> None:
    def led(request: Request, error: TrackaiError) -> str:
        text = bytes(error_page(request, error).body).decode()
        return text.split('class="button" href="')[1].split('"')[0]

    slow, many = BodyTooSlow("Too slow."), TooManyRequests("Wait.", retry_after_s=70.2)
    form = asked("POST", "/keys", referer="https://track.loja.test/keys")

    assert led(form, slow) == "/keys"
    assert led(asked("POST", "/keys", referer="https://evil.test/keys"), slow) == "/"
    assert led(asked("POST", "/keys"), slow) == "/"
    assert led(asked(path="/live"), many) == "/live"
    assert led(asked(path="//evil.test/x"), many) == "/"
    assert error_page(asked(), many).headers["retry-after"] == "71"


@pytest.mark.parametrize(
    ("referer", "before"),
    [
        ("", None),
        ("https://evil.test/team", None),
        ("https://track.loja.test/team?a=b", "/team?a=b"),
        ("https://track.loja.test", "/"),
        ("https://track.loja.test//evil.test", "/"),
        ("https://track.loja.test/\\evil.test", "/"),
    ],
)
def test_only_pages_of_this_site_are_led_back_to(referer: str, before: str | None) -> None:
    assert page_before(asked("POST", referer=referer)) == before
