"""How a file writes amounts and days, told from all that it writes. Pure.

Nothing is guessed: what may be read in two ways, and nothing tells in which, is refused.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from trackai.analytics.ad_errors import BadAdFile, Unreadable
from trackai.model.money import CURRENCIES


class DecimalSign(StrEnum):
    """What stands before decimals; the other one groups thousands."""

    COMMA = "comma"
    POINT = "point"


class DateOrder(StrEnum):
    """Which part of 03/04/2026 is the day; days that begin with their year need none."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


YEARS = range(2000, 2101)
# A cell and the row that it is in.
Cell = tuple[int, str]
Choice = TypeVar("Choice", DecimalSign, DateOrder)

_MARKS = {DecimalSign.COMMA: ",", DecimalSign.POINT: "."}
# Thousands in groups of three, or as India groups them; no group begins with a zero.
_FORMS = {
    sign: re.compile(
        rf"([0-9]+|[1-9][0-9]{{0,2}}({group}[0-9]{{2,3}})*{group}[0-9]{{3}})?({mark}[0-9]+)?"
    )
    for sign, mark, group in (
        (DecimalSign.COMMA, ",", r"\."),
        (DecimalSign.POINT, r"\.", ","),
    )
}
_UNIT = "[A-Z]{3}|[A-Z]{0,3}[$€£₹₩]"
_AMOUNT = re.compile(
    rf"(?P<open>\()?\s*(?P<minus>[-+\u2212]?)\s*(?P<unit>{_UNIT})?\s*(?P<inner_minus>[-+\u2212]?)\s*"
    rf"(?P<digits>[0-9.,]*[0-9])\s*(?P<last_unit>{_UNIT})?\s*(?P<close>\))?"
)
_SPACE_IN_THOUSANDS = re.compile(r"(?<=[0-9])\s(?=[0-9]{3}(?![0-9]))")
# Signs of one currency alone: dollars and pounds without more are of many.
_CURRENCIES = {"R$": "BRL", "US$": "USD", "€": "EUR", "₹": "INR", "₩": "KRW"}
_DAY = re.compile(
    r"([0-9]{1,4})([/.-])([0-9]{1,2})\2([0-9]{1,4})"
    r"([T ][0-9]{1,2}:[0-9]{2}[0-9:.]*( ?[AaPp][Mm])?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_YEAR_DIGITS = 4
_MONTHS = 12
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount as it is written, its decimals not told from its thousands yet."""

    text: str
    digits: str
    negative: bool
    currency: str | None  # what it names itself, as R$ and EUR do

    @classmethod
    def parse(cls, text: str) -> "Amount":
        """Return what a cell holds; ValueError when it is no amount."""
        found = _AMOUNT.fullmatch(_SPACE_IN_THOUSANDS.sub("", text))
        if found is None or bool(found["open"]) != bool(found["close"]):
            raise _no_number(text)
        unit = found["unit"] or found["last_unit"] or ""
        currency = unit if unit.isalpha() else currency_of(unit)
        # Bookkeepers put what is negative in brackets.
        below = bool(found["open"]) or not {found["minus"], found["inner_minus"]} <= {"", "+"}
        return cls(text, found["digits"], below, currency or None)

    def signs(self) -> set[DecimalSign]:
        """Return the decimal signs that these digits may have been written with."""
        return {sign for sign, form in _FORMS.items() if form.fullmatch(self.digits)}


@dataclass(frozen=True, slots=True)
class Notation:
    """How a file writes; None where nothing tells."""

    decimal: DecimalSign | None
    dates: DateOrder | None

    def number(self, amount: Amount) -> Decimal:
        """Return an amount without its minus; ValueError when it may be one of two."""
        if amount.digits.isdigit():
            return Decimal(amount.digits)
        signs = amount.signs()
        if self.decimal is None:
            if signs:
                raise Unreadable(
                    f"{shown(amount.text)} may have decimals or thousands;"
                    " say which with --decimal comma or --decimal point",
                    "doubtful_number",
                    value=shown(amount.text),
                )
            raise _no_number(amount.text)
        if self.decimal not in signs:
            raise Unreadable(
                f"{shown(amount.text)} is no number with a decimal {self.decimal}",
                f"no_number_{self.decimal}",
                value=shown(amount.text),
            )
        whole, _, decimals = amount.digits.partition(_MARKS[self.decimal])
        return Decimal(f"{re.sub('[.,]', '', whole)}.{decimals}")

    def day(self, text: str) -> dt.date:
        """Return a day; ValueError when it is none, or may be one of two."""
        first, second, last = _parts(text)
        if len(first) == _YEAR_DIGITS:
            numbers = (first, second, last)
        elif self.dates is None and int(first) != int(second):
            raise Unreadable(
                f"{shown(text)} may be one of two days;"
                " say which with --dates day-first or --dates month-first",
                "doubtful_day",
                value=shown(text),
            )
        elif self.dates is DateOrder.MONTH_FIRST:
            numbers = (last, first, second)
        else:
            numbers = (last, second, first)
        try:
            found = dt.date(*map(int, numbers))
        except ValueError:
            order = f" with {self.dates.replace('-', ' ')}" if self.dates else ""
            raise Unreadable(
                f"{shown(text)} is no day{order}", "not_a_day", value=shown(text)
            ) from None
        if found.year not in YEARS:
            raise Unreadable(
                f"{shown(text)} is not of the years {YEARS[0]} to {YEARS[-1]}",
                "other_years",
                value=shown(text),
                first=YEARS[0],
                last=YEARS[-1],
            )
        return found


def decimal_sign(
    cells: Iterable[Cell], *, given: DecimalSign | None, usual: DecimalSign | None
) -> DecimalSign | None:
    """Return a column's decimal sign: what was `given`, what its values say, or what is `usual`.

    InvalidField when they say both. The usual one stands back where it would make three decimals:
    those are rather thousands of the other.
    """
    said: dict[DecimalSign, Cell] = {}
    doubtful = False
    for row, text in cells:
        try:
            amount = Amount.parse(text)
        except ValueError:
            continue  # reading it says so, if it is read
        signs = amount.signs()
        if len(signs) == 1:
            said.setdefault(next(iter(signs)), (row, text))
        elif usual is not None and _MARKS[usual] in amount.digits:
            doubtful = True
    return given or _only(said, "decimals") or (None if doubtful else usual)


def date_order(
    cells: Iterable[Cell], *, given: DateOrder | None, usual: DateOrder | None
) -> DateOrder | None:
    """Return a file's order of day and month: what is above twelve says it, or what is `usual`.

    InvalidField when the days say both.
    """
    said: dict[DateOrder, Cell] = {}
    for row, text in cells:
        try:
            first, second, _ = _parts(text)
        except ValueError:
            continue  # reading it says so, if it is read
        if len(first) == _YEAR_DIGITS:
            continue
        if int(first) > _MONTHS:
            said.setdefault(DateOrder.DAY_FIRST, (row, text))
        elif int(second) > _MONTHS:
            said.setdefault(DateOrder.MONTH_FIRST, (row, text))
    return given or _only(said, "days") or usual


def currency_of(unit: str) -> str | None:
    """Return the currency of a code or a sign; None where that is of none, or of many."""
    code = unit.upper()
    return code if code in CURRENCIES else _CURRENCIES.get(code)


def shown(text: str) -> str:
    """Return a cell as an error may show it."""
    plain = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    return f'"{plain[:_SHOWN]}{"..." if len(plain) > _SHOWN else ""}"'


def _only(said: Mapping[Choice, Cell], what: str) -> Choice | None:
    if len(said) > 1:
        (row, text), (other_row, other) = sorted(said.values())
        raise BadAdFile(
            f"The file writes {what} in two ways: {shown(text)} in row {row} below the names,"
            f" {shown(other)} in row {other_row}. Write them in one.",
            f"{what}_in_two_ways",
            one=shown(text),
            one_row=row,
            other=shown(other),
            other_row=other_row,
        )
    return next(iter(said), None)


def _parts(text: str) -> tuple[str, str, str]:
    """Return the numbers of a day as they stand; ValueError when it is none."""
    found = _DAY.fullmatch(text)
    if found is None:
        raise _no_day(text)
    first, second, last = found[1], found[3], found[4]
    if _YEAR_DIGITS not in {len(first), len(last)}:
        raise Unreadable(f"{shown(text)} has no year of four digits", "no_year", value=shown(text))
    if min(len(first), len(last)) > 2:  # noqa: PLR2004 - a day's or a month's digits
        raise _no_day(text)
    return first, second, last


def _no_number(text: str) -> Unreadable:
    return Unreadable(f"{shown(text)} is no number", "no_number", value=shown(text))


def _no_day(text: str) -> Unreadable:
    return Unreadable(f"{shown(text)} is no day such as 2026-11-30", "not_a_day", value=shown(text))
