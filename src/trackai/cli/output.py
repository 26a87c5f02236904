"""What commands print: a table for people, or with --json one JSON document for scripts."""

import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trackai.model.money import Money

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
TenantName = Annotated[
    str, typer.Argument(metavar="TENANT", help="Tenant, by id or by name when it is unique.")
]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="Most rows to print.")]

Row = Mapping[str, object]

# Wide enough for any row that this program prints into a pipe.
PIPE_COLUMNS = 1000


def show(rows: Sequence[Row], *, json: bool, empty: str) -> None:
    """Print rows as a table, or as a JSON array."""
    if json:
        write_json(rows)
    elif not rows:
        print(empty)
    elif _too_wide(rows):
        for number, row in enumerate(rows):
            print("" if number == 0 else "\n", end="")
            _print_lines(row)
    else:
        print_table(
            list(rows[0]), [[escape(_cell(value)) for value in row.values()] for row in rows]
        )


def print_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose cells are never cut: folded on a terminal, one line each in a pipe."""
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS).print(table)


def show_one(row: Row, *, json: bool) -> None:
    """Print one thing as lines of name and value, or as a JSON object."""
    if json:
        write_json(row)
    else:
        _print_lines(row)


def _too_wide(rows: Sequence[Row]) -> bool:
    """Whether a table of these would have to break its cells on this terminal.

    Ids that are broken over lines cannot be copied: then each row is printed as lines instead.
    """
    widths = [max(len(name), *(len(_cell(row[name])) for row in rows)) for name in rows[0]]
    return sys.stdout.isatty() and sum(widths) + len(widths) - 1 > Console().width


def _print_lines(row: Row) -> None:
    width = max(len(name) for name in row)
    for name, value in row.items():
        print(f"{name.replace('_', ' ').ljust(width)}  {_cell(value)}")


def write_json(value: object, *, indent: int = 0) -> None:
    """Print one JSON document, on one line unless it is indented."""
    document = msgspec.json.encode(value, enc_hook=_encode)
    print((msgspec.json.format(document, indent=indent) if indent else document).decode())


def money(amount_minor: object, currency: object) -> Money | None:
    """Return an amount: "19.90 BRL" in a table, amount_minor and currency in JSON."""
    if not isinstance(amount_minor, int) or not isinstance(currency, str):
        return None
    return Money(amount_minor, currency)


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case dt.datetime():
            return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        case bool():
            return "yes" if value else "no"
        case Money():
            return f"{value.major()} {value.currency}"
        case _:
            # What a stranger sent must not steer a terminal.
            text = str(value)
            return "".join(
                one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text
            )


def _encode(value: object) -> object:
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"cannot print a {type(value).__name__}")
