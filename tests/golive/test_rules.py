"""What an item comes to: rules alone, without any database."""

import datetime as dt
import re
import string
from dataclasses import replace
from pathlib import Path

import pytest

from trackai.golive.catalogue import ITEMS
from trackai.golive.report import checklist_page, document_of, report_of
from trackai.golive.rules import CLOCKS_DIFFER, check, judge
from trackai.golive.words import sentence_of, words_of
from trackai.model.clock import new_id
from trackai.model.golive import Evidence, Item, Outcome, Proof, Section, Signature
from trackai.operations import golive
from trackai.operations.golive.desk import PROOFS

ROOT = Path(__file__).parents[2]
NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
LOOKED = Item("looked", 1, Section.DATA, lasts=HOUR)
SIGNED = Item("signed", 2, Section.TEAM, Proof.SIGNED)
GOOD = Evidence(good=True, said="flags_ok", at=NOW, values={"flags": 3})
BAD = replace(GOOD, good=False)
SIGNATURE = Signature("signed", new_id(), "Done.", NOW - HOUR, NOW + HOUR, "Ana")


@pytest.mark.parametrize(
    ("evidence", "outcome"),
    [
        (GOOD, Outcome.PROVED),
        (BAD, Outcome.FAILED),
        (None, Outcome.FAILED),
        (replace(GOOD, at=NOW - HOUR), Outcome.PROVED),
        (replace(GOOD, at=NOW - HOUR - dt.timedelta(seconds=1)), Outcome.EXPIRED),
        (replace(GOOD, at=NOW + CLOCKS_DIFFER), Outcome.PROVED),
        (replace(GOOD, at=NOW + 2 * CLOCKS_DIFFER), Outcome.FAILED),
    ],
)
def test_what_is_looked_at(evidence: Evidence | None, outcome: Outcome) -> None:
    assert outcome is judge(LOOKED, evidence, None, NOW).outcome


def test_a_signature_makes_nothing_hold_that_is_looked_at() -> None:
    assert Outcome.FAILED is judge(LOOKED, BAD, SIGNATURE, NOW).outcome


@pytest.mark.parametrize(
    ("evidence", "signature", "outcome"),
    [
        (None, SIGNATURE, Outcome.SIGNED),
        (GOOD, SIGNATURE, Outcome.SIGNED),
        (None, None, Outcome.UNSIGNED),
        (GOOD, None, Outcome.UNSIGNED),
        (BAD, SIGNATURE, Outcome.FAILED),
        (None, replace(SIGNATURE, expires_at=NOW), Outcome.EXPIRED),
    ],
)
def test_what_is_signed(
    evidence: Evidence | None, signature: Signature | None, outcome: Outcome
) -> None:
    assert outcome is judge(SIGNED, evidence, signature, NOW).outcome


def test_all_hold_only_when_each_does() -> None:
    nothing = check({}, {}, NOW, "1")
    found = dict.fromkeys(ITEMS, GOOD)
    signed = {one.id: SIGNATURE for one in ITEMS.values() if one.proof is Proof.SIGNED}
    everything = check(found, signed, NOW, "1")
    all_but_one = check({**found, "tls": BAD}, signed, NOW, "1")

    assert (False, True, False) == (nothing.holds, everything.holds, all_but_one.holds)
    assert {"items": 36, "proved": 31, "signed": 5, "failed": 0} == everything.sums
    assert {"items": 36, "proved": 30, "signed": 5, "failed": 1} == all_but_one.sums


def test_the_list_is_numbered_without_gaps_and_every_section_has_items() -> None:
    assert list(range(1, len(ITEMS) + 1)) == [one.number for one in ITEMS.values()]
    assert set(Section) == {one.section for one in ITEMS.values()}
    # The specification's list is the first twenty-four.
    assert ["team"] * 5 == [one.section for one in ITEMS.values()][19:24]


def test_every_item_that_is_looked_at_has_its_proof() -> None:
    looked = {one.id for one in ITEMS.values() if one.proof is Proof.AUTOMATIC}

    assert looked <= PROOFS.keys() <= ITEMS.keys()


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same() -> None:
    pt, en = words_of("pt"), words_of("en")

    assert {name: table.keys() for name, table in en.items()} == {
        name: table.keys() for name, table in pt.items()
    }
    assert [] == [one for one in en["found"] if holes(en["found"][one]) != holes(pt["found"][one])]
    assert ITEMS.keys() == en["titles"].keys() == en["to_do"].keys()
    assert set(Outcome) == en["outcomes"].keys()


def test_every_sentence_that_proofs_say_is_in_the_words_and_none_is_left_over() -> None:
    folder = Path(golive.__file__).parent
    source = "".join(path.read_text() for path in folder.glob("*.py"))
    said = set(re.findall(r'look\.(?:good|bad)\(\s*"(\w+)"', source)) | {"sample_ok", "visible_ok"}

    assert said == words_of("en")["found"].keys()


def test_a_report_tells_everything() -> None:
    signed = {"confidence": SIGNATURE}
    checked = check({"flags": GOOD, "tls": BAD}, signed, NOW, "1")
    pt, en, document = report_of(checked, "pt"), report_of(checked), document_of(checked)

    assert sentence_of(GOOD, "pt") in pt
    assert "- [x] 10. " in en
    assert "Ana, 2026-11-23 11:00:00 UTC - 2026-11-23 13:00:00 UTC: Done." in en
    assert words_of("en")["to_do"]["tls"] in en
    assert (36, 1, 1, 34) == tuple(document[one] for one in ("items", "proved", "signed", "failed"))


def test_the_page_of_the_docs_is_the_catalogue() -> None:
    assert checklist_page() == (ROOT / "docs" / "GO-LIVE-CHECKLIST.md").read_text()


def test_moments_are_told_as_their_reader_has_them() -> None:
    evidence = Evidence(good=True, said="tenant_ok", at=NOW, values={"tenants": 2, "since": NOW})
    files = sentence_of(evidence, "pt")
    people = sentence_of(evidence, "pt", lambda at: f"{at:%d/%m/%Y}")

    assert "2026-11-23 12:00:00 UTC" in files
    assert "23/11/2026" in people
    assert "UTC" not in people
