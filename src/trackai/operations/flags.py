"""Flags as the operator sees them: what was said, by whom and when, and what waits."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from trackai.model.alarm import INSTALLATION
from trackai.model.flag import EVERYBODY, NOBODY, Rule
from trackai.operations.findings import Finding, Patient, State
from trackai.storage.feature_flags import list_flags_all_tenants
from trackai.storage.held import HeldOfAll, count_held_all_tenants
from trackai.storage.pool import Tx


@dataclass(frozen=True, slots=True)
class FlagFacts:
    """A flag for everybody or for a tenant; of one that nobody set, who and when are None."""

    key: str
    owner: UUID | None  # None: everybody
    rule: Rule
    set_by: str | None
    set_at: dt.datetime | None
    held: int  # webhooks or events that wait for it, everybody's

    @property
    def state(self) -> str:
        """Return what it says in a word."""
        if self.rule.killed:
            return "off (kill switch)"
        known = {EVERYBODY: "on", NOBODY: "off"}
        return known.get(self.rule.percent, f"on for {self.rule.percent} %")

    @property
    def is_on(self) -> bool:
        """Return whether nothing is off by it."""
        return self.rule.percent == EVERYBODY and not self.rule.killed


async def load_flags(tx: Tx, known: Iterable[str]) -> list[FlagFacts]:
    """Return every flag there is, for everybody first, and what was said for single tenants."""
    held = {one.flag: one.number for one in await count_held_all_tenants(tx)}
    found = {(one.key, one.tenant_id): one for one in await list_flags_all_tenants(tx)}
    keys = sorted({*known, *(key for key, _ in found)})
    facts = []
    for key in keys:
        owners = sorted(owner for of, owner in found if of == key and owner != INSTALLATION)
        for owner in (INSTALLATION, *owners):
            said = found.get((key, owner))
            facts.append(
                FlagFacts(
                    key,
                    None if owner == INSTALLATION else owner,
                    said.rule if said else Rule(),
                    said.set_by if said else None,
                    said.set_at if said else None,
                    held.get(key, 0),
                )
            )
    return facts


async def flags(patient: Patient) -> list[Finding]:
    """Say what is off, since when, and what waits for it."""
    async with patient.database.transaction() as tx:
        facts = await load_flags(tx, ())
        waiting = await count_held_all_tenants(tx)
    findings = [_off(one) for one in facts if not one.is_on]
    findings += [_held(one) for one in waiting]
    return findings or [Finding("flags", State.OK, "everything is on")]


def _off(one: FlagFacts) -> Finding:
    whose = "everybody" if one.owner is None else f"tenant {one.owner}"
    since = f"since {one.set_at:%Y-%m-%d %H:%M} UTC, by {one.set_by}" if one.set_at else ""
    option = "" if one.owner is None else f" --tenant {one.owner}"
    return Finding(
        f"flag {one.key}",
        State.WARNING,
        f"{one.state} for {whose} {since}",
        f"When it may go on: trackai flags on {one.key}{option}",
    )


def _held(one: HeldOfAll) -> Finding:
    what = "webhooks" if one.of == "gateway" else "events"
    return Finding(
        f"waiting for {one.flag}",
        State.WARNING,
        f"{one.number} {what} of {one.tenants} tenants, "
        f"the oldest of {one.since:%Y-%m-%d %H:%M} UTC",
        "Events older than seven days cannot be sent any more; see: trackai flags list",
    )
