"""Bounds on the words that people and programs put into names, filters and the audit log."""

from collections.abc import Collection

from trackai.errors import InvalidField
from trackai.gateways.registry import gateways

MOST_REASON = 100
MOST_KEY = 200
MOST_WHY = 500
MOST_NAME = 200
# Joins emoji into one: of what is not seen this alone belongs into names.
_JOINER = "\u200d"


def word(text: str, field: str, *, most: int) -> str:
    """Return the text as it was given; InvalidField when it is blank, too long or no text."""
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes of a command line that are not UTF-8
        raise InvalidField(f"{field} is not text: write it in UTF-8.", field=field) from None
    if not text.strip():
        raise InvalidField(f"{field} is blank.", field=field)
    if len(text) > most or "\x00" in text:
        raise InvalidField(f"{field} is 1 to {most} characters, without NUL.", field=field)
    return text


def reason(text: str | None) -> str | None:
    """Return a reason to filter by."""
    return None if text is None else word(text, "reason", most=MOST_REASON)


def gateway(name: str | None, known: Collection[str] | None = None) -> str | None:
    """Return a gateway to filter by; InvalidField names those that are known."""
    names = gateways() if known is None else known
    if name is not None and word(name, "gateway", most=MOST_REASON) not in names:
        raise InvalidField(f"There is no such gateway. Known: {', '.join(names)}.", field="gateway")
    return name


def key(text: str | None) -> str | None:
    """Return the key of a wish."""
    return None if text is None else word(text, "key", most=MOST_KEY)


def name(text: str, *, most: int = MOST_NAME) -> str:
    """Return what somebody or something is called, its blanks made single ones.

    InvalidField when it is blank or too long, or holds what is not seen: a mark that turns the
    writing around (Unicode, UAX #9) makes a name, and what is written beside it, read as another.
    """
    text = " ".join(text.split())
    seen = text.replace(_JOINER, "")
    if not seen or len(text) > most or not seen.isprintable():
        raise InvalidField(f"A name is 1 to {most} characters that are seen.", field="name")
    return text


def why(text: str) -> str:
    """Return what the audit log shall say."""
    return word(text, "why", most=MOST_WHY).strip()
