import unicodedata
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.model.identity import (
    IdentityKind,
    email_key,
    external_id_key,
    identity_keys,
    normalize_email,
    normalize_phone,
    phone_forms,
    phone_key,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
PHONE_LIKE = st.text("0123456789+-() ./xE@,\u0661\u2013", max_size=24)
EMAIL_LIKE = st.text("aZ\u00e3\u0130\u0303.@+- \u200b\u03a3", max_size=20)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("  Ana.Silva+x@Exemplo.COM.br\n", "ana.silva+x@exemplo.com.br"),
        ("\ufeffana@exemplo.com\u200b", "ana@exemplo.com"),
        ("joa\u0303o@exemplo.com", "jo\u00e3o@exemplo.com"),
        ("ana@exemplo", None),
        ("ana@exemplo.com.", None),
        ("ana@@exemplo.com", None),
        ("ana silva@exemplo.com", None),
        ("ana@exemplo.com;bia@exemplo.com", None),
        ("Ana <ana@exemplo.com>", None),
        ("@exemplo.com", None),
        ("ana@\x00exemplo.com", None),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_email_is_lower_case_and_one_plain_address(raw: str | None, expected: str | None) -> None:
    assert expected == normalize_email(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("+55 (11) 98765-4321", "5511987654321"),
        ("11987654321", "5511987654321"),
        ("(011) 98765-4321", "5511987654321"),
        ("+55 011 98765-4321", "5511987654321"),
        ("0 15 11 98765-4321", "5511987654321"),  # carrier chosen by hand
        ("+55 0 15 11 98765-4321", "5511987654321"),
        ("005511987654321", "5511987654321"),
        ("55987654321", "5555987654321"),  # area code 55, no country code
        ("55 11 8765-4321", "5511987654321"),  # before the ninth digit
        ("1187654321", "5511987654321"),
        ("11 3456-7890", "551134567890"),  # landlines have eight digits
        ("5511987654321.0", "5511987654321"),
        ("11 98765-4321 (whatsapp)", "5511987654321"),
        ("+55 11 98765-4321 / recado", "5511987654321"),
        ("11 98765-4321/21 91234-5678", "5511987654321"),
        ("+1 650 555 1212 ext. 9", "16505551212"),
        ("1(650)5551212", "16505551212"),
        ("+49 (0) 30 901820", "4930901820"),
        ("+39 (0) 6 6982 1234", "390669821234"),  # Italy's zero is part of the number
        ("\uff11\uff16\uff15\uff10\uff15\uff15\uff15\uff11\uff12\uff11\uff12", "16505551212"),
        ("0800 123 4567", None),
        ("98765-4321", None),
        ("190", None),
        ("11111111111", None),
        ("+55 99 99999-9999", None),
        ("12345678901234567890", None),
        ("a11987654321" + "b" * 52, None),  # a digest
        ("liga depois", None),
        ("", None),
        (None, None),
    ],
)
def test_brazilian_phone_gets_country_code_and_ninth_digit(
    raw: str | None, expected: str | None
) -> None:
    assert expected == normalize_phone(raw)


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("(650) 555-1212", "US", "16505551212"),
        ("912 345 678", "PT", "351912345678"),
        ("(809) 234-5678", "DO", "18092345678"),
        ("0412 123 4567", "VE", "584121234567"),
        ("11987654321", "US", "11987654321"),
        ("030 901820", "DE", None),  # no country code, and no rule to add one
        ("+55 11 8765-4321", "US", "5511987654321"),
    ],
)
def test_country_hint_decides_for_numbers_without_country_code(
    raw: str, country: str, expected: str | None
) -> None:
    assert expected == normalize_phone(raw, country)


def test_old_mobile_is_told_as_written_and_as_it_is_today() -> None:
    assert phone_forms("55 11 8765-4321") == ("551187654321", "5511987654321")


def test_keys_are_digests_of_the_normalized_value() -> None:
    assert sha256(b"ana@exemplo.com").digest() == email_key(" ANA@exemplo.com")
    assert sha256(b"5511987654321").digest() == phone_key("11 98765-4321")
    assert sha256(b"user-7").digest() == external_id_key(" User-7 ")


@pytest.mark.parametrize("key_of", [email_key, phone_key, external_id_key])
def test_a_value_hashed_already_is_taken_as_it_is(key_of) -> None:  # type: ignore[no-untyped-def]
    digest = sha256(b"ana@exemplo.com").hexdigest()

    assert bytes.fromhex(digest) == key_of(f" {digest.upper()} ")


@pytest.mark.parametrize("raw", [None, "", " ", "\u200b", "\ud800"])
def test_nothing_has_no_key(raw: str | None) -> None:
    assert [None, None, None] == [email_key(raw), phone_key(raw), external_id_key(raw)]


def test_identity_keys_name_what_is_known() -> None:
    keys = identity_keys(email="ana@exemplo.com", phone="190", external_id="7")

    assert [IdentityKind.EMAIL, IdentityKind.EXTERNAL_ID] == [kind for kind, _ in keys]


@given(ANY_TEXT | EMAIL_LIKE)
def test_normalized_email_stays_as_it_is(raw: str) -> None:
    once = normalize_email(raw)

    assert once == normalize_email(once)


@given(ANY_TEXT | PHONE_LIKE)
def test_normalized_phone_written_with_plus_stays_as_it_is(raw: str) -> None:
    once = normalize_phone(raw)

    assert once is None or (once.isascii() and once.isdigit())
    assert once == (normalize_phone(f"+{once}") if once else None)


@given(ANY_TEXT | EMAIL_LIKE | PHONE_LIKE)
def test_composed_and_decomposed_text_have_one_key(raw: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, raw) for form in ("NFC", "NFD"))

    assert email_key(composed) == email_key(decomposed)
    assert phone_key(composed) == phone_key(decomposed)
    assert external_id_key(composed) == external_id_key(decomposed)


@given(ANY_TEXT | EMAIL_LIKE | PHONE_LIKE)
def test_keys_are_never_made_of_an_empty_value(raw: str) -> None:
    empty = sha256(b"").digest()

    assert empty not in {email_key(raw), phone_key(raw), external_id_key(raw)}
