"""Every way for a page's report to be refused; a good one goes through right after."""

from typing import TYPE_CHECKING, Any

import pytest

from trackai.model.clock import new_id

if TYPE_CHECKING:
    from tests.ingest.conftest import BuildWorld, World


async def test_no_tenant_is_400_and_says_how_to_name_one(world: "World") -> None:
    reply = await world.call("POST", "/api/v1/track/click", "{}", content_type="application/json")

    assert (400, "tenant_missing") == (reply.status, reply.code)
    assert "x-site-key" in reply.json["error"]["message"]
    assert reply.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "headers",
    [
        {"x_site_key": "nobody"},
        {"x_site_key": "no\u00e9body"},
        {"x_site_key": "a" * 500},
        {"x_tenant_id": str(new_id())},
        {"x_tenant_id": "not-a-uuid"},
        {"x_tenant_id": "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz"},
    ],
)
async def test_unknown_tenant_is_404(world: "World", headers: dict[str, str]) -> None:
    reply = await world.call(
        "POST", "/api/v1/track/click", "{}", content_type="application/json", **headers
    )

    assert (404, "unknown_tenant") == (reply.status, reply.code)


@pytest.mark.parametrize("key", ["%00", "%ff", "a%00b"])
async def test_site_key_that_no_database_can_hold_is_404(world: "World", key: str) -> None:
    reply = await world.call(
        "POST", f"/api/v1/track/click?site_key={key}", "{}", content_type="text/plain"
    )

    assert (404, "unknown_tenant") == (reply.status, reply.code)


MALFORMED = [
    b"",
    b"{",
    b"[]",
    b'"text"',
    b"5",
    b"{'a':1}",
    b'{"fbclid":"a"} tail',
    b'{"fbclid":"\xff\xfe"}',
    b'{"unknown":"\xff"}',
    b'{"fbclid":"\xed\xa0\x80"}',
    b'{"fbclid":"\\ud800"}',
    b'{"fbclid":"\\ud800x"}',
    b'{"fbclid":"\\udc00\\ud800"}',
    b'{"fbclid":"a\x00b"}',
    b'{"client_time":NaN}',
    b'{"unknown":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    b'{"unknown":' + b'{"a":' * 10_000,
    b"\xef\xbb\xbf{}",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    b"click_id=c1&fbclid=a",
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:24]))
async def test_malformed_body_is_400_and_a_good_click_still_works(
    world: "World", body: bytes
) -> None:
    reply = await world.track("click", body)
    good = await world.track("click", {"click_id": "good"})

    assert (400, "malformed_body") == (reply.status, reply.code)
    assert good.status == 201


WRONG_FIELDS: list[tuple[str, Any]] = [
    ("fbclid", 5),
    ("fbclid", ["a"]),
    ("fbclid", {"a": 1}),
    ("fbclid", True),
    ("fbclid", 10**400),
    ("fbclid", "a\x00b"),
    ("fbclid", "a" * 1001),
    ("fbc", "a" * 1001),
    ("utm_source", "a" * 501),
    ("page_url", "https://a.b/" + "c" * 4000),
    ("referrer", 1.5),
    ("click_id", "a" * 65),
    ("click_id", "a b"),
    ("click_id", "id\n"),
    ("click_id", "é"),
    ("click_id", "a\x00"),
    ("fbp", "点" * 1000),
    ("fbclid", "\U0001f600" * 1000),
    ("fbc", "fb.1.1.é"),
    ("gclid", "é"),
    ("funnel_id", "not-a-uuid"),
    ("funnel_id", 7),
    ("client_time", "yesterday"),
    ("client_time", "2026-11-23T12:00:00"),
    ("client_time", "0001-01-01T00:00:00+14:00"),
    ("client_time", "9999-12-31T23:59:59-14:00"),
    ("client_time", 10**18),
    ("client_time", -(10**18)),
    ("client_time", 10**400),
    ("client_time", 1e308),
    ("client_time", True),
    ("client_time", [1]),
]


@pytest.mark.parametrize(("field", "value"), WRONG_FIELDS, ids=lambda part: repr(part)[:24])
async def test_wrong_field_is_422_and_named(world: "World", field: str, value: object) -> None:
    reply = await world.track("click", {field: value})
    good = await world.track("click", {"click_id": "good"})

    assert (422, "invalid_field", field) == (reply.status, reply.code, reply.field)
    assert good.status == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email_sha256", "abc"),
        ("email_sha256", "g" * 64),
        ("phone_sha256", "0" * 63),
        ("phone_sha256", " " * 2 + "0" * 62),
        ("email", 5),
        ("event_id", "a/b"),
        ("click_id", "a/b"),
        ("external_id", "a" * 1001),
        ("email", "a" * 321),
    ],
)
async def test_wrong_field_of_a_lead_is_422_and_named(
    world: "World", field: str, value: object
) -> None:
    reply = await world.track("lead", {field: value})

    assert (422, field) == (reply.status, reply.field)


async def test_number_too_large_for_the_parser_is_422(world: "World") -> None:
    reply = await world.track("click", b'{"client_time":1e400}')
    digits = await world.track("click", b'{"client_time":' + b"9" * 10_000 + b"}")

    assert [(422, "client_time")] * 2 == [(one.status, one.field) for one in (reply, digits)]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/xml",
        "application/jsonx",
    ],
)
async def test_other_content_types_are_415(world: "World", content_type: str) -> None:
    reply = await world.track("click", b"click_id=c1", content_type=content_type)

    assert (415, "unsupported_body") == (reply.status, reply.code)


async def test_compressed_body_is_415_and_identity_is_taken(world: "World") -> None:
    packed = await world.track("click", b"\x1f\x8b", content_encoding="gzip")
    plain = await world.track("click", {}, content_encoding="identity")

    assert (415, 201) == (packed.status, plain.status)


async def test_preflight_allows_what_the_script_sends(world: "World") -> None:
    reply = await world.call(
        "OPTIONS",
        "/api/v1/track/click",
        origin="https://curso.example.com",
        access_control_request_method="POST",
    )

    assert (204, "*") == (reply.status, reply.headers["access-control-allow-origin"])
    assert "x-site-key" in reply.headers["access-control-allow-headers"]
    assert "POST" in reply.headers["access-control-allow-methods"]
    assert int(reply.headers["access-control-max-age"]) > 0


async def test_other_methods_are_405_with_the_ones_allowed(world: "World") -> None:
    reply = await world.call("GET", "/api/v1/track/click")

    assert (405, "method_not_allowed") == (reply.status, reply.code)
    assert reply.headers["allow"] == "POST, OPTIONS"


async def test_unknown_report_is_404_also_for_other_origins(world: "World") -> None:
    reply = await world.track("purchase", {})

    assert (404, "not_found") == (reply.status, reply.code)
    assert reply.headers["access-control-allow-origin"] == "*"


async def test_too_many_reports_are_429_and_say_when_to_return(build: "BuildWorld") -> None:
    # No token comes back while the test lasts.
    world = await build(track_rate=0.001, track_burst=2)
    replies = [await world.track("click", {}) for _ in range(3)]

    assert [201, 201, 429] == [reply.status for reply in replies]
    assert 900 < int(replies[2].headers["retry-after"]) <= 1000
    assert replies[2].headers["access-control-allow-origin"] == "*"
