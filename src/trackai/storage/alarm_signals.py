"""Table alarm_signals: how alarms stand. Written by one evaluator at a time, in one statement."""

import datetime as dt
from collections.abc import Mapping, Sequence
from uuid import UUID

from trackai.model.alarm import REAL, Standing, State, Subject
from trackai.storage.pool import Row, Tx, columns

_COLUMNS = """tenant_id, alarm, name, state, since, value, bad_since, good_since, incident_id,
  fired_at, called_at, call_key, acknowledged_at, acknowledged_by, acknowledge_called,
  own_call_key"""

# One evaluates at a time; whoever else comes leaves it to them. A drill has its own.
TRY_LOCK_ALL_TENANTS = """
select pg_try_advisory_xact_lock(hashtext('trackai alarms'), hashtext($1::uuid::text)) as mine
"""

# All of them.
LOAD_SIGNALS_ALL_TENANTS = f"""
select {_COLUMNS} from alarm_signals where drill = $1
"""  # noqa: S608 - constant

# How those that changed stand now. Who has an incident is not forgotten while it lasts.
SAVE_SIGNALS_ALL_TENANTS = f"""
insert into alarm_signals as s (drill, {_COLUMNS})
select $1, * from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
  $7::double precision[], $8::timestamptz[], $9::timestamptz[], $10::uuid[], $11::timestamptz[],
  $12::timestamptz[], $13::text[], $14::timestamptz[], $15::text[], $16::boolean[],
  $17::text[])
on conflict (tenant_id, drill, alarm, name) do update
set state = excluded.state, since = excluded.since, value = excluded.value,
  bad_since = excluded.bad_since, good_since = excluded.good_since,
  incident_id = excluded.incident_id, fired_at = excluded.fired_at,
  called_at = excluded.called_at, call_key = excluded.call_key,
  acknowledged_at = case when s.incident_id = excluded.incident_id then s.acknowledged_at end,
  acknowledged_by = case when s.incident_id = excluded.incident_id then s.acknowledged_by end,
  acknowledge_called = excluded.acknowledge_called, own_call_key = excluded.own_call_key
"""  # noqa: S608 - constant

# What these are about is no more.
DELETE_SIGNALS_ALL_TENANTS = """
delete from alarm_signals s
using unnest($2::uuid[], $3::text[], $4::text[]) as gone (tenant_id, alarm, name)
where s.drill = $1 and s.tenant_id = gone.tenant_id and s.alarm = gone.alarm
  and s.name = gone.name
"""

# A drill's.
DELETE_DRILL_ALL_TENANTS = "delete from alarm_signals where drill = $1 and drill <> $2"

# Those of drills that were killed before they could take theirs away.
DELETE_LEFT_ALL_TENANTS = "delete from alarm_signals where drill <> $1 and since < $2"

# A tenant's, the worst first.
LIST_SIGNALS = f"""
select {_COLUMNS} from alarm_signals
where tenant_id = $1 and drill = $2
order by array_position(array['alarm', 'pending', 'no_data', 'ok'], state), since desc, alarm, name
"""  # noqa: S608 - constant

# Everybody's that are not well.
LIST_UNWELL_ALL_TENANTS = f"""
select {_COLUMNS} from alarm_signals
where drill = $1 and state <> 'ok' and (state <> 'no_data' or incident_id is not null or $2)
order by array_position(array['alarm', 'pending', 'no_data', 'ok'], state), since desc, alarm, name
"""  # noqa: S608 - constant

# How many stand how, by alarm.
COUNT_SIGNALS_ALL_TENANTS = """
select alarm, state, count(*) as number, max(since) as since from alarm_signals
where drill = $1 group by alarm, state
"""

# Somebody has an incident that goes on and that nobody had.
ACKNOWLEDGE_SIGNAL = f"""
update alarm_signals set acknowledged_at = $5, acknowledged_by = $6
where tenant_id = $1 and drill = $2 and alarm = $3 and name = $4 and incident_id is not null
  and acknowledged_at is null
returning {_COLUMNS}
"""  # noqa: S608 - constant

Standings = dict[Subject, Standing]


async def try_lock_all_tenants(tx: Tx, *, drill: UUID = REAL) -> bool:
    """Keep everybody else from evaluating until the commit; False when somebody does."""
    row = await tx.fetch_one(TRY_LOCK_ALL_TENANTS, drill)
    return bool(row and row["mine"])


async def load_signals_all_tenants(tx: Tx, *, drill: UUID = REAL) -> Standings:
    """Return how every alarm stands that was ever evaluated."""
    return standings_of(await tx.fetch(LOAD_SIGNALS_ALL_TENANTS, drill))


async def save_signals_all_tenants(
    tx: Tx, changed: Mapping[Subject, Standing], *, drill: UUID = REAL
) -> None:
    """Store how these stand."""
    rows = [
        (
            *(subject.tenant_id, subject.alarm, subject.name, one.state.value, one.since),
            *(one.value, one.bad_since, one.good_since, one.incident_id, one.fired_at),
            *(one.called_at, one.call_key, one.acknowledged_at, one.acknowledged_by),
            *(one.acknowledge_called, one.own_call_key),
        )
        for subject, one in sorted(changed.items(), key=lambda pair: pair[0])
    ]
    if rows:
        await tx.execute(SAVE_SIGNALS_ALL_TENANTS, drill, *columns(rows))


async def delete_signals_all_tenants(
    tx: Tx, gone: Sequence[Subject], *, drill: UUID = REAL
) -> None:
    """Forget alarms of what is no more."""
    rows = [(one.tenant_id, one.alarm, one.name) for one in gone]
    if rows:
        await tx.execute(DELETE_SIGNALS_ALL_TENANTS, drill, *columns(rows))


async def delete_drill_all_tenants(tx: Tx, *, drill: UUID) -> None:
    """Forget a drill."""
    await tx.execute(DELETE_DRILL_ALL_TENANTS, drill, REAL)


async def delete_left_all_tenants(tx: Tx, *, before: dt.datetime) -> int:
    """Forget drills from before a moment; return of how many alarms."""
    return await tx.execute(DELETE_LEFT_ALL_TENANTS, REAL, before)


async def list_signals(tx: Tx, *, tenant_id: UUID) -> Standings:
    """Return how a tenant's alarms stand, the worst first."""
    return standings_of(await tx.fetch(LIST_SIGNALS, tenant_id, REAL))


async def list_unwell_all_tenants(tx: Tx, *, unknown: bool = False) -> Standings:
    """Return everybody's alarms that are not well, the worst first; `unknown`: NO DATA as well."""
    return standings_of(await tx.fetch(LIST_UNWELL_ALL_TENANTS, REAL, unknown))


async def count_signals_all_tenants(tx: Tx) -> list[tuple[str, State, int, dt.datetime]]:
    """Return (alarm, state, how many, when the last came to it)."""
    rows = await tx.fetch(COUNT_SIGNALS_ALL_TENANTS, REAL)
    return [(row["alarm"], State(row["state"]), row["number"], row["since"]) for row in rows]


async def acknowledge_signal(
    tx: Tx, subject: Subject, *, now: dt.datetime, by: str, drill: UUID = REAL
) -> Standing | None:
    """Note who has an incident; None when there is none, or somebody has it."""
    where = (subject.tenant_id, drill, subject.alarm, subject.name)
    row = await tx.fetch_one(ACKNOWLEDGE_SIGNAL, *where, now, by)
    return _standing(row) if row else None


def standings_of(rows: Sequence[Row]) -> Standings:
    """Return what rows of this table say."""
    return {Subject(row["tenant_id"], row["alarm"], row["name"]): _standing(row) for row in rows}


def _standing(row: Row) -> Standing:
    # By position: there are thousands, four times a minute.
    _, _, _, state, *rest = row.values()
    return Standing(State(state), *rest)
