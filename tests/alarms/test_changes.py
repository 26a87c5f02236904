"""Another release is told to whoever is called; it wakes nobody, and waits for a pager."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.alarms.conftest import sender_of
from tests.alarms.test_sender import calls, route_to
from tests.tracker.test_public_web import Site, near

from trackai.alarms.changes import Change, tell_of
from trackai.alarms.choices import NewRoute
from trackai.alarms.message import LANGUAGES
from trackai.errors import InvalidField
from trackai.model.alarm import INSTALLATION, RouteKind
from trackai.model.clock import new_id
from trackai.storage.audit_logs import Scribe

if TYPE_CHECKING:
    from tests.alarms.conftest import Tower
    from tests.conftest import Serve

    from trackai.destinations.http import Http

RELEASE = Change("1.4.0")


async def tell(tower: "Tower", change: Change = RELEASE, *, pages: bool = True) -> int:
    world = tower.world
    scribe = Scribe(INSTALLATION, "cli:ana", world.clock, new_id)
    return await tell_of(
        change, world.people, scribe, clock=world.clock, new_id=new_id, pages=pages
    )


async def deliver(tower: "Tower", *, tries: int = 1) -> list[dict[str, Any]]:
    for _ in range(tries):
        while await tower.sender.step():
            pass
        tower.world.clock.forward(hours=1)
    return list(tower.pager.changes)


async def test_the_pager_shows_it_and_wakes_nobody(tower: "Tower") -> None:
    await tower.page()
    change = replace(RELEASE, summary="Faster  pages", link="https://ci.example.com/7?a=b&c")
    told = await tell(tower, change)
    (shown,) = await deliver(tower)
    payload = shown["payload"]

    assert 1 == told
    assert ("Faster pages", "track.example.com") == (payload["summary"], payload["source"])
    assert {"environment": "test/track.example.com", "version": "1.4.0"} == (
        payload["custom_details"]
    )
    assert [change.link] == [one["href"] for one in shown["links"]]
    assert 0 == len(tower.pager.events) == len(tower.pager.incidents)


async def test_a_pager_that_is_away_hears_of_it_later_and_when_it_was(tower: "Tower") -> None:
    await tower.page()
    tower.pager.fail(503, 429, 0)
    began = tower.world.clock.now()
    await tell(tower)
    early = await deliver(tower)
    (shown,) = await deliver(tower, tries=4)
    (row,) = await calls(tower)

    assert [] == early
    assert began.isoformat() == shown["payload"]["timestamp"]
    assert ("change", "sent", 4) == (row["deed"], row["state"], row["attempts"])


async def test_what_the_pager_refuses_is_given_up(tower: "Tower") -> None:
    await tower.page()
    tower.pager.fail(400)
    await tell(tower)
    await deliver(tower, tries=3)
    (row,) = await calls(tower)

    assert ("dead", "pagerduty_400", 1) == (row["state"], row["reason"], row["attempts"])


async def test_it_waits_for_no_call_and_none_waits_for_it(tower: "Tower") -> None:
    await tower.page()
    tower.pager.fail(500)
    await tell(tower)
    await tower.sender.step()
    await tell(tower, Change("1.4.1"))
    await tower.sender.step()

    assert ["1.4.1"] == [one["payload"]["custom_details"]["version"] for one in tower.pager.changes]


async def test_only_routes_of_the_installation_hear_of_it(tower: "Tower") -> None:
    await tower.choices(tower.world.account.tenant.id).add_route(
        NewRoute(RouteKind.PAGERDUTY, "a tenant's", secret="k" * 32)
    )
    await tower.choices().add_route(NewRoute(RouteKind.EMAIL, "ops", "ops@example.com"))

    assert 0 == await tell(tower)
    await tower.page()
    assert 0 == await tell(tower, pages=False)
    assert 1 == await tell(tower)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_without_a_summary_it_is_said_in_the_routes_language(
    tower: "Tower", language: str
) -> None:
    new = NewRoute(RouteKind.PAGERDUTY, "x", secret="0123456789abcdef" * 2, language=language)
    await tower.choices().add_route(new)
    await tell(tower)
    (shown,) = await deliver(tower)

    said = {"en": "Track AI 1.4.0 is deployed", "pt": "Track AI 1.4.0 no ar"}
    assert said[language] == shown["payload"]["summary"]


async def test_slack_and_webhooks_get_a_line(tower: "Tower", http: "Http", serve: "Serve") -> None:
    made = Site()
    url = await serve(made)
    tower.sender = sender_of(tower.world, http, "http://127.0.0.1:9", tower.post, near())
    made.put("/slack", "ok")
    made.put("/hook", "ok")
    await route_to(tower, RouteKind.SLACK, f"{url}/slack")
    await route_to(tower, RouteKind.WEBHOOK, f"{url}/hook")
    await tell(tower, replace(RELEASE, summary="a <b>", link="https://ci.example.com/7?a=b&c"))
    await deliver(tower)
    said = {one.path: json.loads(one.body) for one in made.asked}

    assert ":rocket: a &lt;b&gt;\n<https://ci.example.com/7?a=b&amp;c>" == said["/slack"]["text"]
    assert ("change.deployed", "a <b>", "1.4.0") == (
        *(said["/hook"]["event"], said["/hook"]["title"]),
        said["/hook"]["details"]["version"],
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": " "}, "version"),
        ({"version": "v" * 101}, "version"),
        ({"summary": "s" * 1025}, "summary"),
        ({"link": "ci.example.com/7"}, "link"),
        ({"link": "https://[::1"}, "link"),
    ],
)
async def test_what_cannot_be_told_is_refused(
    tower: "Tower", changes: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidField) as refused:
        await tell(tower, replace(RELEASE, **changes))

    assert field == refused.value.field
