"""What the checklist says to people: words/*.toml, the same keys in each."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from trackai.model.golive import Evidence

LANGUAGES = ("pt", "en")
_Words = Mapping[str, Mapping[str, str]]


@cache
def words_of(language: str) -> _Words:
    """Return all words of a language: sections, outcomes, titles, to_do and found."""
    text = (files("trackai.golive") / "words" / f"{language}.toml").read_text("utf-8")
    return tomllib.loads(text)


def sentence_of(evidence: Evidence, language: str) -> str:
    """Return what was found, in a sentence."""
    return words_of(language)["found"][evidence.said].format(**evidence.values)
