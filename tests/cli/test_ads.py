"""What ads cost and brought, on the command line: from a file and from Meta's sandbox."""

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

from tests.sandbox.test_insights import row

from trackai.model.clock import SystemClock
from trackai.sandbox.meta.app import MetaSandbox

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Serve
    from tests.support.program import Place

TOKEN = "a-reading-token"


def test_a_file_is_taken_in_once_however_often(place: "Place", tmp_path: "Path") -> None:
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
