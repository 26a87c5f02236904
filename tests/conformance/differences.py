"""Every deliberate difference between the product and Meta's Python SDK, each with its reason.

A rule is one step from the SDK's result towards ours: it either amends the text before the SDK
reads it, or what the SDK made of it. The steps of a key, in order, give exactly what the product
sends; a step that changes nothing excuses nothing. `rows` are the rows of oracle_cases.json
that differ for it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pycountry
from facebook_business.adobjects.serverside.normalize import Normalize
from tests.conformance.ours import NOT_SENT, Digests, hashed
from tests.conformance.steps import (
    ANYWHERE,
    AS_IT_IS,
    GENDERS,
    US_STATES,
    Texts,
    Value,
    ascii_digits,
    carrier,
    country_name,
    digits_alone,
    each,
    foreign_letters,
    home,
    kept,
    ninth_digit,
    no_md5,
    nowhere,
    on_phones,
    one_day,
    one_digit_only,
    one_number,
    only_if,
    plain_address,
    readable,
    transliterated,
    trunk_after_country,
    without_bracketed_zero,
    without_uf,
)


@dataclass(frozen=True)
class Rule:
    """One difference: why, for which keys, and what it does."""

    name: str
    keys: tuple[str, ...]
    reason: str
    before: Callable[[str], str] | None = None
    after: Callable[[Value], Texts] | None = None
    country: str | None = ANYWHERE
    rows: str = ""


NAMES, PLACES = ("fn", "ln"), ("ct", "st")
HASHED = ("em", "ph", *NAMES, "ge", "db", *PLACES, "zp", "country", "external_id")

RULES = (
    Rule(
        "unicode",
        HASHED,
        "One text in two Unicode forms (NFC, NFD), or with zero-width characters, a byte order "
        "mark or half a character in it, is one person; the SDK hashes it two ways or raises.",
        before=readable,
        rows="em-004 em-008 fn-173",
    ),
    Rule(
        "one address",
        ("em",),
        "Two addresses, a display name, blanks inside or a domain that cannot be: it matches "
        "nobody. The SDK asks for an @ and a dot behind it alone.",
        after=only_if(plain_address),
        rows="em-016 em-025 em-026 em-027 em-029 em-031 em-033",
    ),
    Rule(
        "digits of other scripts",
        ("ph",),
        "A number typed on an Arabic or Japanese keyboard is the same number; the SDK hashes "
        "its digits as other characters.",
        before=on_phones(ascii_digits),
        rows="ph-132 ph-133",
    ),
    Rule(
        "the number in a note",
        ("ph",),
        "Words, extensions, addresses of chat programs and second numbers around a number are "
        "not it; the SDK raises, which loses the event.",
        before=on_phones(one_number),
        rows="ph-075 ph-078 ph-136 ph-137 ph-162 ph-163 ph-165",
    ),
    Rule(
        "a spreadsheet's decimal",
        ("ph",),
        "A spreadsheet that took the number for a decimal one wrote .0 behind it.",
        before=on_phones(lambda raw: re.sub(r"^([0-9]+)\.0$", r"\1", raw)),
        rows="ph-152",
    ),
    Rule(
        "trunk zero in brackets",
        ("ph",),
        "+49 (0) 30: dialled inside the country only; Italy's zero stays.",
        before=on_phones(without_bracketed_zero),
        rows="ph-083",
    ),
    Rule(
        "signs between digits",
        ("ph",),
        "Meta's page: remove symbols, letters and leading zeros. Dots, slashes and long dashes "
        "make the SDK raise; beyond sixteen digits it is no number.",
        before=on_phones(digits_alone),
        rows="ph-074 ph-108 ph-116 ph-131 ph-151 ph-159 ph-161",
    ),
    Rule(
        "all leading zeros",
        ("ph",),
        "Meta's page: remove leading zeros, however many.",
        before=on_phones(lambda raw: re.sub("^(\\+?)0{3,}", r"\g<1>00", raw)),
    ),
    Rule(
        "trunk zero behind +55",
        ("ph",),
        "+55 011 ..., +55 0 15 11 ...: what is dialled inside Brazil was left in.",
        after=trunk_after_country,
        rows="ph-100",
    ),
    Rule(
        "Brazil's country code",
        ("ph",),
        "Meta's page asks for the country code. Ten or eleven digits of Anatel's plan with a "
        "known area code are Brazilian; the SDK hashes them as they are.",
        after=home,
        rows="ph-092 ph-093 ph-096 ph-097 ph-098 ph-103 ph-145",
    ),
    Rule(
        "carrier",
        ("ph",),
        "0 15 11 ...: the carrier chosen for one call is no part of the number.",
        after=carrier,
        rows="ph-099",
    ),
    Rule(
        "no country code to be had",
        ("ph",),
        "A number without country code that is not of Brazil's form matches nobody, or "
        "somebody else: 190, 0800, numbers without area code.",
        after=nowhere,
        rows="ph-094 ph-095 ph-109 ph-112 ph-113",
    ),
    Rule(
        "one digit repeated",
        ("ph",),
        "11111111111 was typed to get past a form; many share it.",
        after=only_if(lambda text: not one_digit_only(text)),
        rows="ph-144 ph-145",
    ),
    Rule(
        "ninth digit",
        ("ph",),
        "Brazilian mobiles written before 2016 are sent as written and as they are today.",
        after=ninth_digit,
        rows="ph-089",
    ),
    Rule(
        "names without punctuation and blanks",
        NAMES,
        "Meta's page: no punctuation. Blanks go as in Meta's own browser code, so that the "
        "pixel and the server say the same.",
        after=each(lambda text: kept(text, "LMN")),
        rows="""
        fn-175 fn-176 fn-177 fn-178 fn-179 fn-180 fn-181 fn-200 fn-201 fn-202 fn-206 ln-219
        ln-221 ln-222 ln-225 ln-226 ln-227 ln-229 ln-230 ln-231 ln-232 ln-238 ln-239 ln-241
        """,
    ),
    Rule(
        "state behind the city",
        ("ct",),
        "S\xe3o Paulo/SP is the city of S\xe3o Paulo.",
        before=without_uf,
        rows="ct-305 ct-306 ct-308",
    ),
    Rule(
        "places of letters alone",
        PLACES,
        "Meta's page: no punctuation, no special characters, no blanks. The SDK keeps "
        "apostrophes, commas and slashes.",
        after=each(lambda text: kept(text, "LM")),
        rows="ct-321 ct-322",
    ),
    Rule(
        "states of the United States",
        ("st",),
        "Meta's page: the two-letter code. The SDK hashes the name.",
        after=each(lambda text: US_STATES.get(text, text)),
        country=None,
        rows="st-337 st-338 st-363 st-364",
    ),
    Rule(
        "places in both spellings",
        PLACES,
        "Meta's page recommends a-z and allows UTF-8; lists are allowed. Both are sent; the "
        "SDK's is the second.",
        after=transliterated,
        rows="""
        ct-294 ct-299 ct-300 ct-305 ct-306 ct-311 ct-312 ct-313 ct-314 ct-315 st-345 st-354
        st-361 st-362
        """,
    ),
    Rule(
        "ZIP+4",
        ("zp",),
        "Meta's page: five digits in the United States, whatever stands between them and the "
        "other four.",
        before=lambda raw: re.sub("^([0-9]{5})[-\u2013 ][0-9]{4}$", r"\1", raw),
        country=None,
        rows="zp-375 zp-406",
    ),
    Rule(
        "what stands behind the dash",
        ("zp",),
        "Meta's page: no dash. The SDK cuts 04538-133 down to 04538.",
        before=lambda raw: raw.replace("-", "") or raw,
        rows="zp-382 zp-384 zp-387 zp-390 zp-391 zp-392",
    ),
    Rule(
        "postal codes of letters and digits alone",
        ("zp",),
        "Dots, marks and long dashes are no part of a postal code.",
        after=each(lambda text: re.sub("[^a-z0-9]", "", text)),
        rows="zp-384 zp-392 zp-407",
    ),
    Rule(
        "a CEP's first zero",
        ("zp",),
        "A spreadsheet took the leading zero of a Brazilian postal code.",
        after=each(lambda text: f"0{text}" if len(text) == 7 else text),
        country="br",
    ),
    Rule(
        "no postal code",
        ("zp",),
        "One character, or none that is a digit: N/A.",
        after=only_if(lambda text: len(text) > 1 and re.search("[0-9]", text)),
        rows="zp-401 zp-402 zp-407 zp-409",
    ),
    Rule(
        "countries by name",
        ("country",),
        "Brasil, BRA, UK: known countries. The SDK raises, which loses the event.",
        after=country_name,
        rows="""
        country-415 country-417 country-421 country-422 country-423 country-426 country-432
        """,
    ),
    Rule(
        "letters with accents in a country",
        ("country",),
        "The SDK drops them and takes what is left for a code.",
        after=foreign_letters,
    ),
    Rule(
        "gender",
        ("ge",),
        "Meta knows f and m. Words for them in three languages are read; the SDK hashes "
        "whatever stands there.",
        after=each(lambda text: GENDERS.get(text, "")),
        rows="ge-248 ge-249 ge-250 ge-252 ge-253 ge-254 ge-255 ge-256 ge-257",
    ),
    Rule(
        "dates of birth",
        ("db",),
        "Meta's page: YYYYMMDD. Dates are read; what could be two days, or none, is left out. "
        "The SDK hashes it as typed.",
        after=one_day,
        rows="""
        db-264 db-267 db-268 db-269 db-270 db-271 db-272 db-273 db-274 db-275 db-276 db-277
        db-281 db-282 db-288
        """,
    ),
    Rule(
        "MD5",
        (*HASHED[:-1],),
        "Meta's page names SHA-256 alone.",
        after=no_md5,
        rows="em-046",
    ),
    Rule(
        "MD5 as an id",
        ("external_id",),
        "An id of 32 hexadecimal digits is an id like others (it is a key for matching; no "
        "external_id is sent to Meta).",
        after=lambda value: tuple(
            text if len(text) > 60 else text.removeprefix(AS_IT_IS) for text in value.texts
        ),
    ),
    Rule(
        "nothing left",
        HASHED,
        "What is empty once normalized is left out; the SDK sends the digest of nothing, one "
        "person whom all such buyers are.",
        after=only_if(bool),
        rows="""
        fn-206 fn-209 ge-252 ge-253 ge-254 ge-255 ge-256 ge-257 ct-328 ct-329 ct-330 st-366
        st-369
        """,
    ),
    Rule(
        "currencies that are none",
        ("currency",),
        "ISO 4217 is asked; the SDK takes any three letters, with whatever stands around them.",
        after=lambda value: tuple(
            text
            for text in value.texts
            if re.fullmatch(r"\s*[a-zA-Z]{3}\s*", value.raw)
            and pycountry.currencies.get(alpha_3=text.upper())
        ),
        rows="currency-507 currency-514 currency-515 currency-516",
    ),
    Rule(
        "keys not sent",
        tuple(sorted(NOT_SENT)),
        "Meta's page names no such key.",
        after=lambda _value: (),
        rows="""
        f5first-452 f5first-453 f5first-457 f5first-458 f5last-459 f5last-460 f5last-461
        fi-464 fi-469 dobd-472 dobd-473 dobd-481 dobd-482 dobm-483 dobm-484 doby-492
        doby-500
        """,
    ),
)


def _sdk_texts(key: str, raw: str) -> Texts:
    try:
        digest = Normalize.normalize_field(key, raw)
        text = Normalize.normalize_field_skip_hashing(key, raw)
    except (TypeError, ValueError):
        return ()
    if digest is None or text is None:
        return ()
    return (AS_IT_IS + text if digest == text else text,)


def _on_the_wire(texts: Texts) -> Digests:
    return tuple(
        text.removeprefix(AS_IT_IS) if text.startswith(AS_IT_IS) else hashed(text) for text in texts
    )


def explain(key: str, raw: str, country: str | None = None) -> tuple[Digests, tuple[str, ...]]:
    """Return what the SDK's result is by all rules, and the names of those that changed it."""
    value = Value(raw, _sdk_texts(key, raw), country)
    changed = []
    for rule in RULES:
        if key not in rule.keys or rule.country not in (ANYWHERE, country):
            continue
        before = _on_the_wire(value.texts)
        if rule.before:
            amended = rule.before(value.raw)
            texts = _sdk_texts(key, amended) if amended != value.raw else value.texts
            value = Value(amended, texts, country)
        if rule.after:
            value = value._replace(texts=rule.after(value))
        if before != _on_the_wire(value.texts):
            changed.append(rule.name)
    return _on_the_wire(value.texts), tuple(changed)
