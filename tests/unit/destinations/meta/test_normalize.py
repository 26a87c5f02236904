import unicodedata
from collections.abc import Callable
from hashlib import sha256

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.destinations.meta.normalize import (
    Digests,
    country_code,
    hash_birth_date,
    hash_city,
    hash_country,
    hash_email,
    hash_gender,
    hash_name,
    hash_phone,
    hash_state,
    hash_zip,
)
from trackai.destinations.meta.places import COUNTRY_CODES, US_STATES

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
WORD_LIKE = st.text("aZ\u00e3\u00c3\u0303\u0130\u03a3 -'./(),0194\u2019\u200b\u6771", max_size=16)
RAW = ANY_TEXT | WORD_LIKE
COUNTRY = st.sampled_from([None, "br", "us", "de"])

NORMALIZERS: dict[str, Callable[[str, str | None], Digests]] = {
    "em": hash_email,
    "ph": hash_phone,
    "name": hash_name,
    "ct": hash_city,
    "st": hash_state,
    "zp": hash_zip,
    "country": hash_country,
    "ge": hash_gender,
    "db": lambda raw, country: hash_birth_date(raw, country, 2026),
}


def hashed(*texts: str) -> Digests:
    return tuple(sha256(text.encode()).hexdigest() for text in texts)


@pytest.mark.parametrize("normalizer", NORMALIZERS.values(), ids=NORMALIZERS.keys())
@given(raw=RAW, country=COUNTRY)
def test_never_raises_never_hashes_nothing_and_gives_digests_only(
    normalizer: Callable[[str, str | None], Digests], raw: str, country: str | None
) -> None:
    digests = normalizer(raw, country)

    assert hashed("")[0] not in digests
    assert all(len(digest) == 64 and digest == digest.lower() for digest in digests)


@pytest.mark.parametrize("normalizer", NORMALIZERS.values(), ids=NORMALIZERS.keys())
@given(raw=RAW)
def test_composed_and_decomposed_text_are_hashed_alike(
    normalizer: Callable[[str, str | None], Digests], raw: str
) -> None:
    composed, decomposed = (unicodedata.normalize(form, raw) for form in ("NFC", "NFD"))

    assert normalizer(composed, None) == normalizer(decomposed, None)


@pytest.mark.parametrize("normalizer", NORMALIZERS.values(), ids=NORMALIZERS.keys())
def test_a_digest_passes_in_lower_case(
    normalizer: Callable[[str, str | None], Digests],
) -> None:
    digest = hashed("anything")[0]

    assert (digest,) == normalizer(f" {digest.upper()} ", "br")


@pytest.mark.parametrize("normalizer", NORMALIZERS.values(), ids=NORMALIZERS.keys())
def test_md5_is_refused(normalizer: Callable[[str, str | None], Digests]) -> None:
    assert normalizer("ac862c981fee6b90654257051c4e197a", None) == ()


@pytest.mark.parametrize("around", ["{}", " {} ", "\ufeff{}", "{}\u200b"])
def test_digest_that_begins_like_a_phone_number_is_none(around: str) -> None:
    sha256_digest, md5_digest = ("a11987654321" + "b" * count for count in (52, 20))

    assert (sha256_digest,) == hash_phone(around.format(sha256_digest.upper()), "br")
    assert hash_phone(around.format(md5_digest), "br") == ()


@pytest.mark.parametrize("normalizer", NORMALIZERS.values(), ids=NORMALIZERS.keys())
def test_a_digest_behind_a_byte_order_mark_passes(
    normalizer: Callable[[str, str | None], Digests],
) -> None:
    digest = hashed("anything")[0]

    assert (digest,) == normalizer(f"\ufeff{digest}", "br")


def test_old_brazilian_mobile_is_sent_in_both_forms() -> None:
    assert hashed("551187654321", "5511987654321") == hash_phone("(11) 8765-4321", "br")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Maria Clara", "mariaclara"),
        ("O\u2019Brien", "obrien"),
        ("D'\u00c1vila", "d\u00e1vila"),
        ("joa\u0303o", "jo\u00e3o"),
        ("Ana\U0001f642", "ana"),
        ("\u5c71\u7530", "\u5c71\u7530"),
    ],
)
def test_name_keeps_letters_and_accents_alone(raw: str, expected: str) -> None:
    assert hashed(expected) == hash_name(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("S\u00e3o Paulo", ("saopaulo", "s\u00e3opaulo")),
        ("S\u00e3o Paulo/SP", ("saopaulo", "s\u00e3opaulo")),
        ("Rio de Janeiro (RJ)", ("riodejaneiro",)),
        ("Santos - SP", ("santos",)),
        ("Xique-Xique", ("xiquexique",)),
        ("Troms\u00f8", ("tromso", "troms\u00f8")),
        ("\u6771\u4eac", ("\u6771\u4eac",)),
        ("123", ()),
    ],
)
def test_city_is_sent_transliterated_and_as_written(raw: str, expected: tuple[str, ...]) -> None:
    assert hashed(*expected) == hash_city(raw)


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("California", "us", ("ca",)),
        ("California", None, ("ca",)),
        ("Georgia", "ge", ("georgia",)),
        ("SP", "br", ("sp",)),
        ("Paran\u00e1", "br", ("parana", "paran\u00e1")),
        ("06", "us", ()),
    ],
)
def test_state_is_two_letters_for_the_united_states_alone(
    raw: str, country: str | None, expected: tuple[str, ...]
) -> None:
    assert hashed(*expected) == hash_state(raw, country)


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("04538-133", "br", "04538133"),
        ("1310100", "br", "01310100"),
        ("94035-1234", "us", "94035"),
        ("94035-1234", None, "94035"),
        ("940351234", None, "940351234"),
        ("K1A-0B1", "ca", "k1a0b1"),
    ],
)
def test_postal_code_is_cut_for_the_united_states_alone(
    raw: str, country: str | None, expected: str
) -> None:
    assert hashed(expected) == hash_zip(raw, country)


@pytest.mark.parametrize("raw", ["N/A", "-", "1", "  ", "\u3012"])
def test_what_is_no_postal_code_is_not_sent(raw: str) -> None:
    assert hash_zip(raw, "br") == ()


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("1997-02-16", None, "19970216"),
        ("16/02/1997", None, "19970216"),
        ("02/16/1997", None, "19970216"),
        ("02/03/1997", "br", "19970302"),
        ("02/03/1997", "us", "19970203"),
        ("03/03/1997", None, "19970303"),
        ("1997-02-16 10:00:00", None, "19970216"),
    ],
)
def test_birth_date_is_year_month_day(raw: str, country: str | None, expected: str) -> None:
    assert hashed(expected) == hash_birth_date(raw, country, 2026)


@pytest.mark.parametrize(
    "raw",
    [
        "02/03/1997",
        "1997-02-30",
        "1899-01-01",
        "2027-01-01",
        "16/02/97",
        "856051200",
        "x",
        "1997111",
    ],
)
def test_doubtful_birth_date_is_not_sent(raw: str) -> None:
    assert hash_birth_date(raw, None, 2026) == ()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("Brasil", "br"), ("BRA", "br"), ("UK", "gb"), ("U.S.", "us"), ("M\u00e9xico", "mx")],
)
def test_country_is_found_by_code_and_name(raw: str, expected: str) -> None:
    assert expected == country_code(raw)


@pytest.mark.parametrize("raw", ["XX", "T1", "EU", "076", "b", "", "Atlantis"])
def test_unknown_country_is_not_sent(raw: str) -> None:
    assert hash_country(raw) == ()


def test_country_codes_are_iso_3166() -> None:
    expected = {country.alpha_2.lower(): country.alpha_3.lower() for country in pycountry.countries}

    assert set(expected) == set(COUNTRY_CODES.values())
    assert all(alpha_2 == COUNTRY_CODES[alpha_3] for alpha_2, alpha_3 in expected.items())


def test_states_are_the_fifty_and_the_district() -> None:
    names = {
        subdivision.name.lower().replace(" ", ""): subdivision.code[3:].lower()
        for subdivision in pycountry.subdivisions
        if subdivision.country_code == "US" and subdivision.type in {"State", "District"}
    }

    assert names == US_STATES
