"""Both languages say the same things, and pages say nothing that is not in them."""

import re
import string
from pathlib import Path

import pytest

import trackai.dashboard
from trackai.alarms.message import words_of as of_alarms
from trackai.analytics.looking import LOOKED
from trackai.dashboard.words import LANGUAGES, preferred, say, words_of
from trackai.errors import InvariantBroken
from trackai.storage.person_deeds import ERASE, EXPORT, SEARCH

HERE = Path(trackai.dashboard.__file__).parent
TEMPLATES = sorted((HERE / "templates").glob("*.html"))
USED = re.compile(r"""\bt\(\s*["']([a-z0-9_.]+)["']((?:[^()]|\([^()]*\))*)""")
# What is written down, wherever the code writes it.
NOTED = re.compile(r"""note\(\s*tx,\s*(?:[\w.]+,\s*)*["']([a-z_]+[.][a-z_]+)["']""")


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_words_with_the_same_holes() -> None:
    pt, en = words_of("pt"), words_of("en")

    assert pt.keys() == en.keys()
    assert [key for key in pt if holes(pt[key]) != holes(en[key])] == []
    assert [key for key in pt if not pt[key].strip() or not en[key].strip()] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_word_of_a_page_is_there(template: Path) -> None:
    text = template.read_text()
    for key, more in USED.findall(text):
        if key.endswith((".", "_")):  # the rest is a value
            assert [one for one in words_of("pt") if one.startswith(key)], key
        else:
            assert holes(words_of("pt")[key]) == set(re.findall(r"(\w+)=", more)), key


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_page_holds_a_sentence_of_its_own(template: Path) -> None:
    marks = r"<script.*?</script>|<[^>]*>|\{[{%#].*?[}%#]\}"
    shown = re.sub(marks, " ", template.read_text(), flags=re.DOTALL)

    assert re.findall(r"[A-Za-zÀ-ÿ]{3,}", shown) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_what_has_to_be_taken_elsewhere_can_be_copied(template: Path) -> None:
    text = template.read_text()
    shown = re.findall(r'class="(?:once|codes)"', text)
    copied = re.findall(r'with of = "([^"]+)" %}{% include "copy.html"', text)

    assert len(shown) <= len(copied)
    assert [one for one in copied if one and f'id="{one}' not in text] == []


def test_every_deed_of_the_audit_log_has_words() -> None:
    found = {
        deed
        for path in HERE.parent.rglob("*.py")
        for deed in NOTED.findall(path.read_text())
        if not deed.startswith("start.")
    }
    deeds = {*found, SEARCH, EXPORT, ERASE, LOOKED}

    assert len(found) > 30
    assert [one for one in sorted(deeds) if f"deed.{one}" not in words_of("pt")] == []


def test_a_word_that_there_is_not_is_a_defect() -> None:
    with pytest.raises(InvariantBroken):
        say("pt", "home.nothing")


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "pt"),
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("en-US,en;q=0.9,pt;q=0.8", "en"),
        ("fr,en;q=0.3,pt;q=0.7", "pt"),
        ("de", "pt"),
        ("en;q=x,pt", "pt"),
        (";;;,,,q=", "pt"),
    ],
)
def test_the_language_is_the_first_we_have(asked: str, language: str) -> None:
    assert preferred(asked) == language
    assert language in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_share_is_written_as_numbers_of_the_language_are(language: str) -> None:
    # What CLDR has for both, and pages beside it: 95%.
    told = [*words_of(language).values(), *of_alarms(language)["unit"].values()]

    assert [text for text in told if re.search(r"[\d}] %", text)] == []
