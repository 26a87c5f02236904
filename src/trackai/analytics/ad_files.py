"""Reads what ads cost from a CSV file, broken down by day or of one day.

What cannot be read, or may be read in two ways, is refused as a whole: half a file is a wrong sum.
Pure.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trackai.analytics.ad_columns import COLUMNS, Sheet, read_sheet
from trackai.analytics.notation import (
    Amount,
    DateOrder,
    DecimalSign,
    Notation,
    currency_of,
    date_order,
    decimal_sign,
    shown,
)
from trackai.errors import InvalidField
from trackai.model.ad_spend import AdDay
from trackai.model.money import from_major, parse_currency

MOST_BYTES = 64 * 1024 * 1024
MOST_LINES = 300_000
_DAYS = ("day", "starts", "ends")
# Without decimals; groups of three can be nothing but thousands. Millions of millions are no count.
_COUNT = re.compile(r"[0-9]{1,12}|[0-9]{1,3}(?:[., \u00a0\u202f][0-9]{3}){1,3}")
_ROUNDED = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+")


@dataclass(frozen=True, slots=True)
class AdFile:
    """What a file says."""

    days: Sequence[AdDay]
    skipped: int  # lines without a campaign or without spend: sums, empty ones
    currency_said: bool  # False: the one that was given was taken


def read_ad_file(
    content: bytes,
    *,
    currency: str,
    decimal: DecimalSign | None = None,
    dates: DateOrder | None = None,
) -> AdFile:
    """Return what ads cost, in `currency` where the file names none.

    `decimal` and `dates` say how it writes where it does not tell itself. InvalidField names the
    row and the value that cannot be read, and what to do.
    """
    if len(content) > MOST_BYTES:
        raise InvalidField(f"A file has at most {MOST_BYTES // 2**20} MiB.", field="file")
    text = _text(content)
    # Before anything is made of them: a million lines would take minutes, and a gigabyte.
    if text.count("\n") > MOST_LINES:
        raise InvalidField(
            f"A file has at most {MOST_LINES:,} lines: take fewer days.", field="file"
        )
    sheet = read_sheet(text)
    notation = Notation(
        decimal_sign(
            sheet.cells("spent"),
            given=decimal,
            usual=DecimalSign.COMMA if sheet.is_portuguese("spent") else None,
        ),
        date_order(
            sheet.cells(*_DAYS),
            given=dates,
            usual=DateOrder.DAY_FIRST if sheet.is_portuguese(*_DAYS) else None,
        ),
    )
    table = _Table(sheet, notation, currency)
    days = list(table.days())
    if not days:
        raise InvalidField(
            "No row of the file was taken: none has a campaign and what was spent.", field="file"
        )
    return AdFile(days, table.skipped, table.currency_said)


class _Table:
    """The lines below the names, understood."""

    def __init__(self, sheet: Sheet, notation: Notation, currency: str) -> None:
        self._sheet = sheet
        self._notation = notation
        self._said = currency_of(sheet.in_brackets("spent"))
        self._given = currency
        self.currency_said = True
        self.skipped = 0

    def days(self) -> Iterator[AdDay]:
        """Yield each line's; InvalidField names the line that cannot be read."""
        for row, line in self._sheet.lines:
            try:
                found = self._day(line)
            except ValueError as error:
                raise InvalidField(
                    f"Row {row} below the names cannot be read: {error}.", field="file"
                ) from None
            if found is None:
                self.skipped += 1
            else:
                yield found

    def _day(self, line: Sequence[str]) -> AdDay | None:
        """Return what a line says; None for one that is of no campaign, or says no sum."""
        cells = {name: self._sheet.cell(line, name) for name in COLUMNS}
        self._refuse_misplaced(line, cells)
        if not (cells["campaign"] or cells["campaign_id"]) or not cells["spent"]:
            return None
        currency, spent_minor = self._spent(cells)
        return AdDay(
            day=self._date(cells),
            campaign_id=_id(cells["campaign_id"]),
            campaign=cells["campaign"],
            ad_set_id=_id(cells["ad_set_id"]),
            ad_set=cells["ad_set"],
            ad_id=_id(cells["ad_id"]),
            ad=cells["ad"],
            currency=currency,
            spent_minor=spent_minor,
            impressions=_count(cells["impressions"]),
            clicks=_count(cells["clicks"]),
        )

    def _refuse_misplaced(self, line: Sequence[str], cells: Mapping[str, str]) -> None:
        """ValueError for a line whose values may stand below other names than their own."""
        if any("\n" in cell or "\r" in cell for cell in cells.values()):
            raise ValueError("a value goes over several lines: is a quote not closed?")
        if any(cell.strip() for cell in line[len(self._sheet.names) :]):
            raise ValueError(
                "it has more values than there are names: is a decimal comma not in quotes?"
            )
        # One value alone is a remark.
        if len(line) > 1 and len(line) <= max(self._sheet.columns.values()):
            raise ValueError("it has fewer values than there are names: is the file whole?")

    def _spent(self, cells: Mapping[str, str]) -> tuple[str, int]:
        amount = Amount.parse(cells["spent"])
        currency = self._currency(cells["currency"], amount)
        number = self._notation.number(amount)
        if amount.negative and number:
            raise ValueError(f"{shown(amount.text)}, what was spent, is negative")
        try:
            return currency, from_major(number, currency).amount_minor
        except ValueError:
            raise ValueError(f"{shown(amount.text)} is more than an ad can cost") from None

    def _currency(self, text: str, amount: Amount) -> str:
        """Return a row's currency; ValueError when it names two, or one that is none."""
        try:
            own = parse_currency(text) if text else None
        except ValueError as error:
            raise ValueError(f"{shown(text)} is {error}") from None
        said = {own, self._said, amount.currency} - {None}
        if len(said) > 1:
            raise ValueError(f"it names several currencies: {', '.join(sorted(map(str, said)))}")
        if said:
            return str(said.pop())
        self.currency_said = False
        return self._given

    def _date(self, cells: Mapping[str, str]) -> dt.date:
        if cells["day"]:
            return self._notation.day(cells["day"])
        starts, ends = cells["starts"], cells["ends"]
        if not starts:
            raise ValueError("it names no day")
        if ends and ends != starts:
            raise ValueError("it is of several days; export with the breakdown by day")
        return self._notation.day(starts)


def _text(content: bytes) -> str:
    marked = content[:2] in {b"\xff\xfe", b"\xfe\xff"}
    try:
        return content.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _count(text: str) -> int | None:
    if not text:
        return None
    if not _COUNT.fullmatch(text):
        raise ValueError(f"{shown(text)} is no count of impressions or clicks")
    return int(re.sub("[^0-9]", "", text))


def _id(text: str) -> str:
    """Return an id; some exports put a letter and a colon before it."""
    if _ROUNDED.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is an id that a spreadsheet rounded; export again and do not open it"
        )
    return text.rpartition(":")[2].strip()
