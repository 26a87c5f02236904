"""`trackai backup`: makes backups, shows them, restores them for a try and in earnest."""

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from trackai.backups import restoring
from trackai.backups.catalogue import Catalogue, Listed, Manifest
from trackai.backups.keeping import Keeper
from trackai.backups.opening import open_vault
from trackai.backups.restoring import Restored
from trackai.backups.wal import restore_until
from trackai.cli.following import note
from trackai.cli.installation import (
    Installation,
    envelope_of,
    open_all_tenants,
    open_installation,
    run,
)
from trackai.cli.output import Json, Row, show, show_one, write_json
from trackai.errors import BackupDamaged, ConfigurationError, TrackaiError
from trackai.model.clock import SystemClock
from trackai.settings import ELSEWHERE, Settings, load_settings
from trackai.storage import backups
from trackai.storage.backups import Backup, Origin
from trackai.storage.cluster import POINTER
from trackai.storage.pool import Role
from trackai.worker import keeper_of

# What a backup may be called elsewhere: names of snapshots and of files are shorter.
MOST_NAME = 255

app = typer.Typer(no_args_is_help=True, help="Backups of the database, and restoring them.")

Where = Annotated[
    str | None,
    typer.Option("--in", help="A directory or s3://bucket/prefix, in place of TRACKAI_BACKUP_TO."),
]
Name = Annotated[str | None, typer.Argument(help="A backup's name, from the list; the newest.")]


@app.command(name="run")
def run_(where: Where = None, json: Json = False) -> None:
    """Make a backup now, encrypted under TRACKAI_SECRET_KEY."""

    async def work() -> Manifest:
        async with _keeper(where) as keeper, keeper.catalogue() as catalogue:
            return await keeper.make(catalogue)

    made = run(work())
    show_one(_row(made), json=json)
    if not json:
        if made.base is None:
            note(f"No point in time can be reached from it: {_why_none(where)}")
        note("It counts once it was restored for a try: trackai backup verify")


@app.command(name="list")
def list_(where: Where = None, json: Json = False) -> None:
    """List backups, the newest first, and whether each was restored for a try."""

    async def work() -> list[Row]:
        settings = load_settings()
        if where is None and settings.vault is None:
            return [_told(one) for one in await _known(settings)]
        _need_key(settings)
        known = {one.name: one for one in await _known(settings)}
        async with open_vault(_vault(settings, where)) as vault:
            listed = await Catalogue(vault, envelope_of(settings)).backups()
        told = [one for one in known.values() if one.origin is Origin.ELSEWHERE]
        return [_listed(one, known.get(one.name)) for one in listed] + [_told(one) for one in told]

    show(run(work()), json=json, empty="There is none. Make one: trackai backup run")


@app.command()
def verify(
    name: Name = None,
    where: Where = None,
    scratch: Annotated[
        Path | None, typer.Option(help="Where the trial's server lives; TRACKAI_DATA_DIR.")
    ] = None,
    json: Json = False,
) -> None:
    """Restore a backup into a server of its own, compare every table, and delete that server.

    Exit status 1 when a table does not hold what it did.
    """

    async def work() -> Restored:
        async with _keeper(where, scratch) as keeper, keeper.catalogue() as catalogue:
            manifest = await _chosen(catalogue, name)
            return await keeper.try_out(catalogue, manifest)

    _show_restored(run(work()), json=json)


@app.command()
def restore(
    name: Name = None,
    where: Where = None,
    until: Annotated[
        str | None,
        typer.Option(help="A point in time, UTC (2026-11-29T12:00:00), or: end. Embedded only."),
    ] = None,
    json: Json = False,
) -> None:
    """Restore a backup into the database that the settings name, which must be empty.

    Nothing is ever overwritten: set TRACKAI_DATA_DIR to a new directory, or TRACKAI_DATABASE_URL to
    an empty database, and TRACKAI_SECRET_KEY to the key that the installation had. With --until the
    newest copy of the data directory before that time is taken, and the server's log played on it.
    """
    settings = load_settings()
    _need_key(settings)
    if until is not None:
        _restore_until(settings, _vault(settings, where), until, json=json)
        return

    async def work() -> Restored:
        async with (
            open_vault(_vault(settings, where)) as vault,
            open_installation(settings, migrated=False) as here,
        ):
            catalogue = Catalogue(vault, here.envelope)
            manifest = await _chosen(catalogue, name)
            restored = await restoring.restore(catalogue, manifest, here.url)
            if restored.proved and not restored.lacks:
                await _note_own(here, manifest)
            return restored

    restored = run(work())
    _show_restored(restored, json=json)
    if not json:
        if restored.lacks:
            note(f"{len(restored.lacks)} migrations are newer than the backup: trackai migrate")
        _say_what_next(f"{restored.manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC")


@app.command(name="note")
def note_(
    name: Annotated[str | None, typer.Argument(help="What it is called there.")] = None,
    taken_at: Annotated[
        dt.datetime | None, typer.Option(help="What came later is not in it, UTC; default: now.")
    ] = None,
    restored: Annotated[
        bool, typer.Option("--restored", help="It was restored for a try now, and all was there.")
    ] = False,
    json: Json = False,
) -> None:
    """Tell of a backup that something else has made, so that the alarm knows."""
    clock = SystemClock()
    at = taken_at.replace(tzinfo=dt.UTC) if taken_at else clock.now()
    told = Backup(name or f"elsewhere-{at:%Y%m%dT%H%M%SZ}", Origin.ELSEWHERE, at, clock.now())
    if at > clock.now():
        raise ConfigurationError("--taken-at is in the future; it is UTC.")
    if len(told.name) > MOST_NAME or not told.name.isprintable():
        raise ConfigurationError(f"A name has up to {MOST_NAME} letters, on one line.")

    async def work() -> bool:
        async with open_all_tenants() as tx:
            new = await backups.insert_backup(tx, told)
            known = {one.name: one.origin for one in await backups.list_backups(tx)}
            if known.get(told.name) is Origin.OWN:
                raise ConfigurationError("That one is ours: trackai backup verify tries it.")
            if restored:
                await backups.note_trial(tx, told.name, at=clock.now(), proved=True)
            return new

    show_one({"name": told.name, "taken_at": told.taken_at, "new": run(work())}, json=json)


def _vault(settings: Settings, where: str | None) -> str:
    found = where or settings.vault
    if found is not None:
        return found
    if settings.backup_to == ELSEWHERE:
        raise ConfigurationError(
            "TRACKAI_BACKUP_TO says that something else makes backups. Name a place with --in."
        )
    raise ConfigurationError(
        "No place for backups is named: set TRACKAI_BACKUP_TO to a directory or "
        "s3://bucket/prefix, or give one with --in."
    )


@asynccontextmanager
async def _keeper(where: str | None, scratch: Path | None = None) -> AsyncIterator[Keeper]:
    """Open the installation and what makes and tries its backups."""
    settings = load_settings()
    vault = _vault(settings, where)
    async with open_installation(settings) as here, here.database(Role.PIPELINE) as database:
        yield keeper_of(settings, here.url, vault, here.envelope, database, scratch)


def _why_none(where: str | None) -> str:
    """Say why a backup is of one moment alone."""
    if load_settings().database_url is not None:
        return (
            "this login does not reach the server's log. Amazon RDS has points in time of its own; "
            "for a server of yours archive its log (pgBackRest, WAL-G)."
        )
    if where is not None:
        return "the log of this server is taken to TRACKAI_BACKUP_TO alone."
    return "this server was started without TRACKAI_BACKUP_TO. Stop every trackai process once."


def _need_key(settings: Settings) -> None:
    """Make no key: what was sealed opens with the one that there was."""
    if settings.secret_key is None and not (settings.data_dir / "secret-key").exists():
        raise ConfigurationError(
            "Backups open with the key that the installation had: set TRACKAI_SECRET_KEY, or copy "
            f"the file secret-key of its data directory into {settings.data_dir}."
        )


async def _chosen(catalogue: Catalogue, name: str | None) -> Manifest:
    return await (catalogue.load(name) if name else catalogue.newest())


async def _known(settings: Settings) -> list[Backup]:
    """Return what the database knows of backups; nothing when there is no database any more.

    It is neither made nor migrated: a restore needs it empty.
    """
    home = settings.data_dir
    ours = (home / "postgres", home / POINTER)
    if settings.database_url is None and not any(one.exists() for one in ours):
        return []
    try:
        async with (
            open_installation(settings, migrated=False) as here,
            here.database(Role.PIPELINE) as database,
            database.transaction() as tx,
        ):
            return await backups.list_backups(tx)
    except (TrackaiError, ConfigurationError):
        return []


async def _note_own(here: Installation, manifest: Manifest) -> None:
    """Let the restored database know of the backup it came from."""
    known = Backup(
        *(manifest.name, Origin.OWN, manifest.taken_at, manifest.finished_at, manifest.bytes)
    )
    async with here.database(Role.PIPELINE) as database, database.transaction() as tx:
        await backups.insert_backup(tx, known)
        await backups.note_trial(tx, known.name, at=SystemClock().now(), proved=True)


def _row(made: Manifest) -> Row:
    return {
        "name": made.name,
        "taken_at": made.taken_at,
        "finished_at": made.finished_at,
        "bytes": made.bytes,
        "rows": made.rows,
        "tables": len(made.tables),
        "revision": made.revision,
        "server": made.server_version // 10_000,
        "point_in_time": made.base is not None,
    }


def _listed(one: Listed, known: Backup | None) -> Row:
    """Return a backup in the vault, with what the database knows of it."""
    made = one.manifest
    return {
        "name": one.name,
        "made": Origin.OWN.value,
        "taken_at": made.taken_at if made else None,
        "bytes": made.bytes if made else None,
        "rows": made.rows if made else None,
        "point_in_time": made.base is not None if made else None,
        "restored_for_a_try": _tried(known),
        "trouble": one.trouble,
    }


def _told(one: Backup) -> Row:
    return {
        "name": one.name,
        "made": one.origin.value,
        "taken_at": one.taken_at,
        "bytes": one.bytes,
        "rows": None,
        "point_in_time": None,
        "restored_for_a_try": _tried(one),
        "trouble": None,
    }


def _tried(known: Backup | None) -> object:
    if known is None:
        return None
    return "failed" if known.refuted_at is not None else known.verified_at


def _show_restored(restored: Restored, *, json: bool) -> None:
    """Print every table beside what it should hold; exit status 1 when one does not."""
    rows: Sequence[Row] = [
        {
            "table": one.table,
            "rows": one.found.rows if one.found else None,
            "in_the_backup": one.wanted.rows if one.wanted else None,
            "same": one.same,
        }
        for one in restored.tables
        if json or not one.same or (one.wanted and one.wanted.rows)
    ]
    made = restored.manifest
    if json:
        write_json({"name": made.name, "proved": restored.proved, "tables": rows})
    else:
        show(rows, json=False, empty="No table has any rows.")
        same = sum(one.same for one in restored.tables)
        print(f"\n{made.name}: {same} of {len(restored.tables)} tables hold what they did.")
    if not restored.proved:
        raise BackupDamaged(f"The backup {made.name} restores to something else than was saved.")


def _say_what_next(until: str) -> None:
    """Say what restoring does not do by itself."""
    note(
        f"What came after {until} is not there. People who were erased since, and tenants that "
        "were deleted, are back: erase and delete them again before anything is started."
    )
    note(
        "Then: trackai doctor, and docs/restore.md for what waits to be sent, before "
        "trackai worker is started."
    )


def _restore_until(settings: Settings, where: str, until: str, *, json: bool) -> None:
    """Make a new data directory of a copy and the server's log."""
    if settings.database_url is not None:
        raise ConfigurationError(
            "Points in time are for the embedded database: unset TRACKAI_DATABASE_URL. Amazon RDS "
            "has its own (docs/restore.md); a server of yours, what archives its log."
        )
    moment = None if until == "end" else _moment(until)

    async def work() -> Manifest:
        async with open_vault(where) as vault:
            catalogue = Catalogue(vault, envelope_of(settings))
            return await restore_until(catalogue, settings.data_dir, moment)

    began_from = run(work())
    row = {"data_directory": str(settings.data_dir), "until": until, "copy_of": began_from.name}
    show_one(row, json=json)
    if not json:
        _say_what_next(until if moment is None else f"{until} UTC")


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            "--until takes a time such as 2026-11-29T12:00:00 (UTC), or: end"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
