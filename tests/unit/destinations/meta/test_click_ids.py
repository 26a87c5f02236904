import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from trackai.destinations.meta.click_ids import find_fbc, find_fbp, valid_fbc, valid_fbp
from trackai.model.click import AdIdentifiers, Visitor
from trackai.model.match import ClickCandidate
from trackai.model.notice import Tracking

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "fixtures/meta/paramsbuilder_cases.json").read_text()
)["cases"]
# The parameter builder's clock in these cases.
NOW = dt.datetime.fromtimestamp(1795440000.123, dt.UTC)
SALE = NOW + dt.timedelta(hours=2)
COOKIE = "fb.1.1554763741205.IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2ofrHyiLjcbCRxTDMgk"
# Where the product differs on purpose: case -> what it sends.
DIFFERENT = {
    # The builder passes any four parts on; Meta refuses an fbc that is none.
    "pb-037": "",
    "pb-038": "",
    # Three parts: the builder has nothing to send and nothing to say; here it counts as dropped.
    "pb-035": "",
    # The builder drops a cookie for a suffix it does not know; its fbclid is whole, so it is sent.
    "pb-032": f"{COOKIE}.ZZ",
    "pb-033": f"{COOKIE}.abc",
    "pb-036": f"{COOKIE}.a.b",
    # An fbclid with dots makes the builder drop its own cookie; the older time is the better one.
    "pb-010": "fb.1.1554763741205.a.b.c",
}


def click(
    at: dt.datetime = NOW, *, fbclid: str | None = None, fbc: str | None = None, **more: Any
) -> ClickCandidate:
    ads = AdIdentifiers(fbclid=fbclid, fbc=fbc, **more)
    return ClickCandidate("c1", at, ads, Visitor(), None, None)


def without_suffix(identifier: str | None) -> str | None:
    if identifier is None:
        return None
    head, _, last = identifier.rpartition(".")
    return head if last in {"AQICAQMC", "AQIDAQMC", "AQIAAQMC"} else identifier


def builder_cases() -> list[dict[str, Any]]:
    """The cases in which a page's address and cookies are given apart."""
    return [
        case
        for case in CASES
        if "wsgi" not in case["input"]
        and "asgi" not in case["input"]
        and "referer" not in case["input"]
        # The subdomain index of a new fbc is the cookie domain's; a server without one says 1.
        and "host:" not in case["tag"]
        # An empty fbclid makes the builder write an fbc without one, which Meta refuses.
        and case["tag"] != "fbclid empty string"
    ]


@pytest.mark.parametrize("case", builder_cases(), ids=lambda case: case["id"])
def test_fbc_is_the_parameter_builders(case: dict[str, Any]) -> None:
    cookies = case["input"].get("cookies") or {}
    values = (case["input"].get("queries") or {}).get("fbclid")
    fbclid = values[0] if isinstance(values, list) else values
    found = find_fbc(click(fbclid=fbclid, fbc=cookies.get("_fbc")), Tracking(), SALE)
    expected = DIFFERENT.get(case["id"], without_suffix(case["expected"]["fbc"]))

    assert expected == without_suffix(found)


@pytest.mark.parametrize(
    "cookie",
    [
        case["input"]["cookies"]["_fbp"]
        for case in CASES
        if (case["input"].get("cookies") or {}).get("_fbp")
    ],
)
def test_fbp_of_the_parameter_builders_cases_stays_whole_or_goes(cookie: str) -> None:
    assert valid_fbp(cookie) in {cookie, None}
    assert (valid_fbp(cookie) is None) == (cookie in {"fb.1.123", "w.x.y.z"})


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


def test_cookie_with_the_same_fbclid_keeps_its_older_time() -> None:
    cookie = "fb.2.1554763741205.IwAR_AbC.AQICAQMC"

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
