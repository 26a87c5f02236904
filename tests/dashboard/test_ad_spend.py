"""Taking in what ads cost: who may, what is said of a file, and what of a bad one."""

import ast
import io
import re
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

import trackai.analytics
from trackai.dashboard.ad_spend import MOST_FILE_BYTES, PATH
from trackai.dashboard.visiting import COOKIE
from trackai.dashboard.words import LANGUAGES, say, words_of
from trackai.model.access import MemberRole
from trackai.storage.audit_logs import list_audit

if TYPE_CHECKING:
    from tests.dashboard.conftest import Browser, House

GOOD = 'Dia,Nome da campanha,Valor usado (BRL)\n2026-11-20,Lançamento,"1.234,56"\n,,"1.234,56"\n'


async def send(
    browser: "Browser", text: str | bytes, *, language: str = "pt-BR", **fields: str
) -> tuple[int, str]:
    """Send a file with the page's form, as browsers do; return status and page."""
    page = (await browser.get("/")).text
    proof = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert proof
    form = aiohttp.FormData({"csrf": proof[1], "platform": "meta", **fields})
    content = text.encode() if isinstance(text, str) else text
    form.add_field("file", io.BytesIO(content), filename="anuncios.csv", content_type="text/csv")
    headers = {
        "Origin": browser.url,
        "Accept": "text/html",
        "Accept-Language": language,
        "Cookie": f"{COOKIE}={browser.token}",
    }
    async with browser.http.post(browser.url + PATH, data=form, headers=headers) as answer:
        return answer.status, unescape(await answer.text())


async def spent(house: "House") -> list[tuple[str, int]]:
    rows = await house.world.rows("select campaign, spent_minor from ad_spend where tenant_id = $1")
    return [(row["campaign"], row["spent_minor"]) for row in rows]


async def test_a_file_is_taken_in_once_however_often(house: "House") -> None:
    browser = await house.browser_of(role=MemberRole.OPERATOR)
    first = await send(browser, GOOD)
    second = await send(browser, GOOD)
    tenant_id = house.world.account.tenant.id
    async with house.world.people.transaction(tenant_id=tenant_id) as tx:
        deeds = await list_audit(tx, tenant_id=tenant_id, limit=5)

    assert first[0] == second[0] == 200
    assert await spent(house) == [("Lançamento", 123_456)]
    assert "Linhas importadas: 1." in first[1]
    assert "R$\xa01.234,56" in first[1]
    assert [one["action"] for one in deeds[:2]] == ["ad_spend.import"] * 2
    assert str(deeds[0]["actor"]).startswith("user:")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Escolha um arquivo."),
        ("x\n1\n", "Nenhuma coluna diz o que foi gasto"),
        ("Dia,Campanha,Custo\n2026-11-20,a,1\n2026-11-20,b,x\n", "Linha 2 abaixo dos nomes"),
        ("Dia,Campanha,Custo\n2026-11-20,b,x\n", '"x" não é um número.'),
        ("day,campaign,spend\n01/11/2026,a,1\n", "Diga abaixo, em Ordem das datas"),
        ('day,campaign,spend\n2026-11-01,a,"1,234"\n', "Diga abaixo, em Casas decimais"),
        (f"day,campaign,spend\n2026-11-01,{'x' * 500},1\n", "um nome é longo demais"),
        ("day,campaign,spend\n2026-11-01,,\n", "Nenhuma linha tem campanha"),
    ],
)
async def test_a_bad_file_is_refused_whole_with_its_line(
    house: "House", text: str, said: str
) -> None:
    browser = await house.browser_of()
    status, page = await send(browser, text)

    assert status == 422
    assert said in page
    assert say("pt", "spend.refused") in page
    assert await spent(house) == []


async def test_what_is_in_doubt_is_taken_once_the_form_says(house: "House") -> None:
    browser = await house.browser_of()
    doubtful = 'day,campaign,spend\n01/11/2026,a,"1,234"\n'
    status, _ = await send(
        browser, doubtful, decimal="point", dates="day-first", currency="usd", platform="google"
    )
    rows = await house.world.rows(
        "select day::text as day, currency, platform, spent_minor from ad_spend"
        " where tenant_id = $1"
    )

    assert status == 200
    assert [tuple(row) for row in rows] == [("2026-11-01", "USD", "google", 123_400)]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"currency": "XXX"}, "ad_file.bad_currency"),
        ({"platform": "Meta!"}, "ad_file.bad_platform"),
        ({"account": "x" * 101}, "ad_file.bad_account"),
    ],
)
async def test_a_field_that_cannot_be_is_said(
    house: "House", fields: dict[str, str], said: str
) -> None:
    browser = await house.browser_of()
    status, page = await send(browser, GOOD, **fields)

    assert (status, say("pt", said) in page) == (422, True)
    assert await spent(house) == []


async def test_what_stays_beside_a_file_is_said(house: "House") -> None:
    browser = await house.browser_of()
    await send(browser, GOOD)
    house.world.clock.forward(minutes=1)
    _, page = await send(browser, GOOD.replace("Lançamento", "Outra"))

    assert "que ficam e contam também (1)" in page


async def test_analysts_look_and_do_not_import(house: "House") -> None:
    browser = await house.browser_of(role=MemberRole.ANALYST)
    page = unescape((await browser.get(PATH)).text)

    assert say("pt", "spend.who") in page
    assert say("pt", "spend.none") in page
    assert 'type="file"' not in page
    assert (await send(browser, GOOD))[0] == 403


async def test_a_file_is_read_of_somebody_who_is_signed_in_alone(house: "House") -> None:
    browser = await house.browser_of()
    lines = "".join(f"2026-11-20,campanha {number},1.50\n" for number in range(5_000))
    large = f"day,campaign,spend\n{lines}"
    stranger = house.browser()
    refused = aiohttp.FormData()
    refused.add_field("file", io.BytesIO(large.encode()), filename="x.csv")
    async with stranger.http.post(house.url + PATH, data=refused) as answer:
        status = answer.status

    assert status == 413
    assert (await send(browser, large))[0] == 200
    assert len(await spent(house)) == 5_000
    assert (await send(browser, b"x" * (MOST_FILE_BYTES + 100_000)))[0] == 413


async def test_another_tenants_spend_is_not_there(house: "House") -> None:
    await send(await house.browser_of(), GOOD)
    other = await house.world.open_account("Outra")
    await house.member("bia@loja.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@loja.test")

    assert say("pt", "spend.none") in (await browser.get(PATH)).text


def reasons() -> set[str]:
    """Return every word for why a file is refused, out of the code that refuses."""
    found = set()
    folder = Path(trackai.analytics.__file__).parent
    for name in ("ad_columns", "ad_files", "notation"):
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text())):
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            if ast.unparse(node.func) in {"Unreadable", "BadAdFile"}:
                said = node.args[1]
                found |= {said.value} if isinstance(said, ast.Constant) else set()
    return {str(one) for one in found}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words(language: str) -> None:
    words, known = words_of(language), reasons()
    several = {f"no_number_{one}" for one in ("comma", "point")}
    several |= {f"{one}_in_two_ways" for one in ("decimals", "days")}

    assert len(known) > 20
    assert [one for one in known | several if f"ad_file.{one}" not in words] == []
