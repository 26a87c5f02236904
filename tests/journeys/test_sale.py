"""A customer's way with the commands alone: set up, sell, and see Meta's yes."""

import asyncio
import hashlib
import json
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from tests.support.program import PATIENCE_S, POLL_S

from trackai.gateways.registry import gateway as gateway_named
from trackai.model.clock import SystemClock, new_id
from trackai.sandbox.platforms import PLATFORMS, Person, Sale, SaleStatus, platform
from trackai.sandbox.platforms.deliver import address

if TYPE_CHECKING:
    from tests.support.program import Place

TOKEN = "EAAcustomerstoken0123456789"
PIXEL = "123456789012345"
BUYER = Person(
    full_name="Joaquina Bragança",
    email="joaquina.braganca@example.com",
    phone="5521987654321",
    document="98765432100",
    client_ip="198.51.100.23",
)
FBCLID = "IwAR0JourneyJourneyJourneyJourney_-0123456789"
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"


def secret(gateway: str) -> str:
    return f"{gateway_named(gateway).secret_prefix}{gateway}-shared-secret-0123456789"


async def click(http: aiohttp.ClientSession, base: str, site_key: str, click_id: str) -> None:
    body = {
        "site_key": site_key,
        "click_id": click_id,
        "fbclid": FBCLID,
        "page_url": "https://curso.example.com/oferta",
    }
    async with http.post(
        f"{base}/api/v1/track/click",
        data=json.dumps(body),
        headers={
            "Content-Type": "text/plain;charset=UTF-8",
            "Origin": "https://curso.example.com",
            "User-Agent": AGENT,
        },
    ) as answer:
        assert answer.status == 201, await answer.text()


async def events_at(http: aiohttp.ClientSession, meta: str) -> list[dict[str, Any]]:
    async with http.get(f"{meta}/sandbox/events?limit=1000") as answer:
        found: list[dict[str, Any]] = (await answer.json())["events"]
        return found


@pytest.fixture
def programs(place: "Place", stack: ExitStack) -> tuple[Any, str, str]:
    """Start the server and a stand-in for Meta; returns the program and both addresses."""
    stand_in = stack.enter_context(
        place.start("sandbox", "meta", "--port", "0", "--pixel", PIXEL, "--token", TOKEN)
    )
    program = stack.enter_context(place.start("up", "--port", "0"))
    base = program.wait_for("up")["address"]
    said = stand_in.wait_for_text("Connect to it")
    (meta,) = [word for word in said.split() if word.startswith("http")]
    return program, base, meta


@pytest.mark.xdist_group("sale")
async def test_a_sale_on_every_gateway_reaches_meta_once_by_commands_alone(
    place: "Place", programs: tuple[Any, str, str], http: aiohttp.ClientSession
) -> None:
    program, base, meta = programs
    tenant = place.json("tenant", "create", "Escola")
    place.json("funnel", "create", "Escola", "Lançamento", "--window-hours", "168")
    urls = {
        gateway: place.json(
            *("gateway", "connect", "Escola", gateway, "--funnel", "Lançamento"),
            *("--secret", secret(gateway)),
        )["webhook_url"]
        for gateway in PLATFORMS
    }
    place.json(
        *("destination", "connect", "Escola", "meta", "--pixel", PIXEL, "--token", TOKEN),
        *("--test-event-code", "TEST1", "--api-url", meta),
    )
    sold: dict[str, Sale] = {}
    for gateway, url in urls.items():
        await click(http, base, tenant["site_key"], f"c-{gateway}")
        seller = platform(gateway, secret(gateway))
        sold[gateway] = sale = _sale(gateway)
        path = url[url.index("/api/") :]
        for webhook in [*seller.notices(sale, SaleStatus.APPROVED)] * 2:
            async with http.post(
                address(base + path, webhook),
                data=webhook.body,
                headers={"Content-Type": webhook.content_type, **webhook.headers},
            ) as answer:
                assert answer.status == 200
        forged = seller.notice(_sale(gateway), SaleStatus.APPROVED, forge=True)
        async with http.post(
            address(base + path, forged),
            data=forged.body,
            headers={"Content-Type": forged.content_type, **forged.headers},
        ) as answer:
            assert answer.status == 401

    ids = {f"{gateway}:{sale.transaction}" for gateway, sale in sold.items()}
    await _until_all_arrived(http, meta, ids)

    events = await events_at(http, meta)
    assert sorted(ids) == sorted(event["event_id"] for event in events)
    for event in events:
        _check_event(event["payload"])
    _check_commands(place, ids)
    rejected = place.json("webhooks", "rejected", "Escola")
    assert sorted(PLATFORMS) == sorted(row["gateway"] for row in rejected)
    assert program.end() == 0
    _check_logs(program.said(), program.log.read_text(), ids)


def _sale(gateway: str) -> Sale:
    made = platform(gateway, secret(gateway)).transaction(new_id())
    return Sale(made, SystemClock().now(), buyer=BUYER, click_id=f"c-{gateway}")


async def _until_all_arrived(http: aiohttp.ClientSession, meta: str, ids: set[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not ids <= {event["event_id"] for event in await events_at(http, meta)}:
        assert time.monotonic() < deadline, "not every sale arrived at Meta"
        await asyncio.sleep(POLL_S)


def _check_event(payload: dict[str, Any]) -> None:
    user = payload["user_data"]
    assert payload["event_name"] == "Purchase"
    assert payload["event_source_url"] == "https://curso.example.com/oferta"
    assert payload["custom_data"]["value"] == 197
    assert payload["custom_data"]["currency"] == "BRL"
    assert user["em"] in (_sha256(BUYER.email), [_sha256(BUYER.email)])
    assert user["fbc"].startswith("fb.1.")
    assert user["fbc"].endswith(f".{FBCLID}")
    assert user["client_user_agent"] == AGENT
    assert user["client_ip_address"] == "127.0.0.1"
    assert BUYER.email not in json.dumps(payload)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _check_commands(place: "Place", ids: set[str]) -> None:
    conversions = place.json("conversions", "list", "Escola")
    assert {(row["match"], row["status"], row["accepted"]) for row in conversions} == {
        ("click_id", "approved", 1)
    }
    assert ids == {f"{row['gateway']}:{row['transaction']}" for row in conversions}
    deliveries = place.json("deliveries", "list", "Escola")
    assert {row["status"] for row in deliveries} == {"accepted"}
    (first, *_) = deliveries
    (attempt,) = place.json("deliveries", "attempts", "Escola", first["id"])
    assert (attempt["status"], attempt["http_status"]) == ("accepted", 200)
    webhooks = place.json("webhooks", "list", "Escola")
    assert {row["state"] for row in webhooks} <= {"processed", "ignored"}
    assert all(row["repeats"] == 1 for row in webhooks)


def _check_logs(lines: list[dict[str, Any]], text: str, ids: set[str]) -> None:
    """One correlation id from webhook to attempt, and nothing of the buyer or a secret."""
    attempts = {
        line["event_id"]: line["receipt_id"]
        for line in lines
        if line.get("event") == "delivery.attempted"
    }
    processed = {line["receipt_id"] for line in lines if line.get("event") == "receipt.processed"}
    assert ids == attempts.keys()
    assert set(attempts.values()) <= processed
    private = [
        *(BUYER.email, BUYER.phone, BUYER.phone[2:], BUYER.document, BUYER.client_ip),
        *("Joaquina", "Bragan", FBCLID, AGENT, TOKEN, _sha256(BUYER.email)),
        *(secret(gateway) for gateway in PLATFORMS),
    ]
    assert [] == [one for one in private if one in text]
