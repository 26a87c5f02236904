"""Phone numbers against Google's phonenumbers, which knows every country's plan.

It says nothing of what Meta wants, but what a number is: for a number that it calls valid, our
digits are its E.164, or a rule of the table gives what they are instead.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from tests.conformance.inputs import AREAS
from tests.conformance.steps import one_number, readable

from trackai.model.identity import normalize_phone

EACH = 3_000
HOME = "BR"
ALL = sorted(phonenumbers.SUPPORTED_REGIONS)
KINDS = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
WITH_CODE = (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.RFC3966)


@dataclass(frozen=True)
class Rule:
    """Where our digits are not phonenumbers': why, and what they are; else NotImplemented."""

    name: str
    reason: str
    instead: Callable[[str, str | None], object]


def e164(raw: str, region: str = HOME) -> str | None:
    """Return phonenumbers' digits for a number that it calls valid."""
    number = _parsed(raw, region)
    if number is None or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]


def _parsed(raw: str, region: str = HOME) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None


def _ninth_digit(raw: str, _theirs: str | None) -> object:
    number = _parsed(raw)
    old = re.fullmatch("([1-9][1-9])([6-9][0-9]{7})", str(number.national_number if number else ""))
    return f"55{old[1]}9{old[2]}" if old else NotImplemented


def _note(raw: str, _theirs: str | None) -> object:
    alone = one_number(readable(raw))
    return (_settled(alone) or NotImplemented) if alone != raw else NotImplemented


def _written_with_code(raw: str, _theirs: str | None) -> object:
    """Read 0055, and 55 before a zero, as +55."""
    plain = re.sub(r"^(?:00|\+)?55\D*0?", "+55 ", raw)
    return (_settled(plain) or NotImplemented) if plain != raw else NotImplemented


def _toll_free(raw: str, theirs: str | None) -> object:
    return None if re.match("55[38]00", theirs or "") and "+" not in raw else NotImplemented


def _repeated(raw: str, _theirs: str | None) -> object:
    digits = re.sub("[^0-9]", "", raw).removeprefix("55")
    return None if len(set(digits)) == 1 else NotImplemented


RULES = (
    Rule(
        "ninth digit",
        "Mobiles of before 2016: phonenumbers knows them no more, people still write them so.",
        _ninth_digit,
    ),
    Rule(
        "the number in a note",
        "Words and addresses of chat programs around the number; phonenumbers takes some for "
        "digits or for parameters.",
        _note,
    ),
    Rule(
        "country code in front of a zero",
        "+55 011, 55 0 15 11, 0055: phonenumbers takes the last for a call to Japan by carrier 55.",
        _written_with_code,
    ),
    Rule("toll-free", "0800 and 0300 are nobody's phone.", _toll_free),
    Rule("one digit repeated", "Typed to get past a form, though the plan allows it.", _repeated),
)


def _settled(raw: str) -> object:
    """Return phonenumbers' digits after all rules but notes."""
    for rule in RULES:
        if rule.name != "the number in a note":
            found = rule.instead(raw, e164(raw))
            if found is not NotImplemented:
                return found
    return e164(raw)


def _written(draw: Random) -> str:
    area = draw.choice(AREAS)
    kind = draw.choice(("mobile", "mobile", "mobile", "landline", "old"))
    first = {"mobile": "9" + draw.choice("6789"), "landline": draw.choice("2345")}
    local = first.get(kind, draw.choice("789"))
    local += "".join(draw.choices("0123456789", k=(9 if kind == "mobile" else 8) - len(local)))
    between = draw.choice((" ", "-", "", ".", "\u2013"))
    local = f"{local[:-4]}{between}{local[-4:]}"
    shape = draw.choice(
        (
            *("({0}) {1}", "{0} {1}", "{0}{1}", "0{0} {1}", "(0{0}) {1}", "0 15 {0} {1}"),
            *("+55 {0} {1}", "+55 ({0}) {1}", "55{0}{1}", "+55{0}{1}", "0055 {0} {1}"),
            *("+55 0{0} {1}", "+55 (0{0}) {1}", "+55 0 21 {0} {1}"),
            *("{0} {1} (whatsapp)", "tel:+55-{0}-{1}", "55{0}{1}@s.whatsapp.net"),
            *("Ana: {0} {1}", "+55 {0} {1} / recado", "\u200b+55 {0} {1}"),
        )
    )
    return str(shape.format(area, local))


ODD = ("0800 123 4567", "0800 701 1234", "11111111111", "99999999999", "190", "3456-7890")


@cache
def _compared() -> tuple[int, frozenset[str], tuple[str, ...]]:
    """Return how many numbers are equal, the rules in use, and what no rule gives."""
    draw = Random("phonenumbers")  # noqa: S311 - draws must repeat
    equal, used, wrong = 0, set[str](), list[str]()
    for raw in (*(_written(draw) for _ in range(EACH)), *ODD):
        ours, theirs = normalize_phone(raw, HOME), e164(raw)
        names = [rule.name for rule in RULES if ours == rule.instead(raw, theirs)]
        equal += ours == theirs
        if ours != theirs:
            used.update(names[:1])
            wrong += [] if names else [f"{raw!a} {ours} {theirs}"]
    return equal, frozenset(used), tuple(wrong)


def test_a_brazilian_number_has_phonenumbers_digits_but_for_the_rules() -> None:
    assert _compared()[2] == ()


def test_every_rule_is_in_use_and_most_numbers_need_none() -> None:
    equal, used, _ = _compared()

    assert {rule.name for rule in RULES} == used
    assert equal > EACH / 2


@pytest.mark.parametrize("region", ALL)
def test_a_number_with_its_country_code_has_phonenumbers_digits_wherever_it_is(region: str) -> None:
    for number in _examples(region):
        expected = phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]
        for form in WITH_CODE:
            assert expected == normalize_phone(phonenumbers.format_number(number, form), region)


# Without country code: countries of the product's table, and what is not as phonenumbers says.
NATIONAL = """AG AI AO AR AS BB BM BO BR BS CA CL CO CR DM DO EC ES FR GB GD GR GT GU HN JM KN KY LC
    MP MS MX MZ NI PE PR PT PY SV SX TC TT US UY VC VE VG VI""".split()
SHORTER = {"EC", "MZ", "PE"}  # landlines are a digit short: left out, since no length tells
WITH_15 = {"AR"}  # mobiles dialled with 15 in their middle: left out
# Ten digits and more without a plus may be a whole number: sent as they are, as the SDK does.
AS_WRITTEN = {"BY", "CI", "CN", "IT", "KZ", "NP", "RU", "VA"}


@pytest.mark.parametrize("region", ALL)
def test_a_number_without_country_code_gets_its_countrys_or_is_left_out(region: str) -> None:
    for number in _examples(region):
        expected = phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]
        raw = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        found = normalize_phone(raw, region)

        if region in NATIONAL:
            assert found == expected or (found is None and region in SHORTER | WITH_15)
        elif found not in (None, expected):
            assert region in AS_WRITTEN
            assert found == re.sub("[^0-9]", "", raw).lstrip("0")


def _examples(region: str) -> list[phonenumbers.PhoneNumber]:
    found = (phonenumbers.example_number_for_type(region, kind) for kind in KINDS)
    return [number for number in found if number is not None]
