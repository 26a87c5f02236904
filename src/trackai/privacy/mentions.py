"""Whom a body names: hashes of every e-mail and phone in it, whatever its shape.

For bodies that no gateway understands as well as for those it does: JSON, forms and plain text. A
phone that is told in parts, area and number apart, is put together.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from urllib.parse import parse_qsl, unquote, unquote_plus

import msgspec

from trackai.model.identity import email_key, fold
from trackai.privacy.person import phone_keys

# What an address in a text has on either side of its @. Strangers write bodies: bounded on both.
_PART = r"[^\s<>,;:\"'`()\[\]{}\\=&?/|@]{1,254}"
_BEFORE_AT, _AFTER_AT = re.compile(_PART + r"\Z"), re.compile(_PART)
_LONGEST_PART = 254
_SHORTEST_TEXT = 5  # a@b.c
# Digits and what stands between those of a phone.
_PHONE = re.compile(r"[+(\d][\d\s().+/-]{6,}")
_HEX = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{32})(?![0-9a-fA-F])")
# A number without its area, and fields that hold an area's or a country's code.
_LOCAL = re.compile(r"[\d\s.()-]{6,14}")
_CODE = re.compile(r"[+\d\s().-]{1,7}")
_CODE_FIELD = re.compile(r"area|ddd|ddi|code|country|prefix|extension|local", re.IGNORECASE)
_MOST_CODES, _MOST_NUMBERS = 8, 40
_FEWEST_DIGITS, _MOST_DIGITS, _MOST_WORDS, _LONGEST_PHONE = 8, 15, 6, 40
_FEWEST_IN_ANY = 7  # of a phone with its country
_MOST_IN_A_ROW = 2000  # numbers; strangers write bodies
# A text that may be a transaction's code.
_LONGEST_WORD = 200


@dataclass(frozen=True, slots=True)
class Mentions:
    """What a body says of people: hashes of whom it names, and its short texts."""

    keys: frozenset[bytes]
    words: frozenset[str]


def mentions(body: bytes, *texts: str) -> Mentions:
    """Return whom a body and the texts around it name."""
    keys: set[bytes] = set()
    words: set[str] = set()
    for fields in (_fields(body), [("", text) for text in texts]):
        for _, text in fields:
            keys.update(keys_in(text))
            if len(text) <= _LONGEST_WORD:
                words.add(text.strip())
    for one in _objects(_decoded(body)):
        keys.update(_phones_in_parts(one))
    return Mentions(frozenset(keys), frozenset(words))


def keys_in(text: str) -> set[bytes]:
    """Return the hashes of e-mails and phones in a text, and those it holds already."""
    keys: set[bytes] = set()
    if len(text) < _SHORTEST_TEXT:
        return keys
    for reading in _readings(text):
        for found in _addresses(reading):
            keys.update(key for key in (email_key(found.strip(".")), email_key(found)) if key)
        for found in _PHONE.findall(reading):
            keys.update(_phones(found))
        keys.update(bytes.fromhex(found) for found in _HEX.findall(reading))
    whole = text[:_LONGEST_WORD]
    # Most texts are names of fields and words: that no phone has so few digits is told sooner.
    if sum(map(str.isdigit, whole)) >= _FEWEST_IN_ANY:
        keys |= phone_keys(whole)
    return keys | {key for key in (email_key(text),) if key}


def _phones(text: str) -> set[bytes]:
    """Return the hashes of phones in a row of digits, which may stand beside a date or a price."""
    words = text.replace("/", " ").split()[:_MOST_IN_A_ROW]
    keys = set(phone_keys(text[:_LONGEST_PHONE]))
    for start in range(len(words)):
        for end in range(start + 1, min(start + _MOST_WORDS, len(words)) + 1):
            one = " ".join(words[start:end])
            if _FEWEST_DIGITS <= sum(map(str.isdigit, one)) <= _MOST_DIGITS:
                keys |= phone_keys(one)
    return keys


def _addresses(text: str) -> Iterator[str]:
    for before, after in pairwise(text.split("@")):
        name = _BEFORE_AT.search(before[-_LONGEST_PART:])
        domain = _AFTER_AT.match(after[:_LONGEST_PART])
        if name and domain:
            yield f"{name[0]}@{domain[0]}"


def has_address_or_digest(text: str) -> bool:
    """Tell whether a text holds anybody's e-mail or hash."""
    return any("@" in reading or _HEX.search(reading) for reading in _readings(text))


def _readings(text: str) -> Iterable[str]:
    """Return the text, and what it is when its escapes are taken out."""
    plain = fold(text)
    if "%" not in plain:
        return (plain,)
    return dict.fromkeys((plain, fold(unquote(text)), fold(unquote_plus(text))))


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None


def _fields(body: bytes) -> list[tuple[str, str]]:
    decoded = _decoded(body)
    if decoded is not None:
        return list(_scalars("", decoded))
    text = body.decode("utf-8", "replace")
    form = parse_qsl(text, keep_blank_values=True, max_num_fields=None) if "=" in text else []
    return [*form, ("", text)]


def _scalars(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield the name and text of all that stands in a document, names of fields too."""
    stack: list[tuple[str, object]] = [(name, value)]
    while stack:
        name, value = stack.pop()
        if isinstance(value, dict):
            stack.extend((str(key), inner) for key, inner in value.items())
            stack.extend(("", str(key)) for key in value)
        elif isinstance(value, list):
            stack.extend((name, inner) for inner in value)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            yield name, str(value)


def _objects(document: object) -> Iterator[dict[str, object]]:
    stack = [document]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            yield value
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)


def _phones_in_parts(fields: dict[str, object]) -> set[bytes]:
    """Return the hashes of phones whose country, area and number are fields of their own."""
    texts = {
        str(name): str(value)
        for name, value in fields.items()
        if isinstance(value, str | int) and not isinstance(value, bool)
    }
    numbers = [text for text in texts.values() if _LOCAL.fullmatch(text)][:_MOST_NUMBERS]
    codes = [
        text.strip("+ ()")
        for name, text in texts.items()
        if _CODE_FIELD.search(name) and _CODE.fullmatch(text)
    ][:_MOST_CODES]
    keys: set[bytes] = set()
    for number, code in product(numbers, codes):
        keys |= phone_keys(code + number) | phone_keys(f"+{code}{number}")
        for country in codes:
            keys |= phone_keys(f"+{country}{code}{number}")
    return keys
