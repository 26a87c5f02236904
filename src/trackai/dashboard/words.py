"""What pages say, in Portuguese and English: words/*.toml, the same keys in each."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from trackai.errors import InvariantBroken

LANGUAGES = {"pt": "pt-BR", "en": "en"}
USUAL = "pt"


@cache
def words_of(language: str) -> Mapping[str, str]:
    """Return key -> text of a language; keys are the tables' names and their own, dotted."""
    text = (files("trackai.dashboard") / "words" / f"{language}.toml").read_text("utf-8")
    return dict(_flat(tomllib.loads(text)))


def say(language: str, key: str, **values: object) -> str:
    """Return a text with its values put in; InvariantBroken for a key that there is not."""
    text = words_of(language).get(key)
    if text is None:
        raise InvariantBroken(f"Pages have no words for {key}.")
    return text.format(**values) if values else text


def why(reason: str) -> str:
    """Return the key of what a reason means and what to do about it."""
    return meant("reason", reason)


def meant(table: str, name: str) -> str:
    """Return the key of a name that comes from elsewhere, or of the table's `other`."""
    key = f"{table}.{name}"
    return key if key in words_of(USUAL) else f"{table}.other"


def preferred(accepted: str) -> str:
    """Return the language that a browser's Accept-Language asks for first, of those we have."""
    asked = []
    for part in accepted.split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            asked.append((-float(quality or 1), name.lower().split("-")[0]))
        except ValueError:
            continue
    ours = [name for _, name in sorted(asked) if name in LANGUAGES]
    return ours[0] if ours else USUAL


def _flat(table: Mapping[str, object], before: str = "") -> list[tuple[str, str]]:
    found = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{before}{key}.")
        else:
            found.append((f"{before}{key}", str(value)))
    return found
