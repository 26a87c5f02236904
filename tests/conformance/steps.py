"""The steps from what Meta's Python SDK makes of a value to what the product makes of it.

Written apart from the product's own code, for clarity instead of speed; differences.py names each.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

import pycountry
from tests.conformance.ours import YEAR

Texts = tuple[str, ...]

ANYWHERE = ""  # where a rule holds whatever the buyer's country is; None where it is unknown


class Value(NamedTuple):
    """A value on its way: what the SDK reads, what becomes of it, and the buyer's country."""

    raw: str
    texts: Texts
    country: str | None


# Digests pass both as they are; the mark keeps them from being hashed again. No text that the SDK
# hashes holds a lone surrogate.
AS_IT_IS = "\ud800"
_INVISIBLE = re.compile("[\xad\u180e\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f]")
_UFS = "ac al am ap ba ce df es go ma mg ms mt pa pb pe pi pr rj rn ro rr rs sc se sp to".split()


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def readable(raw: str) -> str:
    text = _INVISIBLE.sub("", re.sub("[\ud800-\udfff]", "", raw))
    text = nfc(nfc(text).lower())
    return text.strip() or text


def kept(text: str, categories: str) -> str:
    return nfc("".join(char for char in text if unicodedata.category(char)[0] in categories))


def each(change: Callable[[str], str]) -> Callable[[Value], Texts]:
    """Change each text that is no digest."""
    return lambda value: tuple(
        text if text.startswith(AS_IT_IS) else change(text) for text in value.texts
    )


def only_if(wanted: Callable[[str], object]) -> Callable[[Value], Texts]:
    """Let go what is not wanted; digests stay."""
    return lambda value: tuple(
        text for text in value.texts if text.startswith(AS_IT_IS) or wanted(text)
    )


def no_md5(value: Value) -> Texts:
    return tuple(
        text
        for text in value.texts
        if not re.fullmatch("[0-9a-f]{32}", text.removeprefix(AS_IT_IS))
    )


def plain_address(text: str) -> bool:
    return bool(
        re.fullmatch(r"[^\s<>,;@]+@(?!\.)[^\s<>,;@]+(?<!\.)", text)
        and ".." not in text.partition("@")[2]
        and "." in text.partition("@")[2]
        and text.isprintable()
    )


# Phones. Anatel's area codes begin with 1 to 9 and lack these; the plan is written down once more.
_NO_AREAS = "20 23 25 26 29 30 36 39 40 50 52 56 57 58 59 60 70 72 76 78 80 90".split()
_MOBILE_OR_LANDLINE = re.compile(r"[1-9][1-9](?:9[0-9]{8}|[2-9][0-9]{7})")


def brazilian(national: str) -> bool:
    return bool(_MOBILE_OR_LANDLINE.fullmatch(national)) and national[:2] not in _NO_AREAS


def ascii_digits(raw: str) -> str:
    return "".join(str(unicodedata.decimal(char, char)) for char in raw)


def one_number(raw: str) -> str:
    if not re.fullmatch(r"[0-9 +\-()./]*", raw) or raw.endswith(".0") or "(0)" in raw:
        found = re.search("[0-9+].*", raw, re.DOTALL)
        raw = found.group() if found else ""
        end = next((i for i, char in enumerate(raw) if char.isalpha() or char in "@,;|"), len(raw))
        raw = raw[:end]
    many = len(re.sub("[^0-9]", "", raw)) > 16
    return raw.partition("/")[0] if many else raw


def without_bracketed_zero(raw: str) -> str:
    return raw.replace("(0)", "0" if raw.lstrip("+0").startswith("39") else "")


def digits_alone(raw: str) -> str:
    digits = re.sub("[^0-9]", "", raw)
    counted = re.sub("^0*(550*)?", lambda found: "55" if found[1] else "", digits)
    return ("+" if "+" in raw else "") + digits if len(counted) <= 16 else ""


def on_phones(change: Callable[[str], str]) -> Callable[[str], str]:
    """Digests are no phones, though they may begin like one."""
    return lambda raw: raw if re.fullmatch("[0-9a-f]{32}|[0-9a-f]{64}", raw) else change(raw)


def is_abroad(raw: str) -> bool:
    return raw.startswith(("+", "00"))


def trunk_after_country(value: Value) -> Texts:
    texts = []
    for text in value.texts:
        dialled = re.sub("^550+", "", text)
        with_carrier = not brazilian(dialled) and brazilian(dialled[2:])
        number = dialled[2:] if with_carrier else dialled
        texts.append(text if dialled == text else f"55{number}")
    return tuple(text for text in texts if len(text) >= 7)


def home(value: Value) -> Texts:
    at_home = not is_abroad(value.raw)
    return tuple(f"55{text}" if at_home and brazilian(text) else text for text in value.texts)


def carrier(value: Value) -> Texts:
    trunk = value.raw.startswith("0") and not is_abroad(value.raw)
    return tuple(f"55{text[2:]}" if trunk and brazilian(text[2:]) else text for text in value.texts)


def nowhere(value: Value) -> Texts:
    if is_abroad(value.raw):
        return value.texts
    trunk = value.raw.startswith("0")
    return tuple(
        text
        for text in value.texts
        if text.startswith(AS_IT_IS)
        or (text.startswith("55") and brazilian(text[2:]))
        or not (trunk or len(text) < 10)
    )


def one_digit_only(text: str) -> bool:
    return len(set(text.removeprefix("55"))) == 1 or text in ("55", "")


def ninth_digit(value: Value) -> Texts:
    found = re.fullmatch("55(..)([6-9].{7})", "".join(value.texts))
    if not found or found[1] in _NO_AREAS or "0" in found[1]:
        return value.texts
    return (*value.texts, f"55{found[1]}9{found[2]}")


# Places.
def without_uf(raw: str) -> str:
    return re.sub(r"(?:/| - |,|\()[ )]*[^ )][^ )][ )]*$", "", raw)


# Letters that no canonical decomposition takes apart.
LATIN = {
    ord(letter): plain
    for letter, plain in zip(
        "\xf8\u0142\u0111\xf0\xfe\xdf\xe6\u0153", "o l d d th ss ae oe".split(), strict=True
    )
}


def transliterated(value: Value) -> Texts:
    written = "".join(value.texts)
    if written.isascii() or written.startswith(AS_IT_IS):
        return value.texts
    plain = written.translate(LATIN)
    marks_gone = "".join(char for char in unicodedata.normalize("NFD", plain) if char.isascii())
    letters = sum(char.isalpha() for char in written)
    return (marks_gone, written) if 0 < letters <= len(marks_gone) else (written,)


US_STATES = {
    re.sub("[^a-z]", "", one.name.lower()): one.code[3:].lower()
    for one in pycountry.subdivisions
    if one.country_code == "US" and one.type in {"State", "District"}
}


# Countries by names that people and platforms write, beyond ISO's codes.
_COUNTRIES = {
    **{one.alpha_3.lower(): one.alpha_2.lower() for one in pycountry.countries},
    **dict.fromkeys("brasil brazil".split(), "br"),
    **dict.fromkeys("unitedstates unitedstatesofamerica estadosunidos eua".split(), "us"),
    **dict.fromkeys("uk unitedkingdom reinounido greatbritain england inglaterra".split(), "gb"),
    **dict.fromkeys("germany alemanha alemania deutschland".split(), "de"),
    **dict.fromkeys("spain espanha espa\xf1a espana".split(), "es"),
    **dict.fromkeys("mexico m\xe9xico".split(), "mx"),
    **dict.fromkeys("angola".split(), "ao"),
    **dict.fromkeys("argentina".split(), "ar"),
    **dict.fromkeys("portugal".split(), "pt"),
    "el": "gr",
    "canada": "ca",
    "canad\xe1": "ca",
}


def country_name(value: Value) -> Texts:
    code = _COUNTRIES.get(kept(value.raw, "LM"))
    return (code,) if code else value.texts


def foreign_letters(value: Value) -> Texts:
    letters = kept(value.raw, "LM")
    return value.texts if letters.isascii() or letters in _COUNTRIES else ()


GENDERS = {
    **dict.fromkeys("f female feminino femenino woman mulher mujer".split(), "f"),
    **dict.fromkeys("m male masculino man homem hombre".split(), "m"),
}
_DATES = (
    r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)",
    r"(?P<y>\d{4})[-/.](?P<m>\d\d?)[-/.](?P<d>\d\d?)",
    r"(?P<d>\d\d?)[-/.](?P<m>\d\d?)[-/.](?P<y>\d{4})",
    r"(?P<m>\d\d?)[-/.](?P<d>\d\d?)[-/.](?P<y>\d{4})",
)


def days(text: str) -> Iterator[str]:
    """Yield each day that a date may mean."""
    for form in _DATES:
        if found := re.fullmatch(form + "(?:[t ].*)?", text, re.ASCII):
            try:
                day = datetime(*(int(found[part]) for part in "ymd"))  # type: ignore[arg-type] # noqa: DTZ001
            except ValueError:
                continue
            if 1900 <= day.year <= YEAR:
                yield day.strftime("%Y%m%d")


def one_day(value: Value) -> Texts:
    if "".join(value.texts).startswith(AS_IT_IS):
        return value.texts
    found = list(days(value.raw.strip()))
    known = len(set(found)) == 1 or value.country == "br"
    return tuple(found[:1]) if known else ()
