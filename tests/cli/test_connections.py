"""Pixels and gateways are changed and disconnected from the command line; the audit log tells."""

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from trackai.model.clock import SystemClock
from trackai.sandbox.meta import MetaSandbox

if TYPE_CHECKING:
    from tests.conftest import Serve
    from tests.support.program import Place

PIXEL, TOKEN = "123456789012345", "EAAtoken0123456789"
CONNECT = ("destination", "connect", "Loja", "meta", "--pixel", PIXEL)
OFFLINE = (*CONNECT, "--token", TOKEN, "--offline")
DISABLED_KEYS = "select endpoint_key from gateway_connections where disabled_at is not null"


def deeds(place: "Place") -> list[str]:
    return [row["action"] for row in reversed(place.json("audit", "list", "Loja"))]


def test_the_test_event_code_can_be_set_and_dropped(place: "Place") -> None:
    place.json("tenant", "create", "Loja")
    pixel = place.json(*OFFLINE, "--test-event-code", "TEST1", "--event", "approved=Purchase")
    change = ("destination", "change", "Loja", pixel["destination_id"])
    another = place.json(*change, "--test-event-code", "TEST2")
    without = place.json(*change, "--no-test-event-code", "--event", "refunded=")
    usual = place.json(*change, "--usual-events")
    (listed,) = place.json("destination", "list", "Loja")

    assert (another["test_event_code"], without["test_event_code"]) == ("TEST2", None)
    assert without["event_names"] == {"approved": "Purchase", "refunded": ""}
    assert (usual["event_names"], listed["event_names"]) == (None, None)
    assert listed["test_event_code"] is None
    assert ["destination.change"] * 3 == deeds(place)[-3:]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "Say what to change"),
        (("--test-event-code", "X", "--no-test-event-code"), "Either"),
        (("--test-event-code", " "), "--no-test-event-code"),
        (("--test-event-code", "two words"), "one short word"),
        (("--event", "soon=Purchase"), "Unknown trigger"),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    place: "Place", options: tuple[str, ...], says: str
) -> None:
    place.json("tenant", "create", "Loja")
    pixel = place.json(*OFFLINE, "--test-event-code", "TEST1")
    done = place.run("destination", "change", "Loja", pixel["destination_id"], *options)
    (listed,) = place.json("destination", "list", "Loja")

    assert done.returncode == 1
    assert says in done.stderr
    assert listed["test_event_code"] == "TEST1"


def test_a_disconnected_pixel_is_gone_until_it_is_connected_again(place: "Place") -> None:
    place.json("tenant", "create", "Loja")
    pixel = place.json(*OFFLINE)
    disconnect = ("destination", "disconnect", "Loja", pixel["destination_id"])
    gone = place.json(*disconnect)
    listed = place.json("destination", "list", "Loja")
    twice = place.run(*disconnect)
    again = place.json(*OFFLINE, "--test-event-code", "TEST1")

    assert gone["dead_letters"] == 0
    assert listed == []
    assert (twice.returncode, "no such destination" in twice.stderr) == (1, True)
    assert (again["destination_id"], again["test_event_code"]) == (pixel["destination_id"], "TEST1")
    assert ["destination.connect", "destination.disconnect", "destination.connect"] == deeds(place)[
        -3:
    ]


async def test_a_disconnected_gateway_answers_404(place: "Place") -> None:
    await asyncio.to_thread(place.json, "tenant", "create", "Loja")
    kiwify = await asyncio.to_thread(place.json, "gateway", "connect", "Loja", "kiwify")
    rotated = await asyncio.to_thread(
        place.json, "gateway", "rotate", "Loja", kiwify["connection_id"]
    )
    hotmart = await asyncio.to_thread(place.json, "gateway", "connect", "Loja", "hotmart")
    await asyncio.to_thread(place.json, "gateway", "disconnect", "Loja", hotmart["connection_id"])
    statuses = {}
    with place.start("serve", "--port", "0") as program:
        base = program.wait_for("serving")["address"]
        async with aiohttp.ClientSession() as http:
            for name, made in {"old": kiwify, "new": rotated, "gone": hotmart}.items():
                path = made["webhook_url"].partition("8400")[2]
                async with http.post(base + path, data=b"{}") as answer:
                    statuses[name] = answer.status
    listed = await asyncio.to_thread(place.json, "gateway", "list", "Loja")

    assert statuses == {"old": 404, "new": 401, "gone": 404}
    assert [one["connection_id"] for one in listed] == [kiwify["connection_id"]]
    told = await asyncio.to_thread(deeds, place)
    assert {"gateway.connect", "gateway.rotate", "gateway.disconnect"} <= set(told)


class Platform:
    """A stand-in for Meta, and commands given in threads beside it."""

    def __init__(self, place: "Place", meta: MetaSandbox, url: str) -> None:
        self.place, self.meta, self.url = place, meta, url

    async def run(self, *arguments: str) -> "Any":
        return await asyncio.to_thread(self.place.run, *arguments)

    async def json(self, *arguments: str) -> "Any":
        return await asyncio.to_thread(self.place.json, *arguments)


@pytest.fixture
async def platform(place: "Place", serve: "Serve") -> Platform:
    meta = MetaSandbox(SystemClock())
    meta.add_dataset(PIXEL)
    meta.add_token(TOKEN, datasets=[PIXEL])
    meta.add_token("EAAforeign", datasets=["999"])
    made = Platform(place, meta, await serve(meta))
    await made.json("tenant", "create", "Loja")
    return made


@pytest.mark.parametrize("token", ["EAAforeign", "EAAunknown"])
async def test_a_pixel_is_not_connected_with_a_refused_token(
    platform: Platform, token: str
) -> None:
    connect = (*CONNECT, "--api-url", platform.url, "--token", token)
    refused = await platform.run(*connect)
    listed = await platform.json("destination", "list", "Loja")
    kept = await platform.json(*connect, "--keep-anyway")

    assert (refused.returncode, listed) == (1, [])
    assert "Nothing was connected" in refused.stderr
    assert kept["token_valid"] is False


async def test_a_refused_token_leaves_the_one_before_it(platform: Platform) -> None:
    pixel = await platform.json(*CONNECT, "--api-url", platform.url, "--token", TOKEN)
    token = ("destination", "token", "Loja", pixel["destination_id"], "--token", "EAAforeign")
    refused = await platform.run(*token)
    well = await platform.run("doctor", "--json")
    kept = await platform.json(*token, "--keep-anyway")
    ill = await platform.run("doctor", "--json")

    assert (refused.returncode, "was kept" in refused.stderr) == (1, True)
    assert "not assigned to this pixel" in refused.stderr
    assert (well.returncode, ill.returncode) == (0, 1)
    assert "not assigned to this pixel" in ill.stdout
    assert kept["token_valid"] is False
