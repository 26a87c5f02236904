"""Numbers on the command line, and the proof that they are what the rows say."""

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import asyncpg
from tests.support.world import SECRET

from trackai.model.clock import SystemClock

if TYPE_CHECKING:
    from tests.support.program import Place

TAMPER = "update rollup_sales set sales = sales + 1 where grain = 'day'"


async def _until_folded(url: str) -> None:
    owner = await asyncpg.connect(url)
    try:
        for _ in range(600):
            if await owner.fetchval("select not exists (select from changed_sales)"):
                return
            await asyncio.sleep(0.1)
        raise AssertionError("nobody folded")
    finally:
        await owner.close()


async def _tamper(url: str) -> None:
    owner = await asyncpg.connect(url)
    try:
        await owner.execute(TAMPER)
    finally:
        await owner.close()


def test_what_was_sold_is_shown_and_counted_again(place: "Place") -> None:
    url = place.database_url
    assert url is not None
    place.json("tenant", "create", "Loja")
    connected = place.json("gateway", "connect", "Loja", "kiwify", "--secret", SECRET)
    path = connected["webhook_url"].partition("8400")[2]
    with place.start("up", "--port", "0") as program:
        address = program.wait_for("up")["address"] + path
        send = ("sandbox", "webhook", "kiwify", "--url", address, "--secret", SECRET)
        place.json(*send, "--amount-minor", "1990")
        program.wait_for("receipt.processed")
    shown = place.json("analytics", "show", "Loja", "--period", "1h")
    printed = place.run("analytics", "show", "Loja")
    no_period = place.run("analytics", "show", "Loja", "--period", "week")
    verified = place.json("analytics", "verify")
    # A worker folds what a stopped one left.
    with place.start("worker"):
        asyncio.run(_until_folded(url))
    folded = place.json("analytics", "verify", "Loja")
    asyncio.run(_tamper(url))
    tampered = place.run("analytics", "verify", "Loja", "--json")

    money = {"currency": "BRL", "gross_minor": 1990, "refunded_minor": 0, "net_minor": 1990}
    assert (shown["current"]["sales"], shown["current"]["revenue"]) == (1, [money])
    assert (shown["previous"]["sales"], shown["previous"]["match_rate"]) == (0, None)
    assert "19.90 BRL" in printed.stdout
    assert "America/Sao_Paulo" in printed.stderr
    assert (no_period.returncode, "24h" in no_period.stderr) == (1, True)
    assert {row["rollup"]: row["different"] for row in verified} == {
        "rollup_totals": 0,
        "rollup_sales": 0,
        "rollup_campaigns": 0,
        "rollup_dispatch": 0,
        "rollup_latency": 0,
        "rollup_peaks": 0,
        "ad_spend_weeks": 0,
    }
    assert next(row["rows"] for row in folded if row["rollup"] == "rollup_sales") == 1
    assert tampered.returncode == 1
    assert '"different":1' in tampered.stdout


def test_days_may_be_named(place: "Place") -> None:
    place.json("tenant", "create", "Loja")
    first, last, after = (
        SystemClock().now().date() - dt.timedelta(days=ago) for ago in (20, 19, 18)
    )
    stretch = ("--from", f"{first}", "--to", f"{last}")
    yesterday = place.json("analytics", "show", "Loja", "--period", "yesterday")
    shown = place.run("analytics", "show", "Loja", *stretch)
    verified = place.run("analytics", "verify", "Loja", *stretch)
    early = place.run("analytics", "verify", "Loja", "--from", "2020-01-01", "--to", "2020-01-02")

    assert (yesterday["current"]["sales"], yesterday["period"]["time_zone"]) == (
        *(0, "America/Sao_Paulo"),
    )
    assert f"From {first} 00:00 to {after} 00:00" in shown.stderr
    assert (verified.returncode, "rollup_peaks" in verified.stdout) == (0, True)
    assert (early.returncode, "were let go" in early.stderr) == (1, True)
