"""The click id through the checkout: links, forms, buttons and scripts, for each platform."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import pytest
from playwright.async_api import Page
from tests.support.customer import until

from trackai.gateways.registry import gateways

if TYPE_CHECKING:
    from tests.browser.conftest import Stand

CHECKOUTS = {
    "perfectpay": "https://go.perfectpay.com.br/PPU38CO1",
    "hotmart": "https://pay.hotmart.com/A1B2C3D4",
    "kiwify": "https://pay.kiwify.com.br/aBcDeF1",
    "stripe": "https://buy.stripe.com/test_aBcDeF",
    "cakto": "https://pay.cakto.com.br/aBcDeF1_1",
}
KIWIFY = CHECKOUTS["kiwify"]
TAGGED = "?fbclid=IwAR0abc&utm_source=facebook"


async def _arrived(stand: "Stand") -> tuple[str, dict[str, str]]:
    """Wait for a visit at a checkout; return its host and query."""
    await until(lambda: bool(stand.site.checkout_visits()), "a visit at a checkout")
    ((host, request),) = stand.site.checkout_visits()
    return host, dict(request.query)


async def _click_id(stand: "Stand") -> str:
    await stand.reported("click")
    (click,) = await stand.clicks()
    return str(click["click_id"])


@pytest.mark.parametrize("gateway", CHECKOUTS)
async def test_a_sale_through_a_link_is_matched_by_its_click_id(
    stand: "Stand", gateway: str
) -> None:
    stand.put(f'<a id="buy" href="{CHECKOUTS[gateway]}">Comprar</a>')
    await stand.visit(TAGGED)
    await stand.page.click("#buy")
    host, query = await _arrived(stand)
    carried = query[gateways()[gateway].click_parameters[0]]
    await stand.sell(gateway, carried)

    assert CHECKOUTS[gateway].startswith(f"https://{host}/")
    assert carried == await _click_id(stand)
    assert await stand.matches() == [("click_id", carried)]
    await stand.reported("initiate_checkout")
    (started,) = await stand.events("initiate_checkout")
    assert started["click_id"] == carried
    assert stand.troubles == []


@pytest.mark.parametrize("how", ["target", "middle", "control", "menu", "keyboard"])
async def test_new_tabs_carry_it_too(stand: "Stand", how: str) -> None:
    target = 'target="_blank"' if how == "target" else ""
    stand.put(f'<a id="buy" {target} href="{KIWIFY}">Comprar</a>')
    await stand.visit(TAGGED)
    link = stand.page.locator("#buy")
    match how:
        case "middle":
            await link.click(button="middle")
        case "control":
            await link.click(modifiers=["Control"])
        case "keyboard":
            await link.focus()
            await stand.page.keyboard.press("Control+Enter")
        case "menu":
            # The menu is the browser's own: what it would open is the link's address by then.
            await link.click(button="right")
            address = await link.get_attribute("href")
            await stand.page.evaluate(
                "(address) => void open(address, '_blank', 'noopener')", address
            )
        case _:
            await link.click()
    _, query = await _arrived(stand)

    assert query["s1"] == await _click_id(stand)


async def test_links_that_come_later_and_live_in_a_shadow_are_found(stand: "Stand") -> None:
    stand.put('<div id="host"></div>')
    await stand.visit(TAGGED)
    await stand.page.evaluate(
        f"""() => {{
          const shadow = document.getElementById("host").attachShadow({{mode: "open"}});
          shadow.innerHTML = '<p><a href="{KIWIFY}"><b id="buy">Comprar</b></a></p>';
        }}"""
    )
    await stand.page.locator("#buy").click()
    _, query = await _arrived(stand)

    assert query["s1"] == await _click_id(stand)


# What the customer has in the address already -> the parameter that carries the click id.
USED = {
    "s1=campanha": "s2",
    "s1=a&s2=b&s3=c": "sck",
    "s1=": "s1",
    "s1=c0123456789abcdefghijklm": "s1",  # a click id of before
    "utm_source=x&name=Jo%C3%A3o+Silva&x=%7B%7By%7D%7D": "s1",
}


@pytest.mark.parametrize("query", USED)
async def test_the_customers_own_parameters_stay_to_the_letter(stand: "Stand", query: str) -> None:
    stand.put("")
    await stand.visit(TAGGED)
    address = f"{KIWIFY}?{query}#topo"
    decorated = await stand.page.evaluate("(address) => trackai.decorate(address)", address)
    again = await stand.page.evaluate("(address) => trackai.decorate(address)", decorated)
    click_id = await _click_id(stand)

    found = dict(parse_qsl(decorated.partition("?")[2].partition("#")[0]))
    assert found[USED[query]] == click_id
    kept = [pair for pair in query.split("&") if not pair.startswith(f"{USED[query]}=")]
    assert all(pair in decorated for pair in kept)
    assert decorated.endswith("#topo")
    assert again == decorated


async def test_where_every_parameter_is_taken_the_address_stays(stand: "Stand") -> None:
    stand.put("")
    await stand.visit(TAGGED)
    address = f"{CHECKOUTS['stripe']}?client_reference_id=order-7"

    assert address == await stand.page.evaluate("(address) => trackai.decorate(address)", address)


@pytest.mark.parametrize(
    "address",
    ["https://www.cafe.com.br/x", "https://notkiwify.com.br/x", "mailto:a@example.com", "#top", ""],
)
async def test_other_addresses_are_left_alone(stand: "Stand", address: str) -> None:
    stand.put("")
    await stand.visit(TAGGED)

    assert address == await stand.page.evaluate("(address) => trackai.decorate(address)", address)


SCRIPTED = {
    "location": f"<button id=buy onclick=\"location.href='{KIWIFY}'\">Comprar</button>",
    "open": f"<button id=buy onclick=\"window.open('{KIWIFY}', '_blank')\">Comprar</button>",
    "listener": f"<button id=buy>Comprar</button><script>buy.onclick = () => "
    f"{{ setTimeout(() => location.assign('{KIWIFY}'), 50) }}</script>",
    "data": f"<button id=buy data-href='{KIWIFY}'>Comprar</button><script>buy.onclick = () => "
    "{ location.href = buy.dataset.href }</script>",
    "get form": f"<form action='{KIWIFY}'><input name=q value=1><button id=buy>Ir</button></form>",
    "used get form": f"<form action='{KIWIFY}'><input name=s2><input name=s1 value=''>"
    "<button id=buy>Ir</button></form>",
    "post form": f"<form method=post action='{KIWIFY}?x=1'><button id=buy>Ir</button></form>",
    "formaction": f"<form action=/x><button id=buy formaction='{KIWIFY}'>Ir</button></form>",
}


@pytest.mark.parametrize("kind", SCRIPTED)
async def test_forms_buttons_and_scripts_carry_it(stand: "Stand", kind: str) -> None:
    stand.put(SCRIPTED[kind])
    await stand.visit(TAGGED)
    await stand.page.click("#buy")
    _, query = await _arrived(stand)
    await stand.reported("initiate_checkout")

    assert query["s1"] == await _click_id(stand)
    assert len(await stand.events("initiate_checkout")) == 1


async def test_a_link_can_be_named_or_left_out(stand: "Stand") -> None:
    stand.put(
        '<a id="named" data-trackai="kiwify" href="/comprar">1</a>'
        f'<a id="out" data-trackai="off" href="{KIWIFY}">2</a>'
    )
    await stand.visit(TAGGED)
    addresses = {}
    for name in ("named", "out"):
        await stand.page.hover(f"#{name}")
        await stand.page.locator(f"#{name}").dispatch_event("pointerdown")
        addresses[name] = await stand.page.locator(f"#{name}").evaluate("(link) => link.href")

    assert addresses["named"].endswith(f"/comprar?s1={await _click_id(stand)}")
    assert addresses["out"] == KIWIFY


async def test_a_checkout_at_the_customers_own_domain_is_one_that_the_tag_names(
    stand: "Stand",
) -> None:
    stand.put("", data_hosts="pagar.exemplo.com.br=stripe, seguro.exemplo.com=kiwify")
    await stand.visit(TAGGED)
    click_id = await _click_id(stand)

    async def decorated(page: Page, address: str) -> str:
        return str(await page.evaluate("(address) => trackai.decorate(address)", address))

    at_stripe = await decorated(stand.page, "https://pagar.exemplo.com.br/b/1")
    at_kiwify = await decorated(stand.page, "https://seguro.exemplo.com/x?y=1")
    assert at_stripe == f"https://pagar.exemplo.com.br/b/1?client_reference_id={click_id}"
    assert at_kiwify == f"https://seguro.exemplo.com/x?y=1&s1={click_id}"
