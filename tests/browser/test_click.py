"""What a visit becomes: click, cookies, page views."""

import re
from typing import TYPE_CHECKING

import pytest
from tests.browser.ground import LANDING

if TYPE_CHECKING:
    from tests.browser.conftest import Stand

FBCLID = "IwAR0aBcDeFgHiJkLmNoPqRsTuVwXyZ-_0123456789%2Bz"
QUERY = (
    f"?fbclid={FBCLID}&gclid=Gc+Lid&ttclid=Tt&utm_source=facebook&utm_campaign=Lan%C3%A7amento+1"
    "&utm_content=%7B%7Bad.name%7D%7D"
)


async def test_a_tagged_visit_is_a_click_with_everything_it_brought(stand: "Stand") -> None:
    stand.put("<h1>Curso</h1>")
    await stand.visit(QUERY)
    await stand.reported("click")
    (click,) = await stand.clicks()

    assert click["fbclid"] == "IwAR0aBcDeFgHiJkLmNoPqRsTuVwXyZ-_0123456789+z"
    assert (click["gclid"], click["ttclid"]) == ("Gc+Lid", "Tt")
    assert (click["utm_source"], click["utm_campaign"]) == ("facebook", "Lançamento 1")
    assert click["utm_content"] == "{{ad.name}}"
    assert click["page_url"] == f"{LANDING}/"
    assert re.fullmatch(r"c[0-9a-z]{23}", click["click_id"])
    assert stand.troubles == []


async def test_fbc_and_fbp_are_metas(stand: "Stand") -> None:
    stand.put("")
    await stand.visit(QUERY)
    await stand.reported("click")
    (click,) = await stand.clicks()
    fbc, fbp = await stand.cookie("_fbc"), await stand.cookie("_fbp")

    assert fbc
    assert fbp
    # The cookie's domain is cafe.com.br, two dots; com.br takes none.
    assert re.fullmatch(rf"fb\.2\.\d{{13}}\.{re.escape(click['fbclid'])}", fbc["value"])
    assert re.fullmatch(r"fb\.2\.\d{13}\.\d{10}", fbp["value"])
    assert fbc["domain"] == fbp["domain"] == ".cafe.com.br"
    assert (click["fbc"], click["fbp"]) == (fbc["value"], fbp["value"])
    assert all(one["secure"] and one["sameSite"] == "Lax" for one in (fbc, fbp))
    assert 89 < (fbc["expires"] - int(fbc["value"].split(".")[2]) / 1000) / 86400 < 91


async def test_cookies_of_the_pixel_are_kept(stand: "Stand") -> None:
    old_fbc, old_fbp = "fb.2.1700000000000.IwAR0same.AQICAQMC", "fb.2.1700000000000.123"
    await stand.context.add_cookies(
        [
            {"name": name, "value": value, "domain": ".cafe.com.br", "path": "/"}
            for name, value in (("_fbc", old_fbc), ("_fbp", old_fbp))
        ]
    )
    stand.put("")
    await stand.visit("?fbclid=IwAR0same")
    await stand.reported("click")
    (click,) = await stand.clicks()

    assert (click["fbc"], click["fbp"]) == (old_fbc, old_fbp)


async def test_another_fbclid_makes_another_fbc(stand: "Stand") -> None:
    stand.put("")
    await stand.visit("?fbclid=IwAR0first")
    await stand.visit("?fbclid=IwAR0second")
    await stand.reported("click", 2)
    first, second = await stand.clicks()

    assert first["fbc"].endswith(".IwAR0first")
    assert second["fbc"].endswith(".IwAR0second")
    assert first["fbp"] == second["fbp"]


async def test_a_landing_page_without_the_script_leaves_the_click_to_the_next(
    stand: "Stand",
) -> None:
    stand.site.pages["/anuncio"] = '<a href="/">Continuar</a>'
    stand.put('<a href="/anuncio?fbclid=IwAR0other">Voltar</a>')
    await stand.page.goto(f"{LANDING}/anuncio{QUERY}")
    await stand.page.click("a")
    await stand.reported("click")
    # Known from here on: another such page on the way changes nothing.
    await stand.page.click("a")
    await stand.page.wait_for_url("**/anuncio?fbclid=IwAR0other")
    await stand.page.click("a")
    await stand.reported("pageview", 2)
    (click,) = await stand.clicks()

    assert click["fbclid"] == "IwAR0aBcDeFgHiJkLmNoPqRsTuVwXyZ-_0123456789+z"
    assert click["fbc"].endswith(click["fbclid"])
    assert click["utm_campaign"] == "Lançamento 1"
    assert click["page_url"] == f"{LANDING}/"


async def test_a_referrer_of_another_host_says_nothing(stand: "Stand") -> None:
    stand.site.pages["/"] = f'<a href="{LANDING}/loja">Loja</a>'
    stand.put("", path="/loja")
    await stand.page.goto(f"https://blog.cafe.com.br/{QUERY}")
    await stand.page.evaluate("document.querySelector('a').referrerPolicy = 'unsafe-url'")
    await stand.page.click("a")
    await stand.reported("click")
    (click,) = await stand.clicks()

    assert click["referrer"] == "https://blog.cafe.com.br/"
    assert click["fbclid"] is None


async def test_reloads_and_untagged_pages_are_the_same_click(stand: "Stand") -> None:
    stand.put("")
    stand.put("", "/obrigado")
    await stand.visit(QUERY)
    await stand.visit(QUERY)
    await stand.visit(path="/obrigado")
    await stand.reported("pageview", 3)
    await stand.reported("click")

    assert len(await stand.clicks()) == 1
    views = await stand.events("pageview")
    assert [f"{LANDING}/", f"{LANDING}/", f"{LANDING}/obrigado"] == [
        row["page_url"] for row in views
    ]
    assert len({row["click_id"] for row in views}) == 1


async def test_a_visit_without_any_tag_has_a_click_id_too(stand: "Stand") -> None:
    stand.put("")
    await stand.visit()
    await stand.reported("click")
    (click,) = await stand.clicks()

    assert click["fbclid"] is None
    assert click["fbc"] is None
    assert click["fbp"] is not None


async def test_route_changes_of_a_single_page_are_page_views(stand: "Stand") -> None:
    stand.put("")
    await stand.visit("?utm_source=x")
    await stand.page.evaluate("history.pushState({}, '', '/modulo-1')")
    await stand.page.evaluate("history.replaceState({}, '', '/modulo-1')")
    await stand.page.evaluate("history.pushState({}, '', '/modulo-2')")
    await stand.page.evaluate("history.back()")
    await stand.reported("pageview", 4)
    await stand.reported("click")

    assert ["/", "/modulo-1", "/modulo-1", "/modulo-2"] == sorted(
        row["page_url"].removeprefix(LANDING) for row in await stand.events("pageview")
    )
    assert len(await stand.clicks()) == 1


@pytest.mark.parametrize("query", ["?fbclid=caf%C3%A9", "?fbclid=%00", "?utm_source=%E9%00x", "?%"])
async def test_odd_addresses_lose_no_click(stand: "Stand", query: str) -> None:
    stand.put("")
    await stand.visit(query)
    await stand.reported("click")

    assert len(await stand.clicks()) == 1
    assert stand.troubles == []


async def test_a_tag_managers_tag_has_its_settings_in_the_address(stand: "Stand") -> None:
    key = stand.world.account.tenant.site_key
    stand.site.pages["/"] = (
        "<!DOCTYPE html><title>x</title><script>const s = document.createElement('script');"
        f"s.src = 'https://track.cafe.com.br/t.js?site_key={key}&consent=granted';"
        "document.head.append(s)</script>"
    )
    await stand.visit("?fbclid=IwAR0")
    await stand.reported("click")

    assert len(await stand.clicks()) == 1


async def test_the_script_twice_on_a_page_counts_once(stand: "Stand") -> None:
    stand.put(stand.tag())
    await stand.visit("?fbclid=IwAR0")
    await stand.reported("click")
    await stand.reported("pageview")
    await stand.page.wait_for_timeout(500)  # a second report would have come by then

    assert len(await stand.clicks()) == 1
    assert len(await stand.events("pageview")) == 1


async def test_a_path_of_the_customers_own_serves_script_and_reports(stand: "Stand") -> None:
    stand.put("", src="/px/t.js")
    await stand.visit("?fbclid=IwAR0")
    await stand.reported("pageview")
    await stand.reported("click")

    assert len(await stand.clicks()) == 1
    requested = await stand.page.evaluate(
        "performance.getEntriesByType('resource').map((one) => new URL(one.name).hostname)"
    )
    assert set(requested) == {"www.cafe.com.br"}
