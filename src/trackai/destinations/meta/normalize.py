"""Every hashed key of user_data: from text as a platform wrote it to digests as Meta wants them.

Each function takes the text and the country's code in lower case, where that is known, and
returns the digests to send: none when the value is of no use. It never raises.
Values hashed already (64 hexadecimal digits) pass in lower case; MD5 is refused. Where Meta's
page leaves a choice: names lose their inner spaces, as in Meta's own browser code; places with
letters beyond a-z are sent both transliterated and as written, which the list form allows.
"""

import datetime as dt
import re
import unicodedata
from functools import lru_cache
from hashlib import sha256

from trackai.destinations.meta.places import COUNTRY_CODES, US_STATES
from trackai.model.identity import clean, fold, is_sha256, normalize_email, phone_forms

Digests = tuple[str, ...]

_MD5_LENGTH = 32
_HEX = "0123456789abcdef"
_CACHED = 4096  # places repeat: one region's buyers share them

# For bytes.translate: lower case; ASCII that is no letter; and that is neither letter nor digit.
_LOWER = bytes(range(256)).lower()
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())
_NO_ALNUM = bytes(code for code in range(128) if not chr(code).isalnum())

# Letters that no canonical decomposition takes apart.
_LATIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ß": "ss", "æ": "ae", "œ": "oe"}
)

_GENDERS = {
    **dict.fromkeys(("f", "female", "feminino", "femenino", "woman", "mulher", "mujer"), "f"),
    **dict.fromkeys(("m", "male", "masculino", "man", "homem", "hombre"), "m"),
}

_US_ZIP = 5
_BRAZILIAN_CEP = 8
_FIRST_YEAR = 1900
_MONTHS = 12
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[t ].*)?", re.ASCII)
_DIGITS_ALONE = re.compile(r"(\d{4})(\d\d)(\d\d)(?:[t ].*)?", re.ASCII)  # 1997111 could be two days
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[t ].*)?", re.ASCII)


class _Keep(dict[int, int | None]):
    """Table for str.translate that learns which characters beyond ASCII stay."""

    def __init__(self, categories: str) -> None:
        self._categories = categories

    def __missing__(self, code: int) -> int | None:
        stays = unicodedata.category(chr(code))[0] in self._categories
        self[code] = code if stays else None
        return self[code]


_LETTERS = _Keep("LM")
_LETTERS_AND_DIGITS = _Keep("LMN")


def hash_email(raw: str, _country: str | None = None) -> Digests:
    """Digest of an e-mail address (em)."""
    text = normalize_email(raw)
    return (_digest(text),) if text else _hashed_already(raw)


def hash_phone(raw: str, country: str | None = None) -> Digests:
    """Digests of a phone number (ph): as written and, for old Brazilian mobiles, as it is now."""
    forms = phone_forms(raw, country.upper() if country else "BR")
    return tuple([_digest(form) for form in forms]) if forms else _hashed_already(raw)


def hash_name(raw: str, _country: str | None = None) -> Digests:
    """Digest of a first or last name (fn, ln): accents stay, punctuation and spaces go."""
    if raw.isascii() and len(raw) < _MD5_LENGTH:  # the many, in one step
        name = raw.encode().translate(_LOWER, _NO_ALNUM)
        return (sha256(name).hexdigest(),) if name else ()
    return _hashed_already(raw) or _digests(_only(fold(raw), _NO_ALNUM, _LETTERS_AND_DIGITS))


@lru_cache(_CACHED)
def hash_city(raw: str, _country: str | None = None) -> Digests:
    """Digests of a city (ct); a Brazilian state written behind it goes."""
    text = fold(raw)
    if _is_md5(text):
        return ()
    return _hashed_already(raw) or _variants(_only(_without_state(text), _NO_LETTERS, _LETTERS))


@lru_cache(_CACHED)
def hash_state(raw: str, country: str | None = None) -> Digests:
    """Digests of a state (st): two letters for the United States, else as written."""
    text = fold(raw)
    if _is_md5(text):
        return ()
    name = _only(text, _NO_LETTERS, _LETTERS)
    if country in (None, "us"):
        name = US_STATES.get(name, name)
    return _hashed_already(raw) or _variants(name)


@lru_cache(_CACHED)
def hash_zip(raw: str, country: str | None = None) -> Digests:
    """Digest of a postal code (zp): five digits for the United States, whole elsewhere."""
    text = fold(raw)
    code = text.encode("ascii", "ignore").translate(None, _NO_ALNUM).decode()
    if country == "us" or (country is None and _is_zip_plus_four(text)):
        code = code[:_US_ZIP]
    elif country == "br" and len(code) == _BRAZILIAN_CEP - 1:
        code = f"0{code}"  # a spreadsheet took the leading zero
    usable = len(code) > 1 and any(char.isdigit() for char in code) and not _is_md5(code)
    return _hashed_already(raw) or (_digests(code) if usable else ())


@lru_cache(_CACHED)
def country_code(raw: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code in lower case for a code or name, None if unknown."""
    return COUNTRY_CODES.get(_only(fold(raw), _NO_LETTERS, _LETTERS))


@lru_cache(_CACHED)
def hash_country(raw: str, _country: str | None = None) -> Digests:
    """Digest of a country (country)."""
    return _hashed_already(raw) or _digests(country_code(raw) or "")


def hash_gender(raw: str, _country: str | None = None) -> Digests:
    """Digest of a gender (ge): f or m, nothing else is known to Meta."""
    return _hashed_already(raw) or _digests(_GENDERS.get(fold(raw), ""))


def hash_birth_date(raw: str, country: str | None, last_year: int) -> Digests:
    """Digest of a date of birth (db) as YYYYMMDD.

    Month before day only in the United States or where nothing else is possible; none when the
    country is unknown and both readings are.
    """
    return _hashed_already(raw) or _digests(_birth_date(fold(raw), country, last_year))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _digests(text: str) -> Digests:
    return () if not text or _is_md5(text) else (_digest(text),)


def _variants(text: str) -> Digests:
    if text.isascii():
        return _digests(text)
    plain = unicodedata.normalize("NFD", text.translate(_LATIN))
    plain = plain.encode("ascii", "ignore").decode()
    # Letters of another script do not transliterate: then only the text as written.
    complete = len(plain) >= sum(char.isalpha() for char in text)
    return (*_digests(plain if complete else ""), *_digests(text))


def _hashed_already(raw: str) -> Digests:
    text = clean(raw) if len(raw) >= 2 * _MD5_LENGTH else ""
    return (text.lower(),) if is_sha256(text) else ()


def _is_md5(text: str) -> bool:
    return len(text) == _MD5_LENGTH and not text.strip(_HEX)


def _only(text: str, unwanted: bytes, wanted: _Keep) -> str:
    if text.isascii():
        return text.encode().translate(None, unwanted).decode()
    return unicodedata.normalize("NFC", text.translate(wanted))


def _without_state(city: str) -> str:
    """Cut "são paulo/sp", "santos - sp" and "rio de janeiro (rj)" down to the city."""
    for mark in ("/", " - ", "(", ","):
        head, found, tail = city.rpartition(mark)
        if found and len(tail.strip(" )")) == 2:  # noqa: PLR2004 - a state's two letters
            return head
    return city


def _is_zip_plus_four(text: str) -> bool:
    head, tail = text[:_US_ZIP], text[_US_ZIP + 1 :]
    return (
        len(text) == _US_ZIP + 1 + 4
        and text[_US_ZIP] in "- –"  # noqa: RUF001 - people type an en dash
        and (head + tail).isdigit()
    )


def _birth_date(text: str, country: str | None, last_year: int) -> str:
    if found := _YEAR_FIRST.fullmatch(text) or _DIGITS_ALONE.fullmatch(text):
        year, month, day = map(int, found.groups())
    elif found := _YEAR_LAST.fullmatch(text):
        first, second, year = map(int, found.groups())
        if country is None and first != second and max(first, second) <= _MONTHS:
            return ""
        month_first = second > _MONTHS or (country == "us" and first <= _MONTHS)
        month, day = (first, second) if month_first else (second, first)
    else:
        return ""
    if not _FIRST_YEAR <= year <= last_year:
        return ""
    try:
        return f"{dt.date(year, month, day):%Y%m%d}"
    except ValueError:
        return ""  # there is no such day
