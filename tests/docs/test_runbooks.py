"""A runbook says the same in each language: the same steps, commands and output."""

import re
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.pages import FOLDERS, runbook_text

PAGES = sorted({alarm.page for alarm in ALARMS.values()})


def parsed(page: str, language: str) -> list[Token]:
    text = runbook_text(page, language)
    assert text is not None, (page, language)
    return MarkdownIt("commonmark").enable("table").parse(text)


def same_in_all(told: str, language: str) -> str:
    """Return a link's target as the English page has it."""
    target = re.sub(r"#.*|\.pt-BR(?=\.md)", "", told)
    return target.removeprefix("../") if "/" in FOLDERS[language] and "/" in target else target


def shape(page: str, language: str) -> list[tuple[str, str]]:
    """Return what no translation changes: blocks, code, and where links lead."""
    found: list[tuple[str, str]] = []
    for one in parsed(page, language):
        kept = one.type in {"fence", "code_block"}
        found.append((one.type + one.tag, one.content if kept else ""))
        inline = one.children or []
        found += sorted(("code", child.content) for child in inline if child.type == "code_inline")
        found += sorted(
            ("link", same_in_all(str(child.attrs["href"]), language))
            for child in inline
            if child.type == "link_open"
        )
    return found


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", FOLDERS.keys() - {"en"})
def test_a_runbook_has_the_same_steps_in_each_language(page: str, language: str) -> None:
    assert shape(page, "en") == shape(page, language)


@pytest.mark.parametrize("page", PAGES)
def test_no_sentence_of_a_runbook_is_left_in_english(page: str) -> None:
    sentences = {
        language: {
            one.content
            for block, one in pairwise(parsed(page, language))
            if block.type in {"paragraph_open", "heading_open"} and " " in one.content
        }
        for language in FOLDERS
    }

    assert sentences["en"]
    assert set() == sentences["en"] & sentences["pt"]
