"""Who asks: the hashes of an e-mail and a phone in all the ways they may be stored."""

from dataclasses import dataclass
from hashlib import md5, sha256
from typing import Self

from trackai.errors import InvalidField
from trackai.model.identity import email_key, normalize_email, phone_forms, phone_key
from trackai.model.notice import Buyer

# 55, area, 9, eight digits: a mobile of today, and where its ninth digit stands.
_BRAZIL, _MOBILE_LENGTH, _NINTH = "55", 13, 4
_OLD_MOBILE = frozenset("6789")


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the tenant's rows may know them; `keys` are SHA-256 digests."""

    keys: frozenset[bytes]
    # Other hashes of the same values, which only bodies may hold.
    others: frozenset[bytes] = frozenset()

    @classmethod
    def named(cls, *, email: str | None = None, phone: str | None = None) -> Self:
        """Return the person of an e-mail, a phone or both; InvalidField when one is no such."""
        if not (email or phone):
            raise InvalidField("Say who: --email X, --phone Y or both.", field="email")
        values = {*_email_forms(email), *_phone_forms(phone)}
        known = (email_key(email), phone_key(phone))  # hashed already: taken as it is
        keys = {sha256(value.encode()).digest() for value in values} | {key for key in known if key}
        others = {md5(value.encode(), usedforsecurity=False).digest() for value in values}
        return cls(frozenset(keys), frozenset(others))

    @property
    def marks(self) -> frozenset[bytes]:
        """Every hash by which a text may name this person."""
        return self.keys | self.others

    def is_buyer(self, buyer: Buyer) -> bool:
        """Tell whether this is the buyer: the e-mail or the phone is theirs."""
        return not self.keys.isdisjoint(buyer_keys(buyer))


def buyer_keys(buyer: Buyer) -> frozenset[bytes]:
    """Return the hashes of a buyer's e-mail and phone, the phone read in every plausible way."""
    email = email_key(buyer.email)
    return phone_keys(buyer.phone, buyer.country) | ({email} if email else set())


def phone_keys(raw: str | None, country: str | None = None) -> frozenset[bytes]:
    """Return the hashes of a phone as written and as of today, in Brazil and in its country."""
    countries = dict.fromkeys(("BR", country.upper() if country else "BR"))
    forms = {form for where in countries for form in phone_forms(raw, where)}
    hashed = phone_key(raw)
    return frozenset(sha256(form.encode()).digest() for form in forms) | (
        {hashed} if hashed else set()
    )


def _email_forms(email: str | None) -> tuple[str, ...]:
    if not email:
        return ()
    form = normalize_email(email)
    if form is None and email_key(email) is None:
        raise InvalidField("--email is no e-mail address.", field="email")
    return (form,) if form else ()


def _phone_forms(phone: str | None) -> tuple[str, ...]:
    """Return the number of today and, for a Brazilian mobile, as it was before the ninth digit."""
    if not phone:
        return ()
    forms = phone_forms(phone)
    if not forms and phone_key(phone) is None:
        raise InvalidField(
            "--phone is no phone number: give area and number, or + and country.", field="phone"
        )
    return (*forms, *(old for form in forms for old in _before_the_ninth_digit(form)))


def _before_the_ninth_digit(form: str) -> tuple[str, ...]:
    mobile = form.startswith(_BRAZIL) and len(form) == _MOBILE_LENGTH and form[_NINTH] == "9"
    if not mobile or form[_NINTH + 1] not in _OLD_MOBILE:
        return ()
    return (form[:_NINTH] + form[_NINTH + 1 :],)
