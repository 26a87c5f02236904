"""People come in by commands, pages and messages alone, at the running program."""

import asyncio
import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import pyotp
import pytest
from tests.mail.conftest import OpenOffice, open_office

from trackai.dashboard.visiting import COOKIE

if TYPE_CHECKING:
    from tests.support.program import Place

__all__ = ["open_office"]

NEW = {"name": "Ana Souza", "password": "cavalo bateria grampo", "language": "en"}
SITE = "https://track.example.com"
_SECRET = re.compile(r'<code class="once">([A-Z2-7]{32})</code>')
_PROOF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody's browser, signed in."""

    http: aiohttp.ClientSession
    base: str
    token: str

    async def get(self, path: str) -> str:
        """Open a page."""
        async with self.http.get(f"{self.base}{path}", headers=self._headers()) as page:
            return await page.text()

    async def post(self, path: str, **fields: str) -> str:
        """Send a form with the proof of a page."""
        proof = _PROOF.search(await self.get("/account"))
        assert proof
        data = fields | {"csrf": proof[1]}
        async with self.http.post(
            f"{self.base}{path}", data=data, headers=self._headers()
        ) as answer:
            assert answer.status == 200, path
            return await answer.text()

    def _headers(self) -> dict[str, str]:
        held = f"{COOKIE}={self.token}"
        return {"Origin": self.base, "Accept": "text/html", "Cookie": held}


async def joined(http: aiohttp.ClientSession, base: str, link: str) -> Person:
    """Take an invitation up."""
    async with http.post(
        f"{base}{link}", data=NEW, headers={"Origin": base}, allow_redirects=False
    ) as answer:
        return Person(http, base, answer.cookies[COOKIE].value)


@pytest.fixture
def owner(place: "Place") -> str:
    """Return the path of an invitation to the first owner."""
    place.variables["TRACKAI_PUBLIC_URL"] = SITE
    place.json("tenant", "create", "Loja")
    link: str = place.json("user", "invite", "ana@example.com", "--tenant", "Loja")["link"]
    return link[link.index("/join/") :]


async def test_the_console_says_how_the_first_owner_comes_in_and_shows_messages(
    place: "Place", owner: str, stack: ExitStack, http: aiohttp.ClientSession
) -> None:
    program = stack.enter_context(place.start("up", "--port", "0"))
    base = program.wait_for("up")["address"]
    said = program.wait_for("up.nobody_may_sign_in")
    site = {"Origin": base, "Accept": "text/html"}
    async with http.post(f"{base}{owner}", data=NEW, headers=site) as joined:
        assert joined.status == 200, await joined.text()
    async with http.post(
        f"{base}/forgot", data={"email": "ana@example.com"}, headers=site
    ) as asked:
        assert asked.status == 200
    link = await asyncio.to_thread(program.wait_for_text, f"{SITE}/password/")
    async with http.get(f"{base}{link[link.index('/password/') :]}", headers=site) as page:
        assert page.status == 200
    program.end()
    again = stack.enter_context(place.start("up", "--port", "0"))
    again.wait_for("up")
    again.end()

    assert "trackai user invite" in said["run"]
    assert not [one for one in again.said() if one.get("event") == "up.nobody_may_sign_in"]
    assert not [one for one in program.said() if "event" in one and "/password/" in str(one)]


async def test_an_invitation_made_on_a_page_arrives_at_the_mail_server(
    place: "Place",
    owner: str,
    stack: ExitStack,
    http: aiohttp.ClientSession,
    open_office: OpenOffice,
) -> None:
    office = await open_office()
    place.variables.update(
        TRACKAI_SMTP_HOST="127.0.0.1",
        TRACKAI_SMTP_PORT=str(office.port),
        TRACKAI_SMTP_TLS="none",
        TRACKAI_MAIL_FROM="Track AI <no-reply@example.com>",
    )
    program = stack.enter_context(place.start("up", "--port", "0"))
    base = (await asyncio.to_thread(program.wait_for, "up"))["address"]
    ana = await joined(http, base, owner)
    text = await ana.post("/team/invitations", email="bia@example.com", role="analyst")
    program.end()
    (message,) = office.taken
    body = message.get_body(("plain",))

    assert ("sent by e-mail" in text, "/join/" in text) == (True, False)
    assert office.recipients == ["bia@example.com"]
    assert body is not None
    assert f"{SITE}/join/" in body.get_content()
    assert "bia@" not in program.log.read_text()
    assert "/join/" not in program.log.read_text()


async def test_the_operator_takes_a_second_factor_away(
    place: "Place", owner: str, stack: ExitStack, http: aiohttp.ClientSession
) -> None:
    program = stack.enter_context(place.start("up", "--port", "0"))
    ana = await joined(http, program.wait_for("up")["address"], owner)
    await ana.post("/account/second-factor", old=NEW["password"])
    secret = _SECRET.search(await ana.get("/account"))
    assert secret
    await ana.post("/account/second-factor/confirm", code=pyotp.TOTP(secret[1]).now())
    before = place.json("user", "list")
    done = place.json("user", "second-factor-off", "ana@example.com")
    after = place.json("user", "list")
    again = place.run("user", "second-factor-off", "ana@example.com")
    deeds = [one["action"] for one in place.json("audit", "list", "Loja")]

    assert [one[0]["second_factor"] for one in (before, after)] == [True, False]
    assert done["user_id"] == before[0]["user_id"]
    assert (again.returncode, "trackai user list" in again.stderr) == (1, True)
    assert deeds[:2] == ["user.second_factor_off", "user.second_factor_on"]


def test_production_without_a_mail_server_says_so_and_shows_no_link(
    place: "Place", stack: ExitStack
) -> None:
    assert place.run("migrate").returncode == 0
    place.variables.update(TRACKAI_ENVIRONMENT="production", TRACKAI_PUBLIC_URL=SITE)
    program = stack.enter_context(place.start("serve", "--port", "0"))
    program.wait_for("serving")
    said = program.wait_for("mail.not_set_up")

    assert (said["level"], "TRACKAI_SMTP_HOST" in said["set"]) == ("warning", True)
