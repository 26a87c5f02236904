"""What ads cost and brought, on the command line: from a file and from Meta's sandbox."""

import asyncio
import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.sandbox.test_insights import row

from trackai.model.clock import SystemClock
from trackai.sandbox.meta.app import MetaSandbox

if TYPE_CHECKING:
    from tests.conftest import Serve
    from tests.support.program import Place

TOKEN = "a-reading-token"


def test_a_file_is_taken_in_once_however_often(place: "Place", tmp_path: Path) -> None:
    # The day before: today is another one where the tenant is, for some hours.
    day = SystemClock().now().date() - dt.timedelta(days=1)
    file = tmp_path / "anuncios.csv"
    file.write_text(
        f'Dia,Nome da campanha,Valor usado (BRL)\n{day},Lançamento,"1.234,56"\n,,"1.234,56"\n'
    )
    place.json("tenant", "create", "Loja")
    taken = [place.json("ads", "import", "Loja", str(file)) for _ in range(2)]
    (account,) = place.json("ads", "list", "Loja")
    (reported,) = place.json("ads", "report", "Loja", "--period", "7d")
    printed = place.run("ads", "report", "Loja", "--period", "7d")
    of_gateway = place.run("ads", "report", "Loja", "--gateway", "kiwify")
    bad = place.run("ads", "import", "Loja", str(tmp_path / "none.csv"))
    file.write_text("Campanha,Custo\nx,1\n")
    by_no_day = place.run("ads", "import", "Loja", str(file))

    assert [(one["rows"], one["skipped"]) for one in taken] == [(1, 1)] * 2
    assert (account["platform"], account["spent_minor"]) == ("meta", 123_456)
    assert (reported["campaign"], reported["spent"], reported["roas"]) == (
        *("Lançamento", "1234.56 BRL"),
        0.0,
    )
    assert "Lançamento" in printed.stdout
    assert "not known by gateway" not in printed.stdout
    assert "what ads cost is not known by gateway" in of_gateway.stdout
    assert (bad.returncode, "cannot be read" in bad.stderr) == (2, True)
    assert (by_no_day.returncode, "breakdown by day" in by_no_day.stderr) == (1, True)


async def test_meta_is_asked_and_what_it_no_longer_says_goes(
    place: "Place", serve: "Serve"
) -> None:
    # The day before: today is another one where the tenant is, for some hours.
    day = SystemClock().now().date() - dt.timedelta(days=1)
    meta = MetaSandbox(SystemClock())
    meta.add_token(TOKEN, scopes=("ads_read",))
    meta.add_ad_days("123", [row(day, 1), row(day, 2)])
    url = await serve(meta)
    fetch = ("ads", "fetch", "Loja", "act_123", "--api-url", url)

    def ask() -> tuple[object, object, object, str]:
        place.json("tenant", "create", "Loja")
        first = place.json(*fetch, "--token", TOKEN)
        meta.reset()
        meta.add_token(TOKEN, scopes=("ads_read",))
        meta.add_ad_days("123", [row(day, 1, spend="20.00")])
        second = place.json(*fetch, "--token", TOKEN)
        listed = place.json("ads", "list", "Loja")
        refused = place.run(*fetch, "--token", "another")
        return first, second, listed, refused.stderr

    first, second, listed, refused = await asyncio.to_thread(ask)

    assert isinstance(first, dict)
    assert (first["rows"], first["first_day"]) == (2, f"{day}")
    assert isinstance(second, dict)
    assert second["rows"] == 1
    assert isinstance(listed, list)
    assert [(one["account"], one["spent_minor"]) for one in listed] == [("act_123", 2_000)]
    assert "does not accept the token" in refused
    assert TOKEN not in refused


def test_a_dry_run_says_the_same_and_stores_nothing(place: "Place", tmp_path: Path) -> None:
    file = tmp_path / "anuncios.csv"
    file.write_text(
        "date,campaign,spend,currency\n2026-11-03,x,1.50,BRL\n2026-11-05,x,2.25,USD\n,,3.75,\n"
    )
    place.json("tenant", "create", "Loja")
    dry = place.json("ads", "import", "Loja", str(file), "--dry-run")
    nothing = place.json("ads", "list", "Loja")
    stored = place.json("ads", "import", "Loja", str(file))
    printed = place.run("ads", "import", "Loja", str(file))

    assert nothing == []
    assert dry == {
        "rows": 2,
        "spent": [
            {"amount_minor": 150, "currency": "BRL"},
            {"amount_minor": 225, "currency": "USD"},
        ],
        "first_day": "2026-11-03",
        "last_day": "2026-11-05",
        "kept_beside": None,
        "skipped": 1,
        "currency": "of the file",
        "stored": False,
    }
    assert stored == dry | {"stored": True}
    assert "1.50 BRL, 2.25 USD" in printed.stdout


def test_what_is_in_doubt_is_refused_until_an_option_says(place: "Place", tmp_path: Path) -> None:
    file = tmp_path / "ads.csv"
    file.write_text('day,campaign,spend\n01/11/2026,x,"1,234"\n')
    read = ("ads", "import", "Loja", str(file))
    place.json("tenant", "create", "Loja")
    refused = [
        place.run(*read, *options)
        for options in ((), ("--decimal", "point"), ("--dates", "day-first"))
    ]
    nothing = place.json("ads", "list", "Loja")
    taken = place.json(*read, "--decimal", "point", "--dates", "day-first")

    assert [done.returncode for done in refused] == [1, 1, 1]
    assert ["--decimal comma" in done.stderr for done in refused] == [True, False, True]
    assert "--dates day-first" in refused[1].stderr
    assert nothing == []
    assert (taken["first_day"], taken["spent"][0]["amount_minor"]) == ("2026-11-01", 123_400)


def test_what_was_taken_in_can_be_taken_back(place: "Place", tmp_path: Path) -> None:
    file = tmp_path / "ads.csv"
    file.write_text("day,campaign,spend\n2026-11-03,x,1\n2026-11-04,x,2\n2026-11-05,x,4\n")
    place.json("tenant", "create", "Loja")
    place.json("tenant", "create", "Outra")
    for tenant, *account in (("Loja",), ("Outra",), ("Loja", "--account", "a")):
        place.json("ads", "import", tenant, str(file), *account)
    file.write_text("day,campaign,ad,spend\n2026-11-03,x,y,1\n2026-11-05,x,y,2\n")
    again = place.json("ads", "import", "Loja", str(file), "--account", "a")
    delete = ("ads", "delete", "Loja", "meta", "--from", "2026-11-03", "--to", "2026-11-04")
    unasked = place.run(*delete)
    of_none = place.run(*delete, "--account", "none", "--yes")
    backwards = place.run(*delete[:4], "--from", "2026-11-04", "--to", "2026-11-03", "--yes")
    gone = place.json(*delete, "--yes")
    deeds = place.json("audit", "list", "Loja")
    left = {
        (tenant, one["account"]): (one["rows"], one["spent_minor"])
        for tenant in ("Loja", "Outra")
        for one in place.json("ads", "list", tenant)
    }

    # By ad what was there by campaign: both count until one is taken back.
    beside = {"rows": 3, "spent": [{"amount_minor": 700, "currency": "BRL"}]}
    assert again["kept_beside"] == beside
    assert (unasked.returncode, "--yes" in unasked.stderr) == (2, True)
    assert (of_none.returncode, "trackai ads list" in of_none.stderr) == (1, True)
    assert (backwards.returncode, "after the last" in backwards.stderr) == (1, True)
    assert gone == {"rows": 2, "spent": [{"amount_minor": 300, "currency": "BRL"}]}
    assert left == {("Loja", ""): (1, 400), ("Loja", "a"): (5, 1_000), ("Outra", ""): (3, 700)}
    assert deeds[0]["action"] == "ad_spend.delete"
    assert deeds[0]["details"] == {
        "platform": "meta",
        "from": "2026-11-03",
        "to": "2026-11-04",
        "rows": 2,
        "spent_minor": {"BRL": 300},
    }


def test_nothing_is_taken_back_without_a_yes(place: "Place", tmp_path: Path) -> None:
    file = tmp_path / "ads.csv"
    file.write_text("day,campaign,spend\n2026-11-03,x,1.50\n")
    place.json("tenant", "create", "Loja")
    place.json("ads", "import", "Loja", str(file))
    ours, theirs = os.openpty()
    os.write(ours, b"n\n")
    done = subprocess.run(  # noqa: S603 - our own program
        [
            *(str(Path(sys.executable).with_name("trackai")), "ads", "delete", "Loja", "meta"),
            *("--from", "2026-11-03", "--to", "2026-11-03"),
        ],
        env=place.environment,
        stdin=theirs,
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(ours)
    os.close(theirs)

    assert done.returncode == 1
    assert "1.50 BRL" in done.stdout
    assert len(place.json("ads", "list", "Loja")) == 1


# What goes wrong at Meta, and what is said of it.
TROUBLES = {
    "throttle": "no more questions for now",
    "throttle_429": "no more questions for now",
    "http_500": "Try again later",
    "http_503_html": "is not Meta",
    "garbage": "is not Meta",
    "token_expired": "does not accept the token",
    "endless": "same page",
}


async def test_what_meta_does_not_answer_changes_nothing(place: "Place", serve: "Serve") -> None:
    day = SystemClock().now().date() - dt.timedelta(days=1)
    meta = MetaSandbox(SystemClock())
    meta.add_token(TOKEN, scopes=("ads_read",))
    meta.add_token("writer", scopes=("business_management",))
    meta.add_ad_days("123", [row(day, 1)])
    url = await serve(meta)
    fetch = ("ads", "fetch", "Loja", "--api-url", url)

    def ask() -> dict[str, str]:
        place.json("tenant", "create", "Loja")
        place.json(*fetch, "act_123", "--token", TOKEN)
        # More than a page holds.
        meta.add_ad_days("123", [row(day, ad) for ad in range(2, 700)])
        said = {}
        for kind in TROUBLES:
            meta.script_fault(kind, times=None)
            said[kind] = failed(place, *fetch, "act_123", "--token", TOKEN)
            meta.clear_faults()
        said["scope"] = failed(place, *fetch, "act_123", "--token", "writer")
        said["account"] = failed(place, *fetch, "act_999", "--token", TOKEN)
        return said

    said = await asyncio.to_thread(ask)
    (account,) = await asyncio.to_thread(place.json, "ads", "list", "Loja")

    expected = TROUBLES | {"scope": "lacks ads_read", "account": "no such ad account"}
    assert {kind: text in said[kind] for kind, text in expected.items()} == dict.fromkeys(
        expected, True
    )
    assert (account["rows"], account["spent_minor"]) == (1, 1_234)


def failed(place: "Place", *arguments: str) -> str:
    """Run a command that must fail with a sentence; return it."""
    done = place.run(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stderr
    return done.stderr
