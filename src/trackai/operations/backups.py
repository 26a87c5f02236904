"""The doctor's look at backups: is there one, how old is it, was one ever restored."""

import datetime as dt
from collections.abc import Sequence

from trackai.operations.findings import Finding, Patient, State
from trackai.storage import backups
from trackai.storage.backups import Backup, Origin

# As the alarm has it: a backup a day, and two hours to make it.
OLD = dt.timedelta(hours=26)
# A backup that nobody has restored for so long is a hope.
UNTRIED = dt.timedelta(days=30)


async def backup(patient: Patient) -> list[Finding]:
    """Say how old the last good backup is, and whether one was restored for a try."""
    async with patient.database.transaction() as tx:
        known = await backups.list_backups(tx)
    if not known:
        return [_none(patient)]
    now = patient.clock.now()
    good = [one for one in known if one.refuted_at is None]
    findings = [_refuted(one) for one in known if one.refuted_at is not None]
    if good:
        findings.append(_age(good[0], now, production=patient.production))
    return findings + _tried(good, now)


def _none(patient: Patient) -> Finding:
    if patient.backups_elsewhere:
        to_do = "Have whatever makes them run: trackai backup note"
        return Finding("backup", State.WARNING, "made elsewhere, and nothing tells of them", to_do)
    if patient.vault is not None:
        to_do = "Make one: trackai backup run"
        return Finding("backup", State.WARNING, f"none yet in {patient.vault}", to_do)
    if not patient.production:
        return Finding("backup", State.OK, "none; in production there must be")
    to_do = "Set TRACKAI_BACKUP_TO: a directory, s3://bucket/prefix, or elsewhere."
    return Finding("backup", State.FAILED, "there is none, and nothing makes any", to_do)


def _age(newest: Backup, now: dt.datetime, *, production: bool) -> Finding:
    found = f"{newest.name}, of {newest.taken_at:%Y-%m-%d %H:%M} UTC"
    if now - newest.taken_at <= OLD:
        return Finding("backup", State.OK, found)
    to_do = "See: trackai jobs list; docs/runbooks/backup-old.md"
    state = State.FAILED if production else State.WARNING
    return Finding("backup", state, f"the last is {found}", to_do)


def _refuted(one: Backup) -> Finding:
    to_do = "Make another, and find out why: docs/runbooks/backup-old.md"
    return Finding("backup", State.FAILED, f"{one.name} could not be restored whole", to_do)


def _tried(good: Sequence[Backup], now: dt.datetime) -> list[Finding]:
    own = [one for one in good if one.origin is Origin.OWN]
    tried = [one.verified_at for one in own if one.verified_at is not None]
    if not own or (tried and now - max(tried) <= UNTRIED):
        return []
    found = "none was restored for a try" + (" lately" if tried else "")
    return [Finding("backup", State.WARNING, found, "Try the newest: trackai backup verify")]
