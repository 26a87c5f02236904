"""Reports of pages over HTTP: what is stored, once, under which ids."""

import asyncio
import datetime as dt
import json
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from trackai.storage.clicks import click_of
from trackai.storage.identities import stored_keys

if TYPE_CHECKING:
    from tests.ingest.conftest import BuildWorld, World

    from trackai.model.click import Visitor
    from trackai.storage.pool import Row

CLICKS = "select *, received_at as clicked_at from clicks where tenant_id = $1 order by click_id"
EVENTS = "select * from page_events where tenant_id = $1 order by event_key"
IDENTITIES = "select kind, key, click_id from identities where tenant_id = $1 order by kind"

FBCLID = "IwAR0aBcDeFgHiJkLmNoPqRsTuVwXyZ-_0123456789"


def _visitor(world: "World", row: "Row") -> "Visitor":
    return click_of(world.envelope, world.tenant.id, row).visitor


async def test_click_is_stored_verbatim_without_query_and_with_server_time(world: "World") -> None:
    reply = await world.track(
        "click",
        {
            "click_id": "cl-1_A",
            "fbclid": FBCLID,
            "fbc": f"fb.1.1700000000000.{FBCLID}",
            "fbp": "fb.1.1700000000000.1234567890",
            "gclid": "Gc%2BLid",
            "utm_campaign": "Lançamento Março",
            "page_url": "https://curso.example.com/oferta?email=maria@example.com#topo",
            "referrer": "https://l.facebook.com/l.php?u=x",
            "client_time": "2026-11-23T09:00:01-03:00",
            "funnel_id": str(world.funnel.id),
        },
    )

    (row,) = await world.rows(CLICKS)
    assert (201, {"click_id": "cl-1_A"}) == (reply.status, reply.json)
    assert (FBCLID, "Gc%2BLid", "Lançamento Março") == (
        row["fbclid"],
        row["gclid"],
        row["utm_campaign"],
    )
    assert row["page_url"] == "https://curso.example.com/oferta"
    assert row["referrer"] == "https://l.facebook.com/l.php"
    assert row["received_at"] == world.clock.now()
    assert row["client_time"] == dt.datetime(2026, 11, 23, 12, 0, 1, tzinfo=dt.UTC)
    assert row["funnel_id"] == world.funnel.id


async def test_visitor_is_sealed_and_opens_to_address_and_agent(world: "World") -> None:
    await world.track("click", {"click_id": "c1"}, user_agent="Agent/" + "x" * 2000)

    (row,) = await world.rows(CLICKS)
    visitor = _visitor(world, row)
    assert visitor.client_ip == "127.0.0.1"
    assert visitor.user_agent == ("Agent/" + "x" * 2000)[:1000]
    assert b"Agent" not in row["visitor_sealed"]


async def test_forwarded_address_counts_only_behind_a_trusted_proxy(
    build: "BuildWorld", world: "World"
) -> None:
    trusting = await build(trusted_proxies=("127.0.0.0/8",))
    for one in (world, trusting):
        await one.track("click", {"click_id": "c1"}, x_forwarded_for="6.6.6.6, 203.0.113.7")

    (direct,) = await world.rows(CLICKS)
    (proxied,) = await trusting.rows(CLICKS)
    seen = [_visitor(one, row).client_ip for one, row in ((world, direct), (trusting, proxied))]
    assert seen == ["127.0.0.1", "203.0.113.7"]


async def test_identifiers_missing_in_the_body_come_from_the_page_address(world: "World") -> None:
    url = f"https://curso.example.com/?utm_source=fb&utm_term=a+b&fbclid={FBCLID}&gclid=g%2B1&ttclid=T"
    await world.track("click", {"click_id": "c1", "page_url": url, "utm_source": "body"})
    await world.track("click", {"click_id": "c2", "fbc": f"fb.1.1700000000000.{FBCLID}"})

    first, second = await world.rows(CLICKS)
    assert ("body", "a b", FBCLID, "g+1", "T") == (
        first["utm_source"],
        first["utm_term"],
        first["fbclid"],
        first["gclid"],
        first["ttclid"],
    )
    assert second["fbclid"] == FBCLID


async def test_click_without_an_id_gets_one_that_sorts_by_time(world: "World") -> None:
    ids = [(await world.track("click", {})).json["click_id"] for _ in range(3)]

    assert all(len(one) == 23 and one[0] == "c" for one in ids)
    assert len(set(ids)) == 3
    assert len(await world.rows(CLICKS)) == 3


async def test_same_click_twice_is_one_row_and_two_yeses(world: "World") -> None:
    first = await world.track("click", {"click_id": "c1", "fbclid": "first"})
    again = await world.track("click", {"click_id": "c1", "fbclid": "second"})

    (row,) = await world.rows(CLICKS)
    assert (201, 201) == (first.status, again.status)
    assert row["fbclid"] == "first"


async def test_empty_texts_are_absent_and_unknown_fields_are_ignored(world: "World") -> None:
    body = {
        "click_id": "",
        "fbclid": "",
        "client_time": "",
        "funnel_id": "",
        "page_url": "",
        "x": 1,
    }
    reply = await world.track("click", body)

    (row,) = await world.rows(CLICKS)
    assert reply.status == 201
    assert row["click_id"] == reply.json["click_id"]
    assert (None, None, None, None) == (
        row["fbclid"],
        row["client_time"],
        row["funnel_id"],
        row["page_url"],
    )


async def test_beacon_as_plain_text_with_the_site_key_in_the_body(world: "World") -> None:
    body = json.dumps({"site_key": world.tenant.site_key, "click_id": "c1"})
    reply = await world.call(
        "POST", "/api/v1/track/click", body, content_type="text/plain;charset=UTF-8"
    )

    assert reply.status == 201
    assert reply.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("where", ["tenant_header", "key_header", "query"])
async def test_tenant_is_named_by_header_or_query(world: "World", where: str) -> None:
    path, headers = "/api/v1/track/click", {"content_type": "application/json"}
    if where == "tenant_header":
        headers["x_tenant_id"] = str(world.tenant.id)
    elif where == "key_header":
        headers["x_site_key"] = world.tenant.site_key
    else:
        path += f"?site_key={world.tenant.site_key}"
    reply = await world.call("POST", path, "{}", **headers)

    assert reply.status == 201


async def test_epoch_milliseconds_are_a_client_time(world: "World") -> None:
    await world.track("click", {"click_id": "c1", "client_time": 1763899201500})

    (row,) = await world.rows(CLICKS)
    assert row["client_time"] == dt.datetime(2025, 11, 23, 12, 0, 1, 500000, tzinfo=dt.UTC)


@pytest.mark.parametrize("kind", ["pageview", "initiate_checkout", "lead"])
async def test_page_event_is_stored_once_under_its_id(world: "World", kind: str) -> None:
    body = {"event_id": "e1", "click_id": "c1", "fbp": "fb.1.1.1", "page_url": "https://a.b/c?d"}
    replies = [await world.track(kind, body) for _ in range(2)]
    made = await world.track(kind, {})

    rows = [row for row in await world.rows(EVENTS) if row["event_key"] == "e1"]
    assert [(201, {"event_id": "e1"})] * 2 == [(reply.status, reply.json) for reply in replies]
    assert made.json["event_id"].startswith("e")
    assert [(kind, "c1", "fb.1.1.1", "https://a.b/c")] == [
        (row["kind"], row["click_id"], row["fbp"], row["page_url"]) for row in rows
    ]


def keyed(world: "World", key: bytes) -> bytes:
    """Return a hash as it is stored."""
    plain, stored = stored_keys(world.envelope, world.tenant.id, [key])
    assert plain == key
    return stored


async def test_lead_keeps_keys_of_mail_and_phone_and_never_the_raw_ones(world: "World") -> None:
    await world.track(
        "lead",
        {
            "event_id": "e1",
            "click_id": "c1",
            "email": " Maria@Example.com ",
            "phone": "+55 11 98765-4321",
            "external_id": "Cliente-7",
        },
    )

    found = {row["kind"]: row["key"] for row in await world.rows(IDENTITIES)}
    assert {"email", "phone", "external_id"} == set(found)
    # A SHA-256 of an e-mail is guessed in seconds: the rows hold it under the tenant's key alone.
    email, phone = (sha256(text).digest() for text in (b"maria@example.com", b"5511987654321"))
    assert found["email"] == keyed(world, email) != email
    assert found["phone"] == keyed(world, phone) != phone
    stored = str([dict(row) for row in await world.rows(EVENTS)])
    assert "aria" not in stored
    assert "98765" not in stored


async def test_lead_takes_hashes_made_in_the_page(world: "World") -> None:
    digest = sha256(b"maria@example.com")
    await world.track(
        "lead", {"event_id": "e1", "click_id": "c1", "email_sha256": digest.hexdigest().upper()}
    )

    assert [("email", keyed(world, digest.digest()), "c1")] == [
        tuple(row) for row in await world.rows(IDENTITIES)
    ]


async def test_lead_with_an_unusable_address_still_counts(world: "World") -> None:
    reply = await world.track("lead", {"event_id": "e1", "click_id": "c1", "email": "maria"})

    assert reply.status == 201
    assert await world.rows(IDENTITIES) == []


async def test_many_at_once_are_all_answered_after_they_are_stored(world: "World") -> None:
    replies = await asyncio.gather(
        *(world.track("click", {"click_id": f"c{number:04}"}) for number in range(400))
    )

    stored = [row["click_id"] for row in await world.rows(CLICKS)]
    assert {201} == {reply.status for reply in replies}
    assert stored == [f"c{number:04}" for number in range(400)]


async def test_one_tenants_click_id_is_free_for_another(
    build: "BuildWorld", world: "World"
) -> None:
    other = await build()
    for one in (world, other):
        await one.track("click", {"click_id": "same"})

    assert [1, 1] == [len(await one.rows(CLICKS)) for one in (world, other)]
