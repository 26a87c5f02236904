"""Who tries what they may not is written down, with who and what, and nothing they sent."""

from typing import TYPE_CHECKING

import pytest

from trackai.model.access import MemberRole

if TYPE_CHECKING:
    from tests.dashboard.conftest import House


async def test_a_refusal_is_logged_with_who_and_what(
    house: "House", capsys: pytest.CaptureFixture[str]
) -> None:
    browser = await house.browser_of(role=MemberRole.ANALYST)
    refused = await browser.submit("/", "/keys", name="key-of-mine")
    unproved = await browser.post("/keys", name="key-of-mine")
    said = capsys.readouterr()
    lines = [one for one in (said.out + said.err).splitlines() if "page.refused" in one]

    assert (403, 403) == (refused.status, unproved.status)
    assert 2 == len(lines)
    assert "path=/keys" in lines[0]
    assert "reason=forbidden" in lines[0]
    assert "reason=page_too_old" in lines[1]
    assert all("who=user:" in one and str(house.world.account.tenant.id) in one for one in lines)
    assert "key-of-mine" not in "".join(lines)


async def test_what_is_allowed_or_nowhere_is_no_refusal(
    house: "House", capsys: pytest.CaptureFixture[str]
) -> None:
    browser = await house.browser_of()
    await browser.get("/keys")
    await browser.get("/nowhere")

    assert "page.refused" not in capsys.readouterr().out
