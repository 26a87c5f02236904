"""Who did what: all of it can be seen, page by page, in words that people know."""

import re
from typing import TYPE_CHECKING

import pytest

from trackai.dashboard import audit
from trackai.model.clock import new_id
from trackai.storage.audit_logs import Scribe

if TYPE_CHECKING:
    from tests.dashboard.conftest import House

OLDER = re.compile(r'href="(/audit\?older=[^"]+)"')
TRIED = re.compile(r"<code>try-(\d+)</code>")


async def note(house: "House", number: int) -> None:
    """Write down so many deeds, two of them at each moment."""
    world = house.world
    scribe = Scribe(world.account.tenant.id, "cli:ana", world.clock, new_id)
    async with world.people.transaction(tenant_id=scribe.tenant_id) as tx:
        for each in range(number):
            world.clock.forward(seconds=each % 2)
            await scribe.note(tx, "destination.test", f"try-{each}")


async def test_every_deed_is_on_a_page(house: "House", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SHOWN", 3)
    browser = await house.browser_of()
    await note(house, 8)
    pages: list[str] = []
    path = "/audit"
    while path and len(pages) < 9:
        pages.append((await browser.get(path)).text)
        path = next(iter(OLDER.findall(pages[-1])), "")
    seen = [int(one) for page in pages for one in TRIED.findall(page)]

    assert seen == [7, 6, 5, 4, 3, 2, 1, 0]
    assert len(pages) > 3
    assert 'class="button" href="/audit"' in pages[-1]  # back to the newest


async def test_a_thing_is_called_by_its_name(house: "House") -> None:
    browser = await house.browser_of()
    await browser.submit("/funnels", "/funnels", name="Lançamento de maio")
    await browser.submit("/keys", "/keys", name="Planilha", scope_read="1")
    page = (await browser.get("/audit")).text
    rows = page.partition("<tbody>")[2].split("<tr>")[1:3]

    assert ("Planilha" in rows[0], "Lançamento de maio" in rows[1]) == (True, True)


@pytest.mark.parametrize("place", ["x", "MjAyNg", "%00"])
async def test_a_place_that_is_none_is_said(house: "House", place: str) -> None:
    answer = await (await house.browser_of()).get(f"/audit?older={place}")

    assert answer.status == 200
    assert "Esta página da lista não existe" in answer.text
