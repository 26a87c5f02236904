"""Who asks, in all the ways that their e-mail and phone may be stored."""

from hashlib import sha256

import pytest

from trackai.errors import InvalidField
from trackai.model.identity import email_key, phone_key
from trackai.model.notice import Buyer
from trackai.privacy.person import Person

NEW, OLD = "5511987654321", "551187654321"


def key(text: str) -> bytes:
    return sha256(text.encode()).digest()


def test_an_email_is_the_key_that_matching_uses() -> None:
    assert Person.named(email=" Ana@Example.COM ").keys == {email_key("ana@example.com")}


@pytest.mark.parametrize(
    "written", ["+55 (11) 98765-4321", "11 98765 4321", "011987654321", "1187654321", OLD, NEW]
)
def test_a_brazilian_mobile_is_meant_with_and_without_its_ninth_digit(written: str) -> None:
    assert Person.named(phone=written).keys == {key(NEW), key(OLD)}


def test_a_mobile_that_never_had_eight_digits_has_one_form() -> None:
    assert Person.named(phone="11 91234-5678").keys == {key("5511912345678")}


def test_both_may_be_given() -> None:
    person = Person.named(email="ana@example.com", phone=NEW)

    assert person.keys == {email_key("ana@example.com"), key(NEW), key(OLD)}


def test_a_digest_stands_for_the_value() -> None:
    assert Person.named(email=key("ana@example.com").hex()).keys == {key("ana@example.com")}
    assert Person.named(phone=key(NEW).hex()).keys == {phone_key(NEW)}


@pytest.mark.parametrize(
    "wrong", [{}, {"email": "ana"}, {"phone": "11"}, {"email": "", "phone": ""}]
)
def test_who_cannot_be_told_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidField):
        Person.named(**wrong)


@pytest.mark.parametrize(
    "buyer",
    [
        Buyer(email="ANA@example.com"),
        Buyer(phone="11987654321"),
        Buyer(phone="(11) 8765-4321", country="BR"),
        Buyer(email="else@example.com", phone=f"+{NEW}", country="PT"),
    ],
)
def test_the_buyer_is_known_by_either(buyer: Buyer) -> None:
    assert Person.named(email="ana@example.com", phone=NEW).is_buyer(buyer)


@pytest.mark.parametrize(
    "buyer", [Buyer(), Buyer(email="ana@example.org"), Buyer(phone="21 98765-4321")]
)
def test_another_buyer_is_another(buyer: Buyer) -> None:
    assert not Person.named(email="ana@example.com", phone=NEW).is_buyer(buyer)


def test_a_foreign_phone_is_read_in_the_buyers_country() -> None:
    person = Person.named(phone="+351 912 345 678")

    assert person.is_buyer(Buyer(phone="912345678", country="PT"))
