"""Finds the columns of a file of what ads cost: of Meta's Ads Manager, of Google Ads, of one's own.

Names as the exports of 2026 write them, in Portuguese and English. Pure.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trackai.analytics.ad_errors import BadAdFile

# Exports may say what they are of before the line of names.
_HEAD_WITHIN = 15
_DELIMITERS = ",;\t"

COLUMNS: Mapping[str, tuple[str, ...]] = {
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
    "spent": ("valor usado", "valor gasto", "amount spent", "spend", "spent", "custo", "cost"),
    "currency": ("moeda", "codigo da moeda", "currency", "currency code", "account_currency"),
    "impressions": ("impressoes", "impressions", "impr"),
    "clicks": ("cliques no link", "link clicks", "inline_link_clicks", "cliques", "clicks"),
}
# Whose values are written as in Brazil, unless they say otherwise.
_PORTUGUESE = frozenset(
    ("dia", "data", "inicio dos relatorios", "valor usado", "valor gasto", "custo")
)
_IN_BRACKETS = re.compile(r"\(([^()]*)\)\s*$")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The lines of a file below its names, and where which column is."""

    columns: Mapping[str, int]
    names: Sequence[str]
    lines: Sequence[tuple[int, Sequence[str]]]  # each with its place below the names, from 1

    def cell(self, line: Sequence[str], name: str) -> str:
        """Return a value without what is around it; '' for none."""
        place = self.columns.get(name)
        found = line[place] if place is not None and place < len(line) else ""
        plain = found.replace("\x00", "").strip()
        # Google's nothing.
        return "" if plain == "--" else plain

    def cells(self, *names: str) -> list[tuple[int, str]]:
        """Return all values of some columns, each with its row."""
        found = ((row, self.cell(line, name)) for row, line in self.lines for name in names)
        return [(row, text) for row, text in found if text]

    def is_portuguese(self, *names: str) -> bool:
        """Say whether one of these columns is named as in Brazil."""
        places = (self.columns[name] for name in names if name in self.columns)
        return any(_plain(self.names[place]) in _PORTUGUESE for place in places)

    def in_brackets(self, name: str) -> str:
        """Return what stands in brackets behind a column's name: a currency; '' for nothing."""
        found = _IN_BRACKETS.search(self.names[self.columns[name]])
        return found[1].strip() if found else ""


def read_sheet(text: str) -> Sheet:
    """Return a file's lines; InvalidField when it is no CSV file or lacks a column."""
    rows = _rows(text)
    for number, row in enumerate(rows[:_HEAD_WITHIN]):
        columns = _columns(row)
        if "spent" in columns:
            _refuse_incomplete(columns, row)
            below = enumerate(rows[number + 1 :], start=1)
            lines = [(place, line) for place, line in below if any(cell.strip() for cell in line)]
            return Sheet(columns, row, lines)
    raise BadAdFile(
        'No column says what was spent: "Valor usado (BRL)", "Amount spent (BRL)" or "spend".',
        "no_spent_column",
    )


def _rows(text: str) -> list[list[str]]:
    head = "\n".join(text.splitlines()[:_HEAD_WITHIN])
    delimiter = max(_DELIMITERS, key=lambda one: (_most_columns(head, one), head.count(one)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    line = 1
    try:
        for row in reader:
            rows.append(row)
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadAdFile(
            f"The file cannot be read from its line {line} on: is a quote there not closed?"
            f" ({error})",
            "broken_quote",
            line=line,
        ) from None
    return rows


def _most_columns(head: str, delimiter: str) -> int:
    """Return how many columns the best line names, if this is what parts them."""
    lines = (line.replace('"', "").split(delimiter) for line in head.split("\n"))
    return max((len(_columns(line)) for line in lines), default=0)


def _columns(row: Sequence[str]) -> dict[str, int]:
    names = [_plain(cell) for cell in row]
    return {
        name: next(names.index(alias) for alias in aliases if alias in names)
        for name, aliases in COLUMNS.items()
        if any(alias in names for alias in aliases)
    }


def _refuse_incomplete(columns: Mapping[str, int], row: Sequence[str]) -> None:
    if sum(_plain(cell) in COLUMNS["spent"] for cell in row) > 1:
        raise BadAdFile("Several columns say what was spent: leave one.", "several_spent")
    if "campaign" not in columns and "campaign_id" not in columns:
        raise BadAdFile(
            'No column names campaigns: "Nome da campanha", "Campaign name" or "campaign".',
            "no_campaign_column",
        )
    if "day" not in columns and "starts" not in columns:
        raise BadAdFile(
            'No column says the day: "Dia", "Day" or "date". Export with the breakdown by day.',
            "no_day_column",
        )


def _plain(name: str) -> str:
    """Return a column's name without accents, case, brackets and what is around it."""
    letters = unicodedata.normalize("NFKD", re.sub(r"\(.*\)", "", name).casefold())
    return "".join(one for one in letters if not unicodedata.combining(one)).strip(" .\ufeff")
