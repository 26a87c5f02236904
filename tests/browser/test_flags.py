"""The page of flags as an operator of the installation uses it: by everybody, and on a phone."""

from typing import TYPE_CHECKING

from tests.browser.test_dashboard import WIDTHS, enter, house, seat
from tests.support.flags import Panel

from trackai.dashboard.words import say
from trackai.storage.feature_flags import list_flags_all_tenants

if TYPE_CHECKING:
    from playwright.async_api import Dialog
    from tests.browser.test_dashboard import Seat

__all__ = ["house", "seat"]

KIWIFY = "#gateway-kiwify"


async def test_an_operator_turns_a_platform_off_for_everybody(seat: "Seat") -> None:
    world, page, asked = seat.house.world, seat.page, list[str]()
    await enter(seat)
    await seat.house.operates()
    await Panel(world).say("gateway.hotmart", 30)

    async def agree(dialog: "Dialog") -> None:
        asked.append(dialog.message)
        await dialog.accept()

    page.on("dialog", agree)
    for width in WIDTHS.values():
        await page.set_viewport_size({"width": width, "height": 800})
        await page.goto(f"{seat.house.url}/flags")
        await page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        await seat.look(f"flags, open, at {width}")
    await page.locator(KIWIFY).get_by_role("button", name=say(seat.language, "flags.kill")).click()
    await page.wait_for_selector(f"{KIWIFY} .state.low")
    await seat.look("flags, off")
    async with world.workers.transaction() as tx:
        killed = {one.key for one in await list_flags_all_tenants(tx) if one.rule.killed}

    assert [say(seat.language, "flags.kill_sure", name="Kiwify")] == asked
    assert {"gateway.kiwify"} == killed
    assert seat.troubles == []
