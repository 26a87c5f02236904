"""What ads cost is asked of the sandbox as it would be of Meta."""

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from trackai.destinations.http import HttpLimits, open_http
from trackai.destinations.meta import insights
from trackai.destinations.meta.insights import ANSWER_BYTES, Insights
from trackai.errors import DestinationUnreachable, InvalidField
from trackai.model.clock import SystemClock
from trackai.sandbox.meta.app import MetaSandbox

if TYPE_CHECKING:
    from tests.conftest import Serve

    from trackai.model.ad_spend import AdDay

FIRST = dt.date(2026, 11, 1)
LAST = dt.date(2026, 11, 5)
READER = "reader"
READING = ("ads_read",)


def row(day: dt.date, ad: int, **more: str) -> dict[str, str]:
    return {
        "date_start": f"{day}",
        "date_stop": f"{day}",
        "campaign_id": "55",
        "campaign_name": "Lançamento",
        "adset_id": "77",
        "adset_name": "Frio",
        "ad_id": str(ad),
        "ad_name": f"Vídeo {ad}",
        "account_currency": "BRL",
        "spend": "12.34",
        "impressions": "900",
        "inline_link_clicks": "27",
        **more,
    }


@pytest.fixture
def meta() -> MetaSandbox:
    sandbox = MetaSandbox(SystemClock())
    sandbox.add_token("reader", scopes=READING)
    sandbox.add_ad_days(
        "123", [row(FIRST + dt.timedelta(days=ago), ad) for ago in range(5) for ad in range(3)]
    )
    return sandbox


async def ask(
    meta: MetaSandbox, serve: "Serve", account: str = "act_123", token: str = READER
) -> "list[AdDay]":
    url = await serve(meta)
    async with open_http(HttpLimits(answer_bytes=ANSWER_BYTES)) as http:
        return await Insights(http, token, api_url=url).days(account, FIRST, LAST)


async def test_every_ad_and_day_is_told_once_over_pages(
    meta: MetaSandbox, serve: "Serve", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insights, "PAGE_ROWS", 4)
    days = await ask(meta, serve)

    assert len({one.key for one in days}) == len(days) == 15
    assert {one.day for one in days} == {FIRST + dt.timedelta(days=ago) for ago in range(5)}
    first = days[0]
    assert (first.spent_minor, first.currency, first.clicks) == (1_234, "BRL", 27)
    assert (first.campaign_id, first.ad_set, first.ad) == ("55", "Frio", "Vídeo 0")


async def test_days_outside_are_left_out_and_silence_is_nothing(
    meta: MetaSandbox, serve: "Serve"
) -> None:
    meta.add_ad_days("124", [row(LAST + dt.timedelta(days=1), 1), row(LAST, 2, spend="0")])
    (one,) = await ask(meta, serve, "124")

    assert (one.ad_id, one.spent_minor) == ("2", 0)


@pytest.mark.parametrize(
    ("account", "token", "field"),
    [
        *(("123", "nobody", "token"), ("123", "writer", "token"), ("123", "ended", "token")),
        *(("999", "reader", "account"), ("mine", "reader", "account"), ("123", "other", "account")),
    ],
)
async def test_what_meta_refuses_names_the_field(
    meta: MetaSandbox, serve: "Serve", account: str, token: str, field: str
) -> None:
    meta.add_token("writer", scopes=("business_management",))
    meta.add_token("other", scopes=READING, datasets=["124"])
    yesterday = SystemClock().now() - dt.timedelta(days=1)
    meta.add_token("ended", scopes=READING, expires_at=yesterday)
    with pytest.raises(InvalidField) as refused:
        await ask(meta, serve, account, token)

    assert refused.value.field == field


@pytest.mark.parametrize("fault", ["http_500", "throttle", "throttle_buc", "garbage"])
async def test_an_outage_is_no_refusal(meta: MetaSandbox, serve: "Serve", fault: str) -> None:
    meta.script_fault(fault)
    with pytest.raises(DestinationUnreachable) as away:
        await ask(meta, serve)

    assert "reader" not in str(away.value)
    assert len(await ask(meta, serve)) == 15


async def test_a_page_that_never_ends_is_not_read_for_ever(
    meta: MetaSandbox, serve: "Serve", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insights, "PAGE_ROWS", 4)
    meta.script_fault("endless", times=None)
    with pytest.raises(DestinationUnreachable, match="same page"):
        await ask(meta, serve)
    meta.clear_faults()
    monkeypatch.setattr(insights, "MOST_PAGES", 3)
    with pytest.raises(InvalidField, match="fewer days"):
        await ask(meta, serve)


@pytest.mark.parametrize(
    "more",
    [
        *({"spend": "-1.00"}, {"spend": "1e5"}, {"account_currency": "ABC"}),
        *({"date_stop": f"{LAST + dt.timedelta(days=1)}"}, {"campaign_id": "5" * 401}),
        *({"ad_name": "x" * 401}, {"ad_name": "\x00"}),
    ],
)
async def test_what_no_ad_can_be_is_refused_as_a_whole(
    meta: MetaSandbox, serve: "Serve", more: dict[str, str]
) -> None:
    meta.add_ad_days("123", [row(LAST, 9, **more)])
    with pytest.raises(DestinationUnreachable, match="Meta told"):
        await ask(meta, serve)
