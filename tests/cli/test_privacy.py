"""Requests of a person from the command line."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.world import NOON

from trackai.model.click import PageEvent, PageEventKind
from trackai.model.clock import new_id
from trackai.model.identity import IdentityKind, email_key
from trackai.storage.page_events import insert_page_events
from trackai.storage.pool import Role

if TYPE_CHECKING:
    from tests.support.program import Place

EMAIL = "zuleide.quintela@exemplo.com.br"


@pytest.fixture
def place_with_lead(place_with_tenant: "Place") -> "Place":
    """Return an installation whose tenant Loja has one lead."""

    async def lead() -> None:
        here = place_with_tenant.here()
        tenant = await here.tenant("Loja")
        key = email_key(EMAIL)
        assert key is not None
        event = PageEvent(
            *(tenant.id, PageEventKind.LEAD, new_id().hex, NOON, "c1"),
            identities=((IdentityKind.EMAIL.value, key),),
        )
        async with here.database(Role.INGEST) as database, database.transaction() as tx:
            await insert_page_events(tx, here.envelope, [event])

    asyncio.run(lead())
    return place_with_tenant


def test_a_person_is_exported_and_erased(place_with_lead: "Place") -> None:
    place = place_with_lead
    before = place.json("privacy", "export", "Loja", "--email", EMAIL)
    changed = place.json(
        *("privacy", "erase", "Loja", "--email", EMAIL, "--why", "ticket 7", "--yes")
    )
    after = place.json("privacy", "export", "Loja", "--email", EMAIL)
    deeds = place.json("audit", "list", "Loja")

    assert ["c1"] == [row["click_id"] for row in before["identities"]]
    assert changed == {
        "identities": 1,
        "waiting_receipts": 0,
        "unreadable": 0,
        "not_searched": None,
    }
    assert [] == after["identities"]
    assert EMAIL not in json.dumps(deeds)
    assert {"privacy.export", "privacy.erase"} <= {deed["action"] for deed in deeds}


def test_page_reports_that_wait_on_disk_are_told_of(place_with_lead: "Place") -> None:
    spool = Path(place_with_lead.environment["TRACKAI_DATA_DIR"]) / "spool"
    spool.mkdir(parents=True)
    (spool / "0-00000001.spool").write_bytes(b"x")
    document = place_with_lead.json("privacy", "export", "Loja", "--email", EMAIL)

    assert document["not_searched"].startswith("1 file(s) of page reports in ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--why", "x", "--yes"), "Say who"),
        (("--why", "x", "--email", "ana", "--yes"), "--email is no e-mail address"),
        (("--why", "x", "--phone", "12", "--yes"), "--phone is no phone number"),
        (("--why", f"asked by {EMAIL}", "--email", EMAIL, "--yes"), "does not name the person"),
        (("--why", "x", "--email", EMAIL), "Say --yes"),
    ],
)
def test_what_is_not_clear_erases_nothing(
    place_with_lead: "Place", words: tuple[str, ...], said: str
) -> None:
    answer = place_with_lead.run("privacy", "erase", "Loja", *words)
    document = place_with_lead.json("privacy", "export", "Loja", "--email", EMAIL)

    assert answer.returncode != 0
    assert said in answer.stderr
    assert document["identities"]
