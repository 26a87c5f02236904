"""The tracker script in a browser: its size, and how long it keeps a page's main thread.

Chromium, with its processor slowed down four times, as its own tools do for a cheap telephone.
"""

import asyncio
import shutil
import statistics

from playwright.async_api import Browser, CDPSession, async_playwright

from benchmarks.figures import Figure, Size
from trackai.gateways.registry import gateways
from trackai.tracker.script import build_script

MOST_BYTES = 4096
SLOWED = 4
# A page with as many links as a long sales page has; the tag's own request is answered here.
PAGE = (
    "<!DOCTYPE html><title>x</title><body>"
    + "<p><a href='https://pay.kiwify.com.br/abc'>Comprar</a> <b>texto</b></p>" * 40
    + "{tag}"
)
TAG = "<script src='https://track.example/t.js' data-site-key='site_benchmark'></script>"
LANDING = "https://www.example/?fbclid=IwAR0abc&utm_source=facebook"
# Somebody moves over, presses and clicks: how long the script takes for one such event.
POINT = """() => {
  const link = document.querySelector("a");
  const started = performance.now();
  for (let i = 0; i < 500; i++) {
    link.dispatchEvent(new PointerEvent("pointerdown", {bubbles: true, composed: true}));
  }
  return (performance.now() - started) * 2;
}"""


def run(size: Size) -> list[Figure]:
    """Load pages with and without the script."""
    script = build_script(gateways().values())
    figures = [
        Figure("script_gzip_bytes", len(script.gzipped), "t.js as it travels", at_most=MOST_BYTES)
    ]
    path = shutil.which("chromium")
    if path is None:
        return figures
    with_it, without, pointed = asyncio.run(_measure(path, script.plain.decode(), size.rounds * 3))
    return [
        *figures,
        Figure(
            "script_main_thread_ms",
            statistics.median(with_it) - statistics.median(without),
            "script time of a page with it less one without, processor slowed 4 times",
            at_most=50,
        ),
        Figure("script_event_us", statistics.median(pointed), "one pointer event on a link, same"),
    ]


async def _measure(
    path: str, script: str, rounds: int
) -> tuple[list[float], list[float], list[float]]:
    with_it: list[float] = []
    without: list[float] = []
    pointed: list[float] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for _ in range(rounds):
            without.append((await _load(browser, script, ""))[0])
            took, point = await _load(browser, script, TAG)
            with_it.append(took)
            pointed.append(point)
        await browser.close()
    return with_it, without, pointed


async def _load(browser: Browser, script: str, tag: str) -> tuple[float, float]:
    """Return milliseconds of script until the page is quiet, and microseconds an event."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.route(
        "https://www.example/**",
        lambda route: route.fulfill(body=PAGE.format(tag=tag), content_type="text/html"),
    )
    await page.route(
        "https://track.example/t.js",
        lambda route: route.fulfill(body=script, content_type="text/javascript"),
    )
    await page.route(
        "https://track.example/api/**",
        lambda route: route.fulfill(
            status=201, body="{}", headers={"access-control-allow-origin": "*"}
        ),
    )
    session = await context.new_cdp_session(page)
    await session.send("Performance.enable")
    await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    await page.goto(LANDING)
    await page.wait_for_timeout(300)
    took = await _script_ms(session)
    point = float(await page.evaluate(POINT))
    await context.close()
    return took, point


async def _script_ms(session: CDPSession) -> float:
    found = await session.send("Performance.getMetrics")
    return 1000 * next(
        float(one["value"]) for one in found["metrics"] if one["name"] == "ScriptDuration"
    )
