"""Which backups are let go, and which files of the vault with them."""

import datetime as dt

from trackai.backups.catalogue import FORMAT, Base, Listed, Manifest
from trackai.backups.upkeep import files_of, log_before, overdue, unfinished
from trackai.backups.vaults import Kept

NOW = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
WEEK = 7 * DAY


def made(name: str, age: dt.timedelta, *, first: str | None = None, system: str = "7") -> Listed:
    base = None if first is None else Base(system, first, NOW - age)
    at = NOW - age
    return Listed(
        name, Manifest(FORMAT, name, "0.1.0", at, at, 180006, "0001", [], [], [], base=base)
    )


def kept(*keys: str, age: dt.timedelta = dt.timedelta(0)) -> list[Kept]:
    return [Kept(key, 1, (NOW - age).timestamp()) for key in keys]


def test_what_is_older_than_a_week_goes() -> None:
    listed = [made("new", DAY), made("old", 8 * DAY), made("edge", WEEK)]

    assert ["old"] == overdue(listed, NOW - WEEK)


def test_the_newest_stays_however_old_it_is() -> None:
    assert ["older"] == overdue([made("old", 40 * DAY), made("older", 41 * DAY)], NOW - WEEK)


def test_the_newest_that_opens_stays_when_a_newer_one_does_not() -> None:
    listed = [Listed("newest", None, "damaged"), made("old", 40 * DAY)]

    assert [] == overdue(listed, NOW - WEEK)


def test_the_files_of_what_goes_are_its_own() -> None:
    files = kept("a/rows", "a/manifest", "ab/rows", "wal/7/a")

    assert ["a/rows", "a/manifest"] == files_of(files, ["a"])


def test_what_never_became_a_backup_goes_after_a_day() -> None:
    old = kept("half/rows", "whole/rows", "whole/manifest", "whole/base.7.draft", age=2 * DAY)
    fresh = kept("under-way/rows")

    assert ["half/rows", "whole/base.7.draft"] == unfinished([*old, *fresh], NOW - DAY)


def test_the_log_goes_up_to_the_oldest_base_that_stays() -> None:
    listed = [
        made("a", DAY, first="00000001000000000000000A"),
        made("b", DAY * 2, first="000000010000000000000008"),
    ]
    files = kept(
        "wal/7/000000010000000000000007",
        "wal/7/000000010000000000000008",
        "wal/7/000000020000000000000007",
        "wal/7/00000002.history",
        "wal/8/000000010000000000000001",
    )

    gone = log_before(files, listed)

    assert ["wal/7/000000010000000000000007", "wal/7/000000020000000000000007"] == gone


def test_nothing_of_the_log_goes_while_a_backup_does_not_open() -> None:
    listed = [made("a", DAY, first="00000001000000000000000A"), Listed("b", None, "damaged")]

    assert [] == log_before(kept("wal/7/000000010000000000000001"), listed)
