"""Partitions of the bulk tables: made ahead, dropped when their time is over.

The functions behind it (migration 0013) own the tables, and refuse whatever is not that.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from trackai.storage.pool import Tx

# How long things done to a tenant's things are kept, whatever the tenant keeps.
AUDIT_KEEP_DAYS = 730
# Tables whose rows are kept as long as their tenant says.
OF_TENANTS = ("clicks", "page_events", "webhook_receipts", "dispatch_attempts")
AUDIT = "audit_logs"

# Every partition of these tables that has a first day in its name.
LIST_PARTITIONS = """
select split.parts[1] as bulk, split.parts[2]::smallint as keep_days,
  to_date(split.parts[3], 'YYYYMMDD') as starts
from pg_class c, regexp_match(c.relname, '^([a-z_]+)_([0-9]+)_([0-9]{8})$') as split (parts)
where c.relnamespace = 'public'::regnamespace and c.relispartition and split.parts is not null
order by 1, 2, 3
"""

# Classes that tenants have now.
LIST_CLASSES_ALL_TENANTS = """
select distinct keep_days from tenants where deleted_at is null order by keep_days
"""

# Days of rows that came before their partition did.
LIST_REST_DAYS = "select trackai_rest_days($1, $2::smallint) as day"

# A partition for some days, with the rows of those days that are there already.
MAKE_PARTITION = "select trackai_make_partition($1, $2::smallint, $3, $4) as made"

# A partition whose rows nobody keeps any more.
DROP_PARTITION = "select trackai_drop_partition($1, $2::smallint, $3) as dropped"


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """Rows of one table and class, from a day on."""

    bulk: str
    keep_days: int
    starts: dt.date


async def list_partitions(tx: Tx) -> list[Partition]:
    """Return all partitions that are there."""
    return [Partition(**dict(row)) for row in await tx.fetch(LIST_PARTITIONS)]


async def list_classes_all_tenants(tx: Tx) -> list[int]:
    """Return how long tenants keep their rows, each length once, in days."""
    return [row["keep_days"] for row in await tx.fetch(LIST_CLASSES_ALL_TENANTS)]


async def list_rest_days(tx: Tx, bulk: str, keep_days: int) -> Sequence[dt.date]:
    """Return days of rows that stand in no partition of their own, at most 1000."""
    return [row["day"] for row in await tx.fetch(LIST_REST_DAYS, bulk, keep_days)]


async def make_partition(tx: Tx, partition: Partition, *, ends: dt.date) -> bool:
    """Make a partition up to a day; False when it is there. StorageUnavailable: tables are busy."""
    named = (partition.bulk, partition.keep_days, partition.starts, ends)
    (row,) = await tx.fetch(MAKE_PARTITION, *named)
    made: bool = row["made"]
    return made


async def drop_partition(tx: Tx, partition: Partition) -> bool:
    """Drop a partition; StatementRefused while its rows are kept, by the database's own clock."""
    named = (partition.bulk, partition.keep_days, partition.starts)
    (row,) = await tx.fetch(DROP_PARTITION, *named)
    dropped: bool = row["dropped"]
    return dropped
