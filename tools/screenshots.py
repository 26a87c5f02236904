"""Draws every page of the dashboard into docs/screens, in both languages and both themes.

    python -m tools.screenshots [NAME ...]      # all of them, or these

It starts an installation of its own and removes it; what it needs besides is Debian's Chromium.
"""

import argparse
import asyncio
import base64
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.processes import http_process, program
from benchmarks.scratch import Scratch, run_async, scratch
from benchmarks.shops import access_to, load_shops
from playwright.async_api import Browser, Page, async_playwright
from tests.support.databases import execute
from tools.moments import MOMENTS, PASSWORD, Guest, report_person

from trackai.accounts.new_passwords import NewPasswords
from trackai.accounts.team import Team
from trackai.dashboard.navigation import PLACES
from trackai.dashboard.progress import STEPS
from trackai.model.access import MemberRole
from trackai.sandbox.load.shape import Shop
from trackai.telemetry.logging import configure_logging

FOLDER = Path(__file__).parent.parent / "docs" / "screens"
ROWS = 200_000
LOCALES = {"pt": "pt-BR", "en": "en-US"}
THEMES: Sequence[Literal["light", "dark"]] = ("light", "dark")
WIDTHS = {"": 1280, "-phone": 390}
# Drawn at a telephone's width, too.
ON_PHONES = frozenset({"home", "live", "event", "alarms"})
MOST_HEIGHT, QUALITY, SCALE = 1200, 60, 0.75
# Who comes: language, name, e-mail.
GUESTS = (("pt", "Ana Souza", "ana@example.com"), ("en", "Ben Lee", "ben@example.com"))
# What is seen before one comes in: (name, the page).
AT_THE_DOOR = (("sign_in", "/sign-in"), ("forgot", "/forgot"))
# What a page leads to first: (name, the page, what the link begins with).
INSIDE = (
    ("event", "/events", "/events/"),
    ("failure", "/failures?period=90d", "/failures/"),
    ("gateway", "/connections", "/connections/gateways/"),
    ("pixel", "/connections", "/connections/pixels/"),
    ("alarm", "/alarms", "/alarms/"),
    ("runbook", "/alarms", "/runbooks/"),
)
# What the menu does not name: (name, the page).
BESIDE = (
    ("start", "/start"),
    *((f"start_{step}", f"/start/{step}") for step in STEPS),
    ("spend", "/campaigns/spend"),
    ("account", "/account"),
    ("error", "/nowhere"),
)
# What is asked for a longer period, so that there is something to see.
_LONG = {"failures": "?period=30d", "match_rate": "?period=30d", "campaigns": "?period=30d"}


@dataclass(frozen=True, slots=True)
class Screen:
    """A page as it is drawn."""

    name: str
    path: str


def main() -> int:
    """Draw what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", help="of pages; without any, all")
    asked = frozenset(parser.parse_args().names)
    configure_logging(json=False, level="WARNING")
    chromium = shutil.which("chromium")
    if chromium is None:
        print("There is no Chromium: apt-get install chromium", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with scratch() as place:
        _, (shop,) = run_async(load_shops(place, ROWS, 1))
        invitations = run_async(_invite(place, shop))
        serve = [*program("trackai"), "up"]
        with http_process(serve, place.environment, place.log, "/healthz") as address:
            names = asyncio.run(_draw(chromium, Stand(place, address, invitations), asked))
    if not asked:
        _write_gallery(names)
    print(f"{len(names)} pages are in {FOLDER.relative_to(Path.cwd())}")
    return 0


async def _invite(place: Scratch, shop: Shop) -> Sequence[str]:
    """Give the shop a name, and invite the guests; return their links' secrets."""
    await execute(
        place.here.url,
        "alter table tenants no force row level security",
        "update tenants set name = 'Café do Curso'",
        "alter table tenants force row level security",
    )
    async with access_to(place) as tools:
        return [
            await Team(tools).invite(
                email, tenant_id=shop.tenant_id, role=MemberRole.OWNER, by="cli:ana"
            )
            for _, _, email in GUESTS
        ]


@dataclass(frozen=True, slots=True)
class Stand:
    """What is drawn: an installation, where it answers, and the guests' invitations."""

    place: Scratch
    address: str
    invitations: Sequence[str]

    async def operate(self) -> None:
        """Have whoever came in run the installation, too: there are pages for that."""
        await execute(self.place.here.url, "update users set platform_operator = true")

    async def guest(self, page: Page, email: str) -> Guest:
        """Ask for a new password in somebody's name, and have a page report them as a lead."""
        async with access_to(self.place) as tools:
            found = await NewPasswords(tools).forgot(email, by="cli:ana")
        if found is None:
            raise RuntimeError(f"{email} has not come in.")
        await page.goto(self.address + "/start/tag")
        site_key = (await page.locator("#tag").inner_text()).partition('data-site-key="')[2]
        await asyncio.to_thread(report_person, self.address, site_key.partition('"')[0], email)
        return Guest(page, self.address, email, found[1])


async def _draw(chromium: str, stand: Stand, asked: frozenset[str]) -> Sequence[str]:
    names: dict[str, None] = {}
    async with async_playwright() as playwright, AsyncExitStack() as stack:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        stack.push_async_callback(browser.close)
        pages = []
        for (language, name, _), token in zip(GUESTS, stand.invitations, strict=True):
            page = await stack.enter_async_context(_opened(browser, stand.address, language))
            pages.append(page)
            for door, path in AT_THE_DOOR:
                await page.goto(stand.address + path)
                await _shoot(page, door, language)
            await _come_in(page, f"{stand.address}/join/{token}", name, language)
            await stand.operate()
            async for screen in _screens(page, stand.address):
                if asked and screen.name not in asked:
                    continue
                names[screen.name] = None
                await page.goto(stand.address + screen.path)
                await _shoot(page, screen.name, language)
        # What is done changes what pages show: when all of them are drawn.
        for (language, _, email), page in zip(GUESTS, pages, strict=True):
            guest = await stand.guest(page, email)
            for moment, leads_to in MOMENTS.items():
                await leads_to(guest)
                if not asked or moment in asked:
                    names[moment] = None
                    await _shoot(page, moment, language, again=False)
    return [*(name for name, _ in AT_THE_DOOR), "join", *names]


@asynccontextmanager
async def _opened(browser: Browser, address: str, language: str) -> AsyncIterator[Page]:
    context = await browser.new_context(locale=LOCALES[language], base_url=address)
    yield await context.new_page()
    await context.close()


async def _come_in(page: Page, link: str, name: str, language: str) -> None:
    await page.goto(link)
    await _shoot(page, "join", language)
    await page.fill("input[name=name]", name)
    await page.fill("input[name=password]", PASSWORD)
    await page.click("form button.main")
    await page.wait_for_url(link.partition("/join/")[0] + "/")


async def _screens(page: Page, address: str) -> AsyncIterator[Screen]:
    for place in PLACES:
        yield Screen(place.name, place.path + _LONG.get(place.name, ""))
    for name, path in BESIDE:
        yield Screen(name, path)
    for name, listed, begins in INSIDE:
        await page.goto(address + listed)
        links = page.locator(f'main a[href^="{begins}"]')
        if await links.count():
            yield Screen(name, await links.first.get_attribute("href") or listed)


async def _shoot(page: Page, name: str, language: str, *, again: bool = True) -> None:
    """Draw what is open, in both themes and at its widths; without `again` it is not asked anew."""
    devtools = await page.context.new_cdp_session(page)
    for suffix, width in WIDTHS.items():
        if suffix and name not in ON_PHONES:
            continue
        await page.set_viewport_size({"width": width, "height": 800})
        for theme in THEMES:
            await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            if again:
                await page.reload()
            await page.evaluate("scrollTo(0, 0)")  # where a form led to is further down
            await page.wait_for_timeout(400)  # charts are drawn, live pages are told
            height = await page.evaluate("document.documentElement.scrollHeight")
            clip = {
                "x": 0,
                "y": 0,
                "width": width,
                "height": min(height, MOST_HEIGHT),
                "scale": SCALE,
            }
            shot = await devtools.send(
                "Page.captureScreenshot",
                {"format": "webp", "quality": QUALITY, "clip": clip, "captureBeyondViewport": True},
            )
            file = FOLDER / f"{name}{suffix}-{language}-{theme}.webp"
            file.write_bytes(base64.b64decode(shot["data"]))
    await devtools.detach()


def _write_gallery(names: Sequence[str]) -> None:
    """List all of them in a page that shows them."""
    (FOLDER / "README.md").write_text("\n".join(_gallery(names)) + "\n")


def _gallery(names: Sequence[str]) -> Iterator[str]:
    yield "# Screens"
    yield ""
    yield "Every page with made-up data, as `make screenshots` draws them."
    for name in names:
        yield ""
        yield f"## {name.replace('_', ' ').capitalize()}"
        yield ""
        yield "| português | English |"
        yield "|---|---|"
        for suffix in [suffix for suffix in WIDTHS if not suffix or name in ON_PHONES]:
            for theme in THEMES:
                shown = (f"![{name}]({name}{suffix}-{one}-{theme}.webp)" for one in LOCALES)
                yield f"| {' | '.join(shown)} |"


if __name__ == "__main__":
    sys.exit(main())
