"""Calls go out in order, are tried again, and end; each way over real HTTP."""

import asyncio
import datetime as dt
import hashlib
import hmac
import ipaddress
import json
from collections import Counter
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import pytest
from tests.alarms.conftest import ROUTING_KEY, Post, sender_of
from tests.support.world import NOON
from tests.tracker.test_public_web import Site, near

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.choices import NewRoute
from trackai.alarms.message import LANGUAGES, Sender, exactly, message_of, shown, words_of
from trackai.alarms.sender import LEASE, MOST_TRIES, next_try
from trackai.alarms.ways.pagerduty import event_of
from trackai.alarms.ways.slack import text_of
from trackai.errors import NotFound
from trackai.model.alarm import INSTALLATION, Deed, Metric, RouteKind, Severity, State
from trackai.model.clock import new_id
from trackai.sandbox.pagerduty.rules import parse_event
from trackai.storage.alarm_calls import (
    LEFT_FOR,
    DueCall,
    NewCall,
    claim_calls_all_tenants,
    insert_calls_all_tenants,
    list_calls_all_tenants,
)
from trackai.storage.alarm_routes import Route, Target, insert_route

if TYPE_CHECKING:
    from tests.alarms.conftest import Tower
    from tests.conftest import Serve

    from trackai.destinations.http import Http
    from trackai.storage.pool import Row

SECRET = "whsec_of-the-webhook"


async def calls(tower: "Tower") -> "list[Row]":
    async with tower.world.workers.transaction() as tx:
        return list(reversed(await list_calls_all_tenants(tx, limit=100)))


async def states(tower: "Tower") -> list[tuple[str, str, str | None]]:
    """Return what became of the calls for the busy process."""
    return [
        (row["deed"], row["state"], row["reason"])
        for row in await calls(tower)
        if row["alarm"] == "cpu_busy"
    ]


async def fire(tower: "Tower") -> None:
    await tower.look(2, cpu_percent=95)


async def route_to(tower: "Tower", kind: RouteKind, address: str) -> None:
    """Store a route to an address that only a test may name."""
    route = Route(INSTALLATION, new_id(), kind, "test", Severity.MEDIUM, "en")
    world = tower.world
    async with world.people.transaction(tenant_id=INSTALLATION) as tx:
        await insert_route(
            *(tx, world.envelope, route, Target(address, SECRET)),
            by="cli:ana",
            now=world.clock.now(),
        )


async def test_what_the_pager_cannot_take_now_is_tried_again_in_order(tower: "Tower") -> None:
    await tower.page()
    tower.pager.fail(429, 500, 0, 503)
    await fire(tower)
    await tower.look(4, cpu_percent=5)
    waiting = await states(tower)
    await tower.look(10, cpu_percent=5)

    assert ["trigger", "resolve"] == [deed for deed, _, _ in waiting]
    assert ["trigger", "resolve"] == [one["event_action"] for one in tower.pager.events]
    assert [("trigger", "sent", None), ("resolve", "sent", None)] == await states(tower)


async def test_what_a_proxy_answers_in_the_pagers_place_loses_nothing(tower: "Tower") -> None:
    await tower.page()
    tower.pager.fail(200, 302, 403, 404, 407)
    await fire(tower)
    ((_, state, reason),) = await states(tower)
    await tower.look(12, cpu_percent=95)

    assert ("waiting", "pagerduty_302") == (state, reason)
    assert ["trigger"] == [one["event_action"] for one in tower.pager.events]
    assert [("trigger", "sent", None)] == await states(tower)


async def test_what_the_pager_refuses_is_dead_and_that_is_an_alarm(tower: "Tower") -> None:
    await tower.page()
    other = NewRoute(RouteKind.EMAIL, "ops", "ops@example.com")
    await tower.choices().add_route(other)
    tower.pager.fail(400)
    await fire(tower)
    await tower.look(1, cpu_percent=95)

    assert ("trigger", "dead", "pagerduty_400") in await states(tower)
    assert any("was not told" in one.subject for one in tower.post.letters)


async def test_after_the_last_try_nobody_is_called_any_more(tower: "Tower") -> None:
    await tower.page()
    tower.pager.fail(*[500] * 100)
    await fire(tower)
    for _ in range(MOST_TRIES):
        tower.world.clock.forward(hours=2)
        while await tower.sender.step():
            pass

    (row,) = [one for one in await calls(tower) if one["alarm"] == "cpu_busy"]
    assert ("dead", MOST_TRIES, "pagerduty_500") == (row["state"], row["attempts"], row["reason"])


def test_pauses_grow_and_end(tower: "Tower") -> None:
    now = tower.world.clock.now()
    times = [next_try(number, now) for number in range(1, MOST_TRIES + 1)]
    pauses = [(one - now).total_seconds() for one in times if one]

    assert pauses == sorted(pauses)
    assert (5, 3600) == (pauses[0], pauses[-1])
    assert times[-1] is None


async def test_who_dies_over_a_call_gives_it_back(tower: "Tower") -> None:
    await tower.page()
    await tower.look(0.5, cpu_percent=95)
    tower.world.clock.forward(minutes=1)
    await tower.say(cpu_percent=95)
    await tower.evaluator.step()
    now = tower.world.clock.now()
    async with tower.world.workers.transaction() as tx:  # a worker takes it and is killed
        taken = await claim_calls_all_tenants(tx, now=now, until=now + LEASE, limit=10)
    await tower.sender.step()
    early = len(tower.pager.events)
    tower.world.clock.forward(seconds=LEASE.total_seconds())
    await tower.sender.step()

    assert (1, 0, 1) == (len(taken), early, len(tower.pager.events))


NEWER = """
alter table alarm_calls drop constraint alarm_calls_deed_check;
insert into alarm_calls (drill, made_at, run_at, state, tenant_id, id, route_id, deed, key, alarm,
  details)
select drill, made_at, made_at, 'waiting', tenant_id, gen_random_uuid(), route_id, d.deed, d.deed,
  d.alarm, '{}'
from alarm_calls, (values ('deed_of_a_newer_release', 'cpu_busy'),
  ('trigger', 'alarm_of_a_newer_release')) as d (deed, alarm)
where alarm_calls.alarm = 'cpu_busy'
"""


async def test_what_a_newer_release_says_waits_for_it_and_holds_nothing_up(tower: "Tower") -> None:
    await tower.page()
    await fire(tower)
    owner = await asyncpg.connect(tower.world.url)
    await owner.execute(NEWER)
    await owner.close()
    await tower.look(4, cpu_percent=5)
    newer = ("deed_of_a_newer_release", "alarm_of_a_newer_release")
    async with tower.world.workers.transaction() as tx:
        waiting = await tx.fetch(
            "select attempts, state from alarm_calls where deed = any($1) or alarm = any($1)",
            [*newer],
        )

    assert [(0, "waiting")] * 2 == [(row["attempts"], row["state"]) for row in waiting]
    assert ["trigger", "resolve"] == [one["event_action"] for one in tower.pager.events]


async def test_a_process_without_a_mail_server_leaves_letters_to_one_that_has_it(
    tower: "Tower", http: "Http"
) -> None:
    await tower.page()
    await tower.choices().add_route(NewRoute(RouteKind.EMAIL, "ops", "ops@example.com"))
    able, tower.sender = tower.sender, sender_of(tower.world, http, "http://127.0.0.1:9", None)
    await fire(tower)
    left = await states(tower)
    tower.world.clock.forward(seconds=LEFT_FOR.total_seconds())
    await tower.sender.step()
    tried = await states(tower)
    tower.sender = able
    await tower.look(2, cpu_percent=95)

    assert ("trigger", "waiting", None) in left
    assert ("trigger", "waiting", "mail_not_set_up") in tried
    assert ["ops@example.com"] == [letter.to for letter in tower.post.letters]


async def test_many_senders_call_once(tower: "Tower", http: "Http", serve: "Serve") -> None:
    await tower.page()
    url = await serve(tower.pager)
    senders = [sender_of(tower.world, http, url, Post()) for _ in range(4)]
    tower.sender = senders[0]
    await tower.look(0.5, cpu_percent=95)
    tower.world.clock.forward(minutes=1)
    await tower.say(cpu_percent=95)
    await tower.evaluator.step()
    await asyncio.gather(*(one.step() for one in senders))

    assert 1 == len(tower.pager.events)


def waiting(tenant_id: UUID, number: int) -> list[NewCall]:
    """Return calls by a route of an owner, each of an incident of its own."""
    route = new_id()
    return [
        NewCall(tenant_id, new_id(), route, Deed.TRIGGER, f"{tenant_id}/{one}", "dlq_depth", {})
        for one in range(number)
    ]


async def test_nobody_waits_for_anothers_many_calls(tower: "Tower") -> None:
    world, now = tower.world, tower.world.clock.now()
    loud, quiet = world.account.tenant.id, (await world.open_account("Outra")).tenant.id
    async with world.workers.transaction() as tx:
        for made, calls_ in enumerate(
            (waiting(loud, 40), waiting(quiet, 2), waiting(INSTALLATION, 3))
        ):
            await insert_calls_all_tenants(tx, calls_, now=now + dt.timedelta(seconds=made))
    later = now + dt.timedelta(minutes=1)
    async with world.workers.transaction() as tx:
        first = await claim_calls_all_tenants(tx, now=later, until=later + LEASE, limit=10)
    owners = Counter(one.tenant_id for one in first)

    assert {INSTALLATION: 3, quiet: 2, loud: 5} == owners


async def test_a_route_that_is_gone_is_called_no_more(tower: "Tower") -> None:
    route_id = await tower.page()
    await fire(tower)
    await tower.choices().end_route(route_id)
    await tower.look(4, cpu_percent=5)

    assert ("resolve", "dead", "route_gone") in await states(tower)
    assert State.OK is (await tower.standing("calls_lost")).state
    assert 1 == len(tower.pager.events)
    with pytest.raises(NotFound):
        await tower.choices().end_route(route_id)


# Ways ------------------------------------------------------------------------------------------


@pytest.fixture
async def site(tower: "Tower", http: "Http", serve: "Serve") -> tuple[Site, str]:
    """Return a site that webhooks reach as if it were public, and its address."""
    made = Site()
    url = await serve(made)
    tower.sender = sender_of(tower.world, http, "http://127.0.0.1:9", tower.post, near())
    return made, url


async def test_a_webhook_proves_who_sent_it(tower: "Tower", site: tuple[Site, str]) -> None:
    made, url = site
    made.put("/hook", status=202)
    await route_to(tower, RouteKind.WEBHOOK, f"{url}/hook")
    await fire(tower)
    await tower.look(4, cpu_percent=5)
    begins, ends = made.asked
    time_, _, signature = begins.headers["trackai-signature"].partition(",v1=")
    signed = time_.removeprefix("t=").encode() + b"." + begins.body
    said = json.loads(begins.body)

    assert hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest() == signature
    assert ("alarm.trigger", "cpu_busy", "medium") == (
        *(said["event"], said["alarm"], said["severity"]),
    )
    assert begins.headers["trackai-call"] == said["id"]
    assert ("alarm.resolve", said["key"]) == (
        json.loads(ends.body)["event"],
        json.loads(ends.body)["key"],
    )


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        (200, "sent", None),
        (301, "waiting", "webhook_301"),
        (404, "waiting", "webhook_404"),
        (410, "dead", "webhook_410"),
        (500, "waiting", "webhook_500"),
    ],
)
async def test_a_webhooks_answer_says_how_it_goes_on(
    tower: "Tower", site: tuple[Site, str], status: int, state: str, reason: str | None
) -> None:
    made, url = site
    made.put("/hook", status=status)
    await route_to(tower, RouteKind.WEBHOOK, f"{url}/hook")
    await fire(tower)

    assert [("trigger", state, reason)] == await states(tower)


async def test_a_webhook_reaches_nothing_that_is_not_public(tower: "Tower", serve: "Serve") -> None:
    made = Site()
    address = f"{await serve(made)}/hook"
    await route_to(tower, RouteKind.WEBHOOK, address)
    await route_to(tower, RouteKind.SLACK, "http://169.254.169.254/latest")
    await fire(tower)

    assert {"dead"} == {state for _, state, _ in await states(tower)}
    assert {"no_address", "not_public"} == {reason for *_, reason in await states(tower)}
    assert [] == made.asked
    assert ipaddress.ip_address("169.254.169.254").is_link_local


async def test_slack_is_told_in_its_own_writing(tower: "Tower", site: tuple[Site, str]) -> None:
    made, url = site
    made.put("/services/x", "ok")
    await route_to(tower, RouteKind.SLACK, f"{url}/services/x")
    await fire(tower)
    await tower.look(4, cpu_percent=5)
    first, last = (json.loads(one.body)["text"] for one in made.asked)

    assert first.startswith(":large_yellow_circle: *A process is busy")
    assert "<https://track.example.com/runbooks/cpu-busy|Runbook>" in first
    assert ":large_green_circle: Over: A process is busy all the time" == last


# Words -----------------------------------------------------------------------------------------


def call_of(alarm: str, deed: Deed = Deed.TRIGGER, **details: object) -> DueCall:
    known = ALARMS[alarm]
    said = {"value": 5.25} | details
    now = "2026-11-23T12:00:00+00:00"
    plain = {"threshold": known.threshold, "fired_at": now, "number": 1, "subject": ""}
    ids = (INSTALLATION, new_id(), new_id())
    return DueCall(*ids, deed, f"test/{alarm}", alarm, plain | said, NOON, 1)


def route_in(language: str) -> Route:
    return Route(INSTALLATION, new_id(), RouteKind.PAGERDUTY, "x", Severity.MEDIUM, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("alarm", ALARMS)
def test_every_call_in_every_language_is_one_that_the_pager_takes(
    alarm: str, language: str
) -> None:
    who = Sender("https://track.example.com", "test", drill=True)
    for deed in (Deed.TRIGGER, Deed.ACKNOWLEDGE, Deed.RESOLVE):
        call = call_of(alarm, deed, subject="1" * 2000, number=1)
        message = message_of(call, route_in(language), ALARMS[alarm], who)
        event = event_of(message, ROUTING_KEY)

        assert parse_event(json.dumps(event).encode())["dedup_key"] == call.key
        assert "{" not in message.title + message.text + text_of(message)
        assert words_of(language)["say"]["drill"].split("{")[0] in message.title


def test_both_languages_have_the_same_words() -> None:
    def keys(language: str) -> set[tuple[str, str]]:
        return {(alarm, key) for alarm, words in words_of(language).items() for key in words}

    assert keys("pt") == keys("en")
    others = {"say", "unit", "unit_one", "severity", "state", "engines", "panels"}
    others |= {"cloudwatch", "nobody_looks"}
    assert {*ALARMS, *others} == set(words_of("pt"))
    assert {metric.value for metric in Metric} == set(words_of("pt")["unit"])


def test_values_are_written_as_people_write_them() -> None:
    assert "1.234,5 ms" == shown(Metric.API_P95_MS, 1234.5, "pt")
    assert "1,234.5 ms" == shown(Metric.API_P95_MS, 1234.5, "en")
    assert "3 eventos" == shown(Metric.DEAD_LETTERS, 3.0, "pt")
    assert "1 evento" == shown(Metric.DEAD_LETTERS, 1.0, "pt")
    assert "1%" == shown(Metric.POOL_PERCENT, 1.0, "pt")
    assert "not known" == shown(Metric.DEAD_LETTERS, None, "en")
    assert "1.234.567,25 ms" == exactly(Metric.API_P95_MS, 1234567.25, "pt")
    assert "0.1234567%" == exactly(Metric.POOL_PERCENT, 0.1234567, "en")
    assert "not known" == exactly(Metric.POOL_PERCENT, None, "en")
