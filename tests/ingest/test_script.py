"""t.js over HTTP: addresses, caching, encodings."""

import gzip
from typing import TYPE_CHECKING

import pytest

from trackai.gateways.registry import gateways
from trackai.tracker.script import build_script

if TYPE_CHECKING:
    from tests.ingest.conftest import Reply, World

SCRIPT = build_script(gateways().values())
VERSIONED = f"/t.{SCRIPT.version}.js"


async def _get(world: "World", path: str, **headers: str) -> "Reply":
    return await world.call("GET", path, **({"accept_encoding": "identity"} | headers))


async def test_the_plain_address_is_asked_again_soon(world: "World") -> None:
    reply = await _get(world, "/t.js")

    assert reply.status == 200
    assert reply.text.encode() == SCRIPT.plain
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["cache-control"].startswith("public, max-age=300,")


async def test_the_versioned_address_is_kept_for_ever(world: "World") -> None:
    reply = await _get(world, VERSIONED)

    assert reply.text.encode() == SCRIPT.plain
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_a_page_that_names_another_releases_version_goes_on_working(world: "World") -> None:
    reply = await _get(world, "/t.0123456789ab.js")

    assert reply.text.encode() == SCRIPT.plain
    assert "immutable" not in reply.headers["cache-control"]


async def test_who_has_the_script_is_told_so(world: "World") -> None:
    first = await _get(world, "/t.js")

    again = await _get(world, "/t.js", if_none_match=first.headers["etag"])
    assert (again.status, again.text) == (304, "")
    assert again.headers["cache-control"] == first.headers["cache-control"]


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("br, gzip;q=0.8", "gzip"),
        ("br, GZIP", "gzip"),
        ("gzip;q=0", None),
        ("gzip; q=0.0, br", None),
        ("br", None),
    ],
)
async def test_it_is_gzipped_for_who_takes_that(
    world: "World", accepted: str, encoding: str | None
) -> None:
    async with world.http.get(
        world.url + "/t.js", headers={"accept-encoding": accepted}, auto_decompress=False
    ) as answer:
        body = await answer.read()

    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "accept-encoding"
    assert SCRIPT.plain == (gzip.decompress(body) if encoding else body)


async def test_only_its_own_addresses_are_the_scripts(world: "World") -> None:
    for path in ("/t.css", "/tjs", "/t.x/y.js", "/a/t.js"):
        assert world.edge.handles(path) is False
    assert (await world.call("POST", "/t.js", b"{}")).status == 405
