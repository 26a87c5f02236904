"""The shop over real HTTP: its pages, what they carry, and the webhook after payment."""

import base64
import hashlib
import hmac
import json
import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
import pytest

from trackai.sandbox.asgi import Reply, Request, read_request, send_reply
from trackai.sandbox.shop import Shop

if TYPE_CHECKING:
    from tests.conftest import Serve

GATEWAYS = ("perfectpay", "hotmart", "kiwify", "stripe")
CLICK = "cABCDEFGHIJKLMNOPQRSTUV"
SECRET = "segredo-de-teste"
ATTACK = '"><script>alert(1)</script>'


class TrackAi:
    """Takes webhooks with the status it is told; keeps what it heard."""

    def __init__(self) -> None:
        self.status = 200
        self.heard: list[Request] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        request = await read_request(scope, receive, max_body=100_000)
        assert request is not None
        self.heard.append(request)
        await send_reply(Reply(self.status), receive, send)


@pytest.fixture
def track_ai() -> TrackAi:
    return TrackAi()


@pytest.fixture
async def shop(track_ai: TrackAi, serve: "Serve", clock: Any) -> str:
    ingest = await serve(track_ai)
    made = iter(range(1, 100))
    app = Shop(
        ingest_url=ingest,
        site_key="pk_test",
        webhook_urls={name: f"{ingest}/hooks/{name}?k=1" for name in GATEWAYS},
        secrets=dict.fromkeys(GATEWAYS, SECRET),
        clock=clock,
        new_id=lambda: uuid.UUID(int=next(made)),
    )
    return await serve(app)


async def get(http: aiohttp.ClientSession, url: str, **headers: str) -> tuple[int, Any, str]:
    async with http.get(url, headers=headers) as response:
        return response.status, response.headers, await response.text()


async def pay(http: aiohttp.ClientSession, url: str, **changes: str) -> tuple[int, str]:
    form = {
        "full_name": "Maria da Conceição",
        "email": "maria@example.com",
        "phone": "(11) 99999-0000",
        "payment": "credit_card",
        "click_id": CLICK,
        "utm_source": "facebook",
    }
    async with http.post(url, data=form | changes) as response:
        return response.status, await response.text()


@pytest.mark.parametrize(
    ("query", "accept_language", "lang", "words"),
    [
        ("", "pt-BR,pt;q=0.9,en;q=0.8", "pt-BR", "Comprar com"),
        ("", "en-US,en;q=0.9", "en", "Buy with"),
        ("", "fr", "pt-BR", "Comprar com"),
        ("?lang=en", "pt-BR", "en", "Buy with"),
        ("?lang=xx", "en", "en", "Buy with"),
    ],
)
async def test_the_landing_page_speaks_the_visitors_language(
    shop: str, http: aiohttp.ClientSession, query: str, accept_language: str, lang: str, words: str
) -> None:
    status, _, html = await get(http, f"{shop}/{query}", **{"Accept-Language": accept_language})

    assert status == 200
    assert f'<html lang="{lang}">' in html
    assert html.count(words) == 4


async def test_each_button_names_its_platform_to_the_tracker_script(
    shop: str, http: aiohttp.ClientSession
) -> None:
    _, _, html = await get(http, shop)

    assert re.findall(r'href="/checkout/(\w+)[^>]*data-trackai="(\w+)"', html) == [
        (name, name) for name in GATEWAYS
    ]


async def test_the_landing_page_carries_the_tracker_script(
    shop: str, http: aiohttp.ClientSession
) -> None:
    _, headers, html = await get(http, f"{shop}/?consent=wait")

    (tag,) = re.findall(r'<script async src="([^"]+)/t.js" ([^>]*)>', html)
    assert tag[1] == 'data-site-key="pk_test" data-consent="wait"'
    assert f"script-src {tag[0]} " in headers["content-security-policy"]


async def test_the_script_in_the_page_is_the_one_that_the_policy_names(
    shop: str, http: aiohttp.ClientSession
) -> None:
    _, headers, html = await get(http, shop)
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = hashlib.sha256(script.encode()).digest()

    assert f"'sha256-{base64.b64encode(digest).decode()}'" in headers["content-security-policy"]


async def test_a_platforms_checkout_has_no_script(shop: str, http: aiohttp.ClientSession) -> None:
    _, _, html = await get(http, f"{shop}/checkout/stripe")

    assert "<script" not in html


@pytest.mark.parametrize(
    "path",
    [
        "/?" + urlencode({"utm_source": ATTACK, "fbclid": ATTACK, ATTACK: "1"}),
        "/checkout/kiwify?" + urlencode({"s1": ATTACK, "utm_source": ATTACK, "fbc": ATTACK}),
        "/checkout/" + ATTACK,
        "/?lang=" + ATTACK,
    ],
)
async def test_what_comes_from_the_address_is_escaped(
    shop: str, http: aiohttp.ClientSession, path: str
) -> None:
    _, _, html = await get(http, shop + path)

    assert "<script>alert" not in html


async def test_the_checkout_keeps_the_click_id_for_its_form(
    shop: str, http: aiohttp.ClientSession
) -> None:
    _, _, html = await get(http, f"{shop}/checkout/hotmart?xcod={CLICK}&utm_source=facebook")

    assert f'name="click_id" value="{CLICK}"' in html
    assert 'name="utm_source" value="facebook"' in html


async def test_paying_sends_the_signed_notice_and_shows_the_transaction(
    shop: str, track_ai: TrackAi, http: aiohttp.ClientSession
) -> None:
    status, html = await pay(http, f"{shop}/checkout/kiwify")

    (heard,) = track_ai.heard
    told = json.loads(heard.body)
    signature = hmac.new(SECRET.encode(), heard.body, hashlib.sha1).hexdigest()
    assert status == 200
    assert told["order_id"] in html
    assert heard.query == {"k": "1", "signature": signature}
    assert told["TrackingParameters"]["s1"] == CLICK
    assert told["Customer"]["mobile"] == "+5511999990000"
    assert told["Commissions"]["charge_amount"] == 19_700


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_every_platform_tells_of_the_click(
    shop: str, track_ai: TrackAi, http: aiohttp.ClientSession, gateway: str
) -> None:
    await pay(http, f"{shop}/checkout/{gateway}")

    assert any(CLICK in heard.body.decode() for heard in track_ai.heard)
    assert {heard.path for heard in track_ai.heard} == {f"/hooks/{gateway}"}


async def test_pix_is_told_as_waiting_and_then_as_paid(
    shop: str, track_ai: TrackAi, http: aiohttp.ClientSession
) -> None:
    await pay(http, f"{shop}/checkout/hotmart", payment="pix")

    events = [json.loads(heard.body)["event"] for heard in track_ai.heard]
    assert events == ["PURCHASE_BILLET_PRINTED", "PURCHASE_APPROVED"]


async def test_a_notice_that_is_not_taken_is_said_on_the_page(
    shop: str, track_ai: TrackAi, http: aiohttp.ClientSession
) -> None:
    track_ai.status = 401

    _, html = await pay(http, f"{shop}/checkout/perfectpay?lang=en")

    assert "not taken (HTTP 401)" in html


@pytest.mark.parametrize("changes", [{"email": "maria"}, {"full_name": " "}, {"phone": "abc"}])
async def test_an_incomplete_form_sends_nothing(
    shop: str, track_ai: TrackAi, http: aiohttp.ClientSession, changes: dict[str, str]
) -> None:
    status, _ = await pay(http, f"{shop}/checkout/stripe", **changes)

    assert status == 422
    assert track_ai.heard == []


async def test_what_a_buyer_types_is_escaped(shop: str, http: aiohttp.ClientSession) -> None:
    _, html = await pay(http, f"{shop}/checkout/stripe", click_id=ATTACK, full_name=ATTACK)

    assert "<script>alert" not in html


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/checkout/cakto", 404),
        ("POST", "/", 404),
        ("DELETE", "/checkout/stripe", 404),
    ],
)
async def test_other_addresses_do_not_exist(
    shop: str, http: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    async with http.request(method, shop + path) as response:
        assert response.status == status


async def test_a_body_that_is_no_form_is_refused(shop: str, http: aiohttp.ClientSession) -> None:
    for body, status in ((b"\xff\xfe", 422), (b"&" * 30_000, 422), (b"x" * 40_000, 413)):
        async with http.post(f"{shop}/checkout/stripe", data=body) as response:
            assert response.status == status


def test_a_gateway_without_a_webhook_address_has_no_button(clock: Any) -> None:
    shop = Shop(
        ingest_url="http://127.0.0.1:1",
        site_key="pk",
        webhook_urls={"stripe": "http://127.0.0.1:1/hooks/stripe"},
        secrets={"stripe": SECRET},
        clock=clock,
        new_id=lambda: uuid.UUID(int=1),
    )

    assert shop.gateways == ["stripe"]
