"""Who somebody is, hashed: one normalization for matching clicks and for ad platforms.

The rules are those of Meta's customer information page; Brazilian phone numbers follow Anatel's
numbering plan. The same person written in two ways must give the same key, so every text is
brought to NFC and freed of invisible characters first.
"""

import unicodedata
from enum import StrEnum
from hashlib import sha256


class IdentityKind(StrEnum):
    """What a key was made from. The values are stored."""

    EMAIL = "email"
    PHONE = "phone"
    EXTERNAL_ID = "external_id"  # the site's own name for the person


# Soft hyphen, zero-width characters, direction marks, variation selectors, byte order mark.
_INVISIBLE = dict.fromkeys(
    [
        *(0xAD, 0x180E, 0xFEFF),
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFE00, 0xFE10),
    ]
)
_HEX = "0123456789abcdefABCDEF"
_SHA256_LENGTH = 64
_MD5_LENGTH = 32
_NOT_IN_EMAIL = frozenset(" <>,;")

# What people write between digits; deleted at once where a number has nothing else around it.
_DIGITS = frozenset("0123456789")
_PHONE_PUNCTUATION = b" +-()./"
_NUMBER_ENDS = frozenset("@,;|")
# E.164 has at most 15 digits; Meta's page sets no bound, one more is let through.
_SHORTEST, _SHORTEST_WITHOUT_PLUS, _LONGEST = 7, 10, 16

# Anatel's area codes.
_AREA_CODES = frozenset(
    """11 12 13 14 15 16 17 18 19 21 22 24 27 28 31 32 33 34 35 37 38 41 42 43 44 45 46 47 48 49
    51 53 54 55 61 62 63 64 65 66 67 68 69 71 73 74 75 77 79 81 82 83 84 85 86 87 88 89 91 92 93 94
    95 96 97 98 99""".split()
)
_LANDLINE, _MOBILE = 10, 11  # digits with area code
_OLD_MOBILE = frozenset("6789")  # first digit of mobiles before the ninth digit came (2012-2016)

# Countries whose national numbers all have one length: calling code, digits without a trunk zero.
_NATIONAL = {
    **dict.fromkeys(
        """AG AI AS BB BM BS CA DM DO GD GU JM KN KY LC MP MS PR SX TC TT US VC VG VI""".split(),
        ("1", 10),
    ),
    "AO": ("244", 9),
    "AR": ("54", 10),
    "BO": ("591", 8),
    "CL": ("56", 9),
    "CO": ("57", 10),
    "CR": ("506", 8),
    "EC": ("593", 9),
    "ES": ("34", 9),
    "FR": ("33", 9),
    "GB": ("44", 10),
    "GR": ("30", 10),
    "GT": ("502", 8),
    "HN": ("504", 8),
    "MX": ("52", 10),
    "MZ": ("258", 9),
    "NI": ("505", 8),
    "PE": ("51", 9),
    "PT": ("351", 9),
    "PY": ("595", 9),
    "SV": ("503", 8),
    "UY": ("598", 8),
    "VE": ("58", 10),
}


def clean(raw: str) -> str:
    """Return the text trimmed, in NFC, without invisible characters and lone surrogates."""
    if raw.isascii():
        return raw.strip()
    text = raw.encode("utf-8", "ignore").decode().translate(_INVISIBLE)
    return unicodedata.normalize("NFC", text).strip()


def fold(raw: str) -> str:
    """Return the clean text in lower case."""
    text = clean(raw).lower()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def is_sha256(text: str) -> bool:
    """Tell whether the text is a SHA-256 digest in hexadecimal, in either case."""
    return len(text) == _SHA256_LENGTH and not text.strip(_HEX)


def is_digest(text: str) -> bool:
    """Tell whether the text is a SHA-256 or MD5 digest in hexadecimal, in either case."""
    return len(text) in (_MD5_LENGTH, _SHA256_LENGTH) and not text.strip(_HEX)


def normalize_email(raw: str | None) -> str | None:
    """Return the address in lower case, None when it is no single plain address.

    Dots and tags before the @ stay: Meta does not fold them.
    """
    if not raw:
        return None
    text = fold(raw)
    name, _, domain = text.partition("@")
    if not name or "@" in domain or "." not in domain:
        return None
    if domain[0] == "." or domain[-1] == "." or ".." in domain:
        return None
    if not text.isprintable() or not _NOT_IN_EMAIL.isdisjoint(text):
        return None
    return text


def normalize_phone(raw: str | None, country: str = "BR") -> str | None:
    """Return the digits with country code, None when the number is of no use.

    `country` is where a number without country code is taken to be. Brazilian mobiles written
    without their ninth digit get it, so that both ways of writing one phone are equal.
    """
    forms = phone_forms(raw, country)
    return forms[-1] if forms else None


def phone_forms(raw: str | None, country: str = "BR") -> tuple[str, ...]:
    """Return the number with country code as it was written and, if it differs, as it is today."""
    if not raw or (len(raw) >= _MD5_LENGTH and is_digest(clean(raw))):  # may begin like a number
        return ()
    written = _national_to_international(raw, country)
    if not written or not _SHORTEST <= len(written) <= _LONGEST:
        return ()
    national = written.removeprefix("55")
    if national == len(national) * national[:1]:  # 11111111111: typed to get past a form
        return ()
    if len(national) == _LANDLINE == len(written) - 2 and _is_old_mobile(national):
        return (written, f"55{national[:2]}9{national[2:]}")
    return (written,)


def email_key(raw: str | None) -> bytes | None:
    """Return SHA-256 of the normalized address; an address hashed already is taken as it is."""
    return _key(raw, normalize_email(raw))


def phone_key(raw: str | None, country: str = "BR") -> bytes | None:
    """Return SHA-256 of the normalized number; a number hashed already is taken as it is."""
    return _key(raw, normalize_phone(raw, country))


def external_id_key(raw: str | None) -> bytes | None:
    """Return SHA-256 of the site's own id, trimmed and in lower case."""
    return _key(raw, fold(raw) if raw else None)


def identity_keys(
    *,
    email: str | None = None,
    phone: str | None = None,
    external_id: str | None = None,
    country: str = "BR",
) -> tuple[tuple[IdentityKind, bytes], ...]:
    """Return the keys of all that is known of somebody, the strongest first."""
    keys = (
        (IdentityKind.EMAIL, email_key(email)),
        (IdentityKind.PHONE, phone_key(phone, country)),
        (IdentityKind.EXTERNAL_ID, external_id_key(external_id)),
    )
    return tuple((kind, key) for kind, key in keys if key is not None)


def _key(raw: str | None, normalized: str | None) -> bytes | None:
    if raw and len(raw) >= _SHA256_LENGTH and is_sha256(text := clean(raw)):
        return bytes.fromhex(text)
    return sha256(normalized.encode()).digest() if normalized else None


def _national_to_international(raw: str, country: str) -> str | None:
    text = clean(raw)
    digits = text.encode().translate(None, _PHONE_PUNCTUATION).decode()
    if not (digits.isascii() and digits.isdigit()) or text.endswith(".0") or "(0)" in text:
        text, digits = _first_number(text)
    if len(digits) > _LONGEST and "/" in text:  # two numbers; a slash inside one joins
        text, digits = _first_number(text.partition("/")[0])
    international = "+" in text or digits.startswith("00")
    trunk = not international and digits.startswith("0")
    digits = digits.lstrip("0")
    if digits.startswith("550") and (international or country == "BR"):
        digits = "55" + _without_carrier(digits[2:].lstrip("0"))  # +55 011 ...: trunk zero left in
    if international:
        return digits
    if country == "BR":
        return _from_brazil(digits, trunk=trunk)
    code, length = _NATIONAL.get(country, ("", 0))
    if length and len(digits) == length:
        return code + digits
    return _as_written(digits, trunk=trunk)


def _first_number(text: str) -> tuple[str, str]:
    """Return the first phone number inside a text, and its digits in ASCII."""
    text = "".join(str(unicodedata.decimal(char, char)) for char in text)
    start = next((i for i, char in enumerate(text) if char in "+0123456789"), len(text))
    ends = (i for i in range(start, len(text)) if _ends_number(text[i]))
    number = text[start : next(ends, len(text))]
    if number.endswith(".0") and number[:-2].isdigit():
        number = number[:-2]  # a spreadsheet took it for a decimal number
    # +49 (0) 30: dialled inside the country only; Italy's zero is part of the number.
    italian = number.lstrip("+0").startswith("39")
    number = number.replace("(0)", "0" if italian else "")
    return number, "".join(char for char in number if char in _DIGITS)


def _ends_number(char: str) -> bool:
    return char.isalpha() or char in _NUMBER_ENDS


def _from_brazil(digits: str, *, trunk: bool) -> str | None:
    if _is_brazilian(digits):
        return "55" + digits
    if digits.startswith("55") and _is_brazilian(digits[2:]):
        return digits
    if trunk and _is_brazilian(_without_carrier(digits)):
        return "55" + _without_carrier(digits)
    return _as_written(digits, trunk=trunk)


def _without_carrier(dialled: str) -> str:
    """Cut 15 11 98765-4321, dialled behind a zero, down to the number with its area code."""
    carrier = not _is_brazilian(dialled) and _is_brazilian(dialled[2:])
    return dialled[2:] if carrier else dialled


def _as_written(digits: str, *, trunk: bool) -> str | None:
    """Without a plus and of no length known here: with country code, if it is long enough."""
    return None if trunk or len(digits) < _SHORTEST_WITHOUT_PLUS else digits


def _is_brazilian(national: str) -> bool:
    if national[:2] not in _AREA_CODES:
        return False
    if len(national) == _MOBILE:
        return national[2] == "9"
    return len(national) == _LANDLINE and national[2] in "23456789"


def _is_old_mobile(national: str) -> bool:
    return national[:2] in _AREA_CODES and national[2] in _OLD_MOBILE
