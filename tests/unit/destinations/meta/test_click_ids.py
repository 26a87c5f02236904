import datetime as dt
from typing import Any

import pytest

from trackai.destinations.meta.click_ids import find_fbc, find_fbp, valid_fbc, valid_fbp
from trackai.model.click import AdIdentifiers, Visitor
from trackai.model.match import ClickCandidate
from trackai.model.notice import Tracking

NOW = dt.datetime.fromtimestamp(1795440000.123, dt.UTC)
SALE = NOW + dt.timedelta(hours=2)


def click(
    at: dt.datetime = NOW, *, fbclid: str | None = None, fbc: str | None = None, **more: Any
) -> ClickCandidate:
    ads = AdIdentifiers(fbclid=fbclid, fbc=fbc, **more)
    return ClickCandidate("c1", at, ads, Visitor(), None, None)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "fb.1.1554763741205",
        "fb.1.1554763741205.",
        "fb.1.1554763741205..AQICAQMC",
        "fb.1.notatime.IwAR",
        "fb.x.1554763741205.IwAR",
        "xx.1.1554763741205.IwAR",
        "fb.1.1554763741205.Iw\nAR",
        "IwAR2F4",
    ],
)
def test_fbc_without_all_its_parts_is_none(text: str | None) -> None:
    assert valid_fbc(text) is None


@pytest.mark.parametrize("text", [None, "", "fb.1.123", "fb.1.1.", "fb.1.1.x", "w.x.y.z", "7"])
def test_fbp_without_all_its_parts_is_none(text: str | None) -> None:
    assert valid_fbp(text) is None


@pytest.mark.parametrize("text", ["fb.1.1596403881668.7", "fb.2.1.7.AQICAQMC", "fb.1.1.7.ZZ"])
def test_fbp_stays_as_it_is(text: str) -> None:
    assert text == valid_fbp(text)


@pytest.mark.parametrize("suffix", ["", ".Ag", ".AQICAQMC"])
def test_cookie_with_the_same_fbclid_keeps_its_older_time(suffix: str) -> None:
    cookie = f"fb.2.1554763741205.IwAR_AbC{suffix}"

    assert cookie == find_fbc(click(fbclid="IwAR_AbC", fbc=cookie), Tracking(), SALE)


def test_another_fbclid_in_the_address_replaces_the_cookie() -> None:
    found = find_fbc(click(fbclid="iwar_abc", fbc="fb.1.1554763741205.IwAR_AbC"), Tracking(), SALE)

    assert found == "fb.1.1795440000123.iwar_abc"


def test_cookie_whose_fbclid_merely_begins_alike_is_replaced() -> None:
    found = find_fbc(
        click(fbclid="IwAR", fbc="fb.1.1554763741205.IwAR.longerpart"), Tracking(), SALE
    )

    assert found == "fb.1.1795440000123.IwAR"


def test_fbc_of_the_notice_serves_when_the_click_has_none() -> None:
    tracking = Tracking(fbc="fb.1.1554763741205.IwAR", fbclid="other")

    assert tracking.fbc == find_fbc(click(), tracking, SALE)
    assert tracking.fbc == find_fbc(None, tracking, SALE)


def test_fbclid_of_the_notice_alone_was_first_seen_at_the_sale() -> None:
    found = find_fbc(None, Tracking(fbclid="IwAR_x"), NOW)

    assert found == "fb.1.1795440000123.IwAR_x"


def test_click_older_than_ninety_days_is_not_told() -> None:
    old = click(SALE - dt.timedelta(days=91), fbclid="IwAR")

    assert find_fbc(old, Tracking(), SALE) == ""


def test_nothing_is_invented() -> None:
    assert find_fbc(click(), Tracking(), SALE) is None
    assert find_fbp(click(), Tracking()) is None
    assert find_fbp(None, Tracking()) is None


def test_fbp_of_the_page_goes_before_the_checkouts() -> None:
    page, checkout = "fb.1.1596403881668.1116446470", "fb.1.1596403881999.7"

    assert page == find_fbp(click(fbp=page), Tracking(fbp=checkout))
    assert checkout == find_fbp(click(fbp="broken"), Tracking(fbp=checkout))
    assert find_fbp(click(fbp="broken"), Tracking()) == ""
