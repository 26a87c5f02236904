"""Lenient reading of platforms' JSON, shared by all gateways; it knows no platform.

Platforms write numbers as text, text as numbers and "" for nothing, so values are read one by one:
what is absent, empty or of a wrong type is None and costs that field, not the sale (a struct would
refuse the whole body). Only money is strict. No error text here holds a value of the body.
"""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

import msgspec

from trackai.errors import PayloadNotUnderstood
from trackai.model.money import MAX_MINOR, Money, from_major
from trackai.model.notice import NoticeStatus

SAO_PAULO = ZoneInfo("America/Sao_Paulo")

MOST_TEXT = 1000  # characters; user agents are the longest honest texts
MOST_ID = 200  # characters; Stripe's bound for client_reference_id, the widest carrier of click ids

MOST_COUNT = 1_000_000  # of things in one sale

# A sale that is paid must have the right amount; elsewhere an unreadable one is only left out.
_PAID = frozenset({NoticeStatus.APPROVED, NoticeStatus.COMPLETED})

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# No sale lies outside; keeps nonsense out of columns and of calendars that end.
_EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)

_LARGEST = 10**18
_MOST_DIGITS = 40  # of a number that is a name, such as an order's
_PLAIN_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,10})?", re.ASCII)
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")  # a tool's placeholder that was never filled in


class Fields:
    """A JSON object read leniently; what is no object reads as an empty one."""

    __slots__ = ("_values",)

    def __init__(self, values: object) -> None:
        self._values: dict[str, object] = values if isinstance(values, dict) else {}

    def __bool__(self) -> bool:
        return bool(self._values)

    def raw(self, name: str) -> object:
        """Return the value as it is."""
        return self._values.get(name)

    def text(self, name: str, *, most: int = MOST_TEXT) -> str | None:
        """Return text without blanks around it; numbers become text, too long is None."""
        return _to_text(self._values.get(name), most)

    def identifier(self, name: str) -> str | None:
        """Return a text short enough to be a key."""
        return self.text(name, most=MOST_ID)

    def required(self, name: str) -> str:
        """Return an identifier that the notice cannot do without."""
        found = self.identifier(name)
        if found is None:
            raise PayloadNotUnderstood(f"The body has no readable {name}.", field=name)
        return found

    def whole(self, name: str) -> int | None:
        """Return a whole number, also from text."""
        try:
            number = _to_decimal(self._values.get(name))
        except ValueError:
            return None
        return int(number) if number == number.to_integral_value() else None

    def count(self, name: str) -> int | None:
        """Return a whole number of things, None when it is none or beyond all reason."""
        number = self.whole(name)
        return number if number is not None and 0 < number <= MOST_COUNT else None

    def inner(self, name: str) -> "Fields":
        """Return an object inside."""
        return Fields(self._values.get(name))

    def each(self, name: str) -> Iterator["Fields"]:
        """Return the objects of a list inside."""
        found = self._values.get(name)
        return (Fields(one) for one in found) if isinstance(found, list) else iter(())

    def time(self, name: str) -> dt.datetime | None:
        """Return an ISO time in UTC; one without zone is São Paulo's, where the platforms are."""
        try:
            moment = dt.datetime.fromisoformat(self.text(name) or "")
            return _bounded(moment if moment.tzinfo else moment.replace(tzinfo=SAO_PAULO))
        except (ValueError, OverflowError):
            return None

    def epoch(self, name: str, unit: dt.timedelta) -> dt.datetime | None:
        """Return a Unix time counted in this unit."""
        count = self.whole(name)
        try:
            return None if count is None else _bounded(_EPOCH + count * unit)
        except OverflowError:
            return None


def read_object(body: bytes) -> Fields:
    """Decode a JSON object, decimals exact; PayloadNotUnderstood for anything else."""
    try:
        found = _DECODER.decode(body)
    except (ValueError, RecursionError):  # also invalid UTF-8 and integers without end
        raise PayloadNotUnderstood("The body is not readable JSON.") from None
    if not isinstance(found, dict):
        raise PayloadNotUnderstood("The body is not a JSON object.")
    return Fields(found)


def to_money(
    amount: object, currency: str | None, status: NoticeStatus, *, decimals: int = 0
) -> Money | None:
    """Build money from an amount with `decimals` implied ones: 0 for reais, 2 for centavos.

    None when there is no amount. An unreadable one is PayloadNotUnderstood on a paid sale, and
    None on any other notice.
    """
    if amount is None or (isinstance(amount, str) and not amount.strip()):
        return None
    try:
        return from_major(_to_amount(amount, decimals), currency or "")
    except ValueError:
        if status in _PAID:
            message = "The amount or the currency of a paid sale is not readable."
            raise PayloadNotUnderstood(message, field="amount") from None
        return None


def distinct(*candidates: str | None) -> tuple[str, ...]:
    """Return what is there, each once, in this order."""
    return tuple(dict.fromkeys(filter(None, candidates)))


def _number(written: str) -> Decimal:
    """Decode a number with fraction or exponent; NaN, which nothing reads, beyond all reason."""
    try:
        number = Decimal(written)
    except InvalidOperation:
        return Decimal("NaN")
    # Arithmetic on wider exponents fails, and their digits would fill the memory.
    return number if abs(number.adjusted()) < _MOST_DIGITS else Decimal("NaN")


_DECODER = msgspec.json.Decoder(float_hook=_number)


def _to_text(value: object, most: int) -> str | None:
    if isinstance(value, str):
        found = value.strip()
    elif isinstance(value, Decimal):
        found = str(value) if value.is_finite() else ""
    elif isinstance(value, int) and not isinstance(value, bool):
        found = str(value) if abs(value) < 10**_MOST_DIGITS else ""
    else:
        return None
    # PostgreSQL keeps no NUL in text.
    usable = 0 < len(found) <= most and "\0" not in found and not _TEMPLATE.fullmatch(found)
    return found if usable else None


def _to_decimal(value: object) -> Decimal:
    if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        if number.is_finite() and abs(number) < _LARGEST:
            return number
    raise ValueError("not a plain number")


def _to_amount(value: object, decimals: int) -> Decimal:
    number = _to_decimal(value)
    if not 0 <= number <= MAX_MINOR or (decimals and number % 1):
        raise ValueError("not an amount")
    return number.scaleb(-decimals)


def _bounded(moment: dt.datetime) -> dt.datetime | None:
    in_utc = moment.astimezone(dt.UTC)
    return in_utc if _EARLIEST <= in_utc < _LATEST else None
