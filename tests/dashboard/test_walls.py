"""Every page, as nobody, as a stranger, as each role; and what every page tells browsers."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute

from trackai.dashboard.app import ROOMS
from trackai.dashboard.navigation import PLACES
from trackai.dashboard.rendering import HEADERS
from trackai.model.access import MemberRole, Permission, may

if TYPE_CHECKING:
    from tests.dashboard.conftest import House

ROUTES = [
    (method, route.path)
    for room in ROOMS
    for route in room.router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
]
# What is open to everybody: how one comes in, and files without anybody's data.
OPEN = {
    *((method, path) for method in ("GET", "POST") for path in ("/sign-in", "/sign-in/code")),
    *(("GET", "/forgot"), ("POST", "/forgot"), ("GET", "/static/{digest}/{name:path}")),
    *((method, path) for method in ("GET", "POST") for path in ("/join/{token}",)),
    *((method, path) for method in ("GET", "POST") for path in ("/password/{token}",)),
}
CLOSED = [one for one in ROUTES if one not in OPEN]
# Changes of one's own session: any role may.
OWN = {("POST", "/sign-out"), ("POST", "/tenant")} | {
    (method, path) for method, path in ROUTES if path.startswith("/account")
}
IDS = (
    *("user_id", "key_id", "session_id", "delivery_id", "replay_id"),
    *("connection_id", "destination_id", "step", "funnel_id", "what", "ending", "erasure_id"),
    *("alarm_id", "silence_id", "route_id", "name", "item"),
)
NOBODY = "00000000-0000-0000-0000-000000000000"


async def ask(browser: Any, method: str, path: str) -> Any:
    path = path.format(**dict.fromkeys(IDS, NOBODY))
    return await (browser.get(path) if method == "GET" else browser.post(path))


@pytest.mark.parametrize(("method", "path"), CLOSED)
async def test_nobody_is_led_to_the_sign_in_page(house: "House", method: str, path: str) -> None:
    answer = await ask(house.browser(), method, path)
    part = await house.browser().get(path, **{"HX-Request": "true"})

    assert (answer.status, answer.to.split("?")[0]) == (303, "/sign-in")
    assert method != "GET" or part.headers["HX-Redirect"].startswith("/sign-in")


@pytest.mark.parametrize(("method", "path"), [one for one in CLOSED if one not in OWN])
async def test_who_is_in_no_team_sees_no_tenant(house: "House", method: str, path: str) -> None:
    browser = await house.browser_of()
    team = await house.team.colleagues(house.world.account.tenant.id)
    await house.member("bia@loja.test", MemberRole.OWNER)
    await house.team.remove(house.world.account.tenant.id, team[0].user_id, by="user:x")
    answer = await ask(browser, method, path)

    assert answer.status == 403
    assert "Curso" not in answer.text


NEEDED = {place.path: place.permission for place in PLACES}
# What is of all tenants, for whoever runs the installation.
OPERATORS = {place.path for place in PLACES if place.operators_only}


@pytest.mark.parametrize("role", MemberRole)
@pytest.mark.parametrize("path", [path for method, path in CLOSED if method == "GET"])
async def test_each_role_sees_what_it_may(house: "House", role: MemberRole, path: str) -> None:
    browser = await house.browser_of(role=role)
    room = "/" + path.split("/")[1]
    allowed = room not in OPERATORS and may(role, NEEDED.get(room, Permission.SEE))
    home = (await browser.get("/")).text
    if path == "/live/stream":
        # It goes on until whoever serves it stops.
        asyncio.get_running_loop().call_later(1, house.watch.end)

    found = await ask(browser, "GET", path)
    assert found.status == (403 if not allowed else 404 if "{" in path else 200)
    # What is in the menu is there for who may see it.
    assert path not in NEEDED or (f'href="{path}"' in home) is allowed


@pytest.mark.parametrize("role", [MemberRole.OPERATOR, MemberRole.ANALYST])
@pytest.mark.parametrize(
    "path",
    [
        path
        for method, path in CLOSED
        if method == "POST"
        and path.split("/")[1] in {"team", "keys", "settings", "privacy", "go-live"}
    ],
)
async def test_only_owners_change_team_keys_settings_and_people(
    house: "House", role: MemberRole, path: str
) -> None:
    browser = await house.browser_of(role=role)
    own = path.format(**dict.fromkeys(IDS, NOBODY))

    assert (await browser.submit("/", own, role="owner", email="x@y.test")).status == 403


async def test_every_page_tells_browsers_what_it_is_not(house: "House") -> None:
    browser = await house.browser_of()
    for path in ("/", "/sign-in?next=/x", "/nowhere", "/join/x"):
        answer = await (browser if path != "/sign-in?next=/x" else house.browser()).get(path)
        assert HEADERS.items() <= {key.lower(): one for key, one in answer.headers.items()}.items()
        # Nothing that the policy would stop.
        assert "<script>" not in answer.text
        assert " style=" not in answer.text
        assert " onclick=" not in answer.text


async def test_an_address_that_is_none_is_said_in_words_or_in_json(house: "House") -> None:
    page = await house.browser().get("/nowhere")
    program = await house.browser().get("/nowhere", Accept="*/*")

    assert (page.status, "Não há nada neste endereço" in page.text) == (404, True)
    assert (program.status, '"code":"not_found"' in program.text) == (404, True)


async def test_files_are_kept_and_others_are_not_found(house: "House") -> None:
    text = (await house.browser().get("/sign-in")).text
    address = "/static/" + text.split('href="/static/')[2].split('"')[0]
    found = await house.browser().get(address)

    assert found.status == 200
    assert "immutable" in found.headers["Cache-Control"]
    for wrong in (
        "/static/000000000000/app.css",
        "/static/x/../app.py",
        f"{address}x",
        "/static/x/vendor",
        "/static/x/%2e%2e/app.py",
    ):
        assert (await house.browser().get(wrong)).status == 404


async def test_a_form_that_is_too_large_is_not_read(house: "House") -> None:
    answer = await house.browser().post("/sign-in", email="x" * 100_000)

    assert answer.status == 413
