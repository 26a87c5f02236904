"""Reads what ads cost from a CSV file: of Meta's Ads Manager, of Google Ads, or of one's own.

Names of columns as the exports of 2026 write them. A file must be broken down by day, or be of one
day. Pure.
"""

import csv
import datetime as dt
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from trackai.errors import InvalidField
from trackai.model.ad_spend import AdDay
from trackai.model.money import from_major, parse_currency

MOST_BYTES = 64 * 1024 * 1024
# Exports may say what they are of before the line of names.
_HEAD_WITHIN = 15
_DELIMITERS = ",;\t"

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "day": ("dia", "day", "data", "date"),
    "starts": ("inicio dos relatorios", "reporting starts", "date_start"),
    "ends": (
        *("termino dos relatorios", "encerramento dos relatorios", "reporting ends"),
        "date_stop",
    ),
    "campaign": ("nome da campanha", "campaign name", "campaign_name", "campanha", "campaign"),
    "campaign_id": (
        *("identificacao da campanha", "id da campanha", "campaign id", "campaign_id"),
    ),
    "ad_set": (
        *("nome do conjunto de anuncios", "ad set name", "adset_name", "conjunto de anuncios"),
        *("ad set", "ad_set", "grupo de anuncios", "ad group"),
    ),
    "ad_set_id": (
        *("identificacao do conjunto de anuncios", "id do conjunto de anuncios", "ad set id"),
        *("adset_id", "ad_set_id", "id do grupo de anuncios", "ad group id"),
    ),
    "ad": ("nome do anuncio", "ad name", "ad_name", "anuncio", "ad"),
    "ad_id": ("identificacao do anuncio", "id do anuncio", "ad id", "ad_id"),
    "spent": (*("valor usado", "valor gasto", "amount spent", "spend", "spent", "custo", "cost"),),
    "currency": ("moeda", "codigo da moeda", "currency", "currency code", "account_currency"),
    "impressions": ("impressoes", "impressions", "impr"),
    "clicks": (*("cliques no link", "link clicks", "inline_link_clicks", "cliques", "clicks"),),
}
_PORTUGUESE = {"dia", "data", "inicio dos relatorios"}
_IN_BRACKETS = re.compile(r"\(([A-Z]{3})\)\s*$")
_COMMA_DECIMAL = re.compile(r",\d{1,2}$|^\d+,\d+$")


@dataclass(frozen=True, slots=True)
class AdFile:
    """What a file says."""

    days: Sequence[AdDay]
    skipped: int  # lines without a campaign or without spend: sums, empty ones
    currency_said: bool  # False: the one that was given was taken


def read_ad_file(content: bytes, *, currency: str) -> AdFile:
    """Return what ads cost, in `currency` where the file names none.

    InvalidField says what cannot be read.
    """
    if len(content) > MOST_BYTES:
        raise InvalidField(f"A file has at most {MOST_BYTES // 2**20} MiB.", field="file")
    rows = _rows(_text(content))
    head, columns = _head(rows)
    lines = [line for line in rows[head + 1 :] if any(cell.strip() for cell in line)]
    table = _Table(lines, columns, rows[head], currency)
    return AdFile(list(table.days()), table.skipped, table.currency_said)


class _Table:
    """The lines below the names."""

    def __init__(
        self,
        lines: Sequence[Sequence[str]],
        columns: Mapping[str, int],
        names: Sequence[str],
        currency: str,
    ) -> None:
        self._lines = lines
        self._columns = columns
        said = _IN_BRACKETS.search(names[columns["spent"]])
        self.currency_said = said is not None or "currency" in columns
        self._currency = said.group(1) if said else currency
        self._comma = any(_COMMA_DECIMAL.search(value) for value in self._values("spent"))
        days = [*self._values("day"), *self._values("starts")]
        self._day_first = _day_first(days, portuguese=_is_portuguese(names))
        self.skipped = 0

    def days(self) -> Iterator[AdDay]:
        """Yield each line's; InvalidField names the line that cannot be read."""
        for number, line in enumerate(self._lines, start=1):
            cells = {name: self._cell(line, name) for name in _COLUMNS}
            if not (cells["campaign"] or cells["campaign_id"]) or not cells["spent"]:
                self.skipped += 1
                continue
            try:
                yield self._day(cells)
            except ValueError as error:
                raise InvalidField(
                    f"Row {number} below the names cannot be read: {error}.", field="file"
                ) from None

    def _day(self, cells: Mapping[str, str]) -> AdDay:
        currency = parse_currency(cells["currency"] or self._currency)
        money = from_major(self._number(cells["spent"]), currency)
        if money.amount_minor < 0:
            raise ValueError("what was spent is negative")
        return AdDay(
            day=self._date(cells),
            campaign_id=_id(cells["campaign_id"]),
            campaign=cells["campaign"],
            ad_set_id=_id(cells["ad_set_id"]),
            ad_set=cells["ad_set"],
            ad_id=_id(cells["ad_id"]),
            ad=cells["ad"],
            currency=currency,
            spent_minor=money.amount_minor,
            impressions=self._count(cells["impressions"]),
            clicks=self._count(cells["clicks"]),
        )

    def _date(self, cells: Mapping[str, str]) -> dt.date:
        if cells["day"]:
            return self._parsed(cells["day"])
        starts, ends = cells["starts"], cells["ends"]
        if not starts:
            raise ValueError("it names no day")
        if ends and ends != starts:
            raise ValueError("it is of several days; export with the breakdown by day")
        return self._parsed(starts)

    def _parsed(self, text: str) -> dt.date:
        parts = re.split(r"[/.-]", text.split("T", maxsplit=1)[0].split(" ", maxsplit=1)[0])
        numbers = [int(part) for part in parts if part.isascii() and part.isdigit()]
        if len(numbers) != 3:  # noqa: PLR2004 - year, month, day
            raise ValueError("its day is no date")
        if len(parts[0]) == 4:  # noqa: PLR2004 - a year
            return dt.date(*numbers)
        day, month = numbers[:2] if self._day_first else reversed(numbers[:2])
        return dt.date(numbers[2], month, day)

    def _number(self, text: str) -> Decimal:
        plain = re.sub(r"[^0-9,.+-]", "", text)
        thousands, decimal = (".", ",") if self._comma else (",", ".")
        try:
            return round(Decimal(plain.replace(thousands, "").replace(decimal, ".")), 6)
        except InvalidOperation as error:
            raise ValueError("what was spent is no number") from error

    def _count(self, text: str) -> int | None:
        digits = re.sub(r"[^0-9]", "", text)
        return int(digits) if 0 < len(digits) < 16 else None  # noqa: PLR2004 - fits a bigint

    def _values(self, name: str) -> Iterator[str]:
        for line in self._lines:
            if cell := self._cell(line, name):
                yield cell

    def _cell(self, line: Sequence[str], name: str) -> str:
        place = self._columns.get(name)
        found = line[place] if place is not None and place < len(line) else ""
        return found.replace("\x00", "").strip()


def _text(content: bytes) -> str:
    marked = content[:2] in {b"\xff\xfe", b"\xfe\xff"}
    try:
        return content.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _rows(text: str) -> list[list[str]]:
    head = "\n".join(text.splitlines()[:_HEAD_WITHIN])
    delimiter = max(_DELIMITERS, key=head.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise InvalidField(f"This is no CSV file: {error}.", field="file") from None


def _head(rows: Sequence[Sequence[str]]) -> tuple[int, dict[str, int]]:
    """Return the line of names, and where which column is."""
    for number, row in enumerate(rows[:_HEAD_WITHIN]):
        names = [_plain(re.sub(r"\(.*\)", "", cell)) for cell in row]
        columns = {
            name: next(names.index(alias) for alias in aliases if alias in names)
            for name, aliases in _COLUMNS.items()
            if any(alias in names for alias in aliases)
        }
        if "spent" in columns:
            return number, _complete(columns)
    raise InvalidField(
        'No column says what was spent: "Valor usado (BRL)", "Amount spent (BRL)" or "spend".',
        field="file",
    )


def _complete(columns: dict[str, int]) -> dict[str, int]:
    if "campaign" not in columns and "campaign_id" not in columns:
        raise InvalidField(
            'No column names campaigns: "Nome da campanha", "Campaign name" or "campaign".',
            field="file",
        )
    if "day" not in columns and "starts" not in columns:
        raise InvalidField(
            'No column says the day: "Dia", "Day" or "date". Export with the breakdown by day.',
            field="file",
        )
    return columns


def _plain(name: str) -> str:
    """Return a column's name without accents, case and what is around it."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in letters if not unicodedata.combining(char)).strip(" .\ufeff")


def _is_portuguese(names: Sequence[str]) -> bool:
    return any(_plain(name) in _PORTUGUESE for name in names)


def _day_first(days: Sequence[str], *, portuguese: bool) -> bool:
    """Tell whether 03/04 is the third of April: what is above twelve says so, or the language."""
    pairs = [re.match(r"(\d{1,2})[/.-](\d{1,2})[/.-]", day) for day in days]
    found = [(int(pair[1]), int(pair[2])) for pair in pairs if pair]
    if any(first > 12 for first, _ in found):  # noqa: PLR2004 - months
        return True
    if any(second > 12 for _, second in found):  # noqa: PLR2004 - months
        return False
    return portuguese


def _id(text: str) -> str:
    """Return an id; some exports put a letter and a colon before it."""
    return text.rpartition(":")[2].strip()
