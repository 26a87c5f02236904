"""The period of a page: by name, or days of the tenant; what is none is said, never an error."""

import datetime as dt
from html import unescape
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from trackai.dashboard.asking import CUSTOM, NAMED, Choice, choose
from trackai.dashboard.words import say

if TYPE_CHECKING:
    from tests.dashboard.conftest import House

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
# Still the 23rd in São Paulo.
NOW = dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC)


def chosen(zone: ZoneInfo = SAO_PAULO, /, **asked: str) -> Choice:
    address = {"from" if name == "since" else name: value for name, value in asked.items()}
    return choose(address, {"gateway": "kiwify"}, zone=zone, now=NOW, usual="24h")


@pytest.mark.parametrize("name", NAMED)
def test_a_period_has_a_name(name: str) -> None:
    found = chosen(period=name)

    assert (found.name, found.problem) == (name, None)
    assert found.address() == f"period={name}&gateway=kiwify"


def test_without_one_it_is_the_usual() -> None:
    assert (chosen().name, chosen(period="").name) == ("24h", "24h")
    assert chosen(period="").problem is None


def test_days_are_the_tenants_and_both_count() -> None:
    found = chosen(since="2026-11-20", to="2026-11-22")

    assert found.name == CUSTOM
    assert found.period.start == dt.datetime(2026, 11, 20, tzinfo=SAO_PAULO)
    assert found.period.end == dt.datetime(2026, 11, 23, tzinfo=SAO_PAULO)
    assert found.address(older="x") == "from=2026-11-20&to=2026-11-22&gateway=kiwify&older=x"


def test_a_day_is_a_period_and_without_an_end_it_is_up_to_the_tenants_today() -> None:
    day, open_end = chosen(since="2026-11-20", to="2026-11-20"), chosen(since="2026-11-20")

    assert day.period.end - day.period.start == dt.timedelta(days=1)
    assert open_end.until == "2026-11-23"


def test_a_day_on_which_clocks_change_is_whole() -> None:
    found = chosen(ZoneInfo("Europe/Lisbon"), since="2026-10-25", to="2026-10-25")

    assert found.period.end - found.period.start == dt.timedelta(hours=25)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"period": "fortnight"}, "name"),
        ({"period": "\x00"}, "name"),
        ({"to": "2026-11-20"}, "day"),
        ({"since": "20/11/2026"}, "day"),
        ({"since": "2026-02-30"}, "day"),
        ({"since": "2026-11-20", "to": "soon"}, "day"),
        ({"since": "2026-11-20", "to": "2026-11-19"}, "order"),
        ({"since": "0001-01-01"}, "range"),
        ({"since": "2026-11-20", "to": "9999-12-31"}, "range"),
        ({"since": "2022-01-01", "to": "2026-01-01"}, "range"),
        ({"since": "2027-01-01", "to": "2027-01-02"}, "range"),
    ],
)
def test_what_is_no_period_is_said_and_the_usual_is_shown(
    asked: dict[str, str], problem: str
) -> None:
    found = chosen(**asked)

    assert (found.problem, found.name) == (f"period.bad_{problem}", "24h")
    assert found.own() == {"period": "24h"}


@pytest.mark.parametrize("path", ["/", "/events", "/match-rate", "/performance"])
async def test_every_page_with_a_period_has_the_same_control(house: "House", path: str) -> None:
    browser = await house.browser_of()
    days = (await browser.get(f"{path}?from=2026-11-20&to=2026-11-22")).text
    wrong = await browser.get(f"{path}?from=2026-11-20&to=2026-11-19")

    assert 'name="from" value="2026-11-20"' in days
    assert '<details class="dates" open>' in days
    assert 'aria-current="true"' not in days.split("<main")[1]
    assert (wrong.status, 'name="from" value="2026-11-20"' in wrong.text) == (200, True)
    assert say("pt", "period.bad_order") in unescape(wrong.text)
    assert f'href="{path}?period=7d' in wrong.text
