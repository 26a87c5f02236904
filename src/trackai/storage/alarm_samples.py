"""Table alarm_samples: what processes say of themselves, and what a drill pretends to measure.

No tenant's. A drill's rows are told apart by its id, and only the drill asks for them.
"""

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from trackai.model.alarm import REAL, Metric
from trackai.storage.pool import Tx

# What one process measured at one time.
INSERT_SAMPLES_ALL_TENANTS = """
insert into alarm_samples (at, metric, process, drill, value)
select $1, metric, $2, $3, value
from unnest($4::text[], $5::double precision[]) as measured (metric, value)
"""

# Of each metric the worst of what processes said last; lower is worse where there is less left.
LOAD_LATEST_ALL_TENANTS = """
select metric, max(value) as highest, min(value) as lowest
from (
  select distinct on (process, metric) metric, value from alarm_samples
  where drill = $1 and at > $2 and at <= $3 order by process, metric, at desc
) latest group by metric
"""

# Those that are over.
DELETE_OLD_ALL_TENANTS = "delete from alarm_samples where at < $1"

# What a drill left.
DELETE_DRILL_ALL_TENANTS = "delete from alarm_samples where drill = $1 and drill <> $2"

_METRICS = {metric.value: metric for metric in Metric}
_LESS_IS_WORSE = frozenset({Metric.CERTIFICATE_DAYS_LEFT, Metric.TOKEN_HOURS_LEFT})
_LESS_IS_WORSE |= {Metric.WEBHOOK_SUCCESS_PERCENT}


async def insert_samples(
    tx: Tx, process: str, values: Mapping[Metric, float], *, at: dt.datetime, drill: UUID = REAL
) -> None:
    """Store what a process measured."""
    measured = ([metric.value for metric in values], list(values.values()))
    await tx.execute(INSERT_SAMPLES_ALL_TENANTS, at, process, drill, *measured)


async def load_latest_all_tenants(
    tx: Tx, *, since: dt.datetime, until: dt.datetime, drill: UUID = REAL
) -> dict[Metric, float]:
    """Return metric -> the worst of what each process said last in that time."""
    rows = await tx.fetch(LOAD_LATEST_ALL_TENANTS, drill, since, until)
    return {
        metric: row["lowest" if metric in _LESS_IS_WORSE else "highest"]
        for row in rows
        # A process of a newer release may say more.
        if (metric := _METRICS.get(row["metric"]))
    }


async def delete_old_all_tenants(tx: Tx, *, before: dt.datetime) -> int:
    """Delete samples from before a moment; return how many."""
    return await tx.execute(DELETE_OLD_ALL_TENANTS, before)


async def delete_drill_all_tenants(tx: Tx, *, drill: UUID) -> None:
    """Delete a drill's samples."""
    await tx.execute(DELETE_DRILL_ALL_TENANTS, drill, REAL)
