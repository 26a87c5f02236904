"""What the checklist says to people: words/*.toml, the same keys in each."""

import datetime as dt
import tomllib
from collections.abc import Callable, Mapping
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


def utc(at: dt.datetime) -> str:
    """Return a moment as files and consoles have it."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def sentence_of(evidence: Evidence, language: str, when: Callable[[dt.datetime], str] = utc) -> str:
    """Return what was found, in a sentence; `when` says its moments."""
    told = {
        name: when(one) if isinstance(one, dt.datetime) else one
        for name, one in evidence.values.items()
    }
    return words_of(language)["found"][evidence.said].format(**told)
