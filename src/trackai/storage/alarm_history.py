"""Table alarm_history: what happened to alarms. Only added to, and kept for ninety days."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.model.alarm import REAL, Event, Standing, Subject
from trackai.model.clock import NewId
from trackai.storage.pool import Row, Tx, columns

# Some of it.
INSERT_HISTORY_ALL_TENANTS = """
insert into alarm_history (drill, at, tenant_id, id, alarm, name, event, state, value,
  incident_id, by)
select $1, $2, * from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[],
  $8::text[], $9::double precision[], $10::uuid[], $11::text[])
"""

# A tenant's, newest first.
LIST_HISTORY = """
select at, alarm, name, event, state, value, incident_id, by from alarm_history
where tenant_id = $1 and drill = $2 and ($3::text is null or alarm = $3)
order by at desc, id desc limit $4
"""

# Everybody's, newest first.
LIST_HISTORY_ALL_TENANTS = """
select tenant_id, at, alarm, name, event, state, value, incident_id, by from alarm_history
where drill = $1 and ($2::text is null or alarm = $2) order by at desc, id desc limit $3
"""

# What is over.
DELETE_OLD_ALL_TENANTS = "delete from alarm_history where at < $1"


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened to an alarm, and how it stood then."""

    subject: Subject
    event: Event
    standing: Standing
    by: str | None = None


async def insert_history_all_tenants(
    tx: Tx, happened: Sequence[Happened], *, now: dt.datetime, new_id: NewId, drill: UUID = REAL
) -> None:
    """Add what just happened, in this order."""
    # Of the same moment: sorted, for within a millisecond ids have no order.
    ids = sorted(new_id() for _ in happened)
    rows = [
        (
            *(one.subject.tenant_id, id_, one.subject.alarm, one.subject.name),
            *(one.event.value, one.standing.state.value, one.standing.value),
            *(one.standing.incident_id, one.by),
        )
        for id_, one in zip(ids, happened, strict=True)
    ]
    if rows:
        await tx.execute(INSERT_HISTORY_ALL_TENANTS, drill, now, *columns(rows))


async def list_history(
    tx: Tx, *, tenant_id: UUID, alarm: str | None = None, limit: int
) -> Sequence[Row]:
    """Return what happened to a tenant's alarms, newest first."""
    return await tx.fetch(LIST_HISTORY, tenant_id, REAL, alarm, limit)


async def list_history_all_tenants(
    tx: Tx, *, alarm: str | None = None, limit: int, drill: UUID = REAL
) -> Sequence[Row]:
    """Return what happened to everybody's alarms, newest first."""
    return await tx.fetch(LIST_HISTORY_ALL_TENANTS, drill, alarm, limit)


async def delete_old_all_tenants(tx: Tx, *, before: dt.datetime) -> int:
    """Delete what happened before a moment; return how many."""
    return await tx.execute(DELETE_OLD_ALL_TENANTS, before)
