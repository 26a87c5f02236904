"""Every alarm of 500 tenants looked at once: measured, decided, stored.

The tenants are made by statements: each with a pixel, four weeks of counts by the hour, webhooks of
the last hour, some without proof, and dead letters. The first look, which stores every alarm, is
not counted; of the others the slowest is told, for it is what a worker has to wait for.
"""

import time

import asyncpg

from benchmarks.figures import Figure, Size
from benchmarks.scratch import run_async, scratch
from trackai.alarms.catalogue import watched
from trackai.alarms.evaluator import Evaluator, Really, Watch
from trackai.model.clock import SystemClock, new_id
from trackai.storage.cluster import OWNER, SUPERUSER
from trackai.storage.pool import Database, Role

TENANTS, FEW = 500, 10
LOOKS = 10
# From here on it is no smoke run.
FULL_ROWS = 1_000_000

MANY = "create temp table many as select md5('t' || n)::uuid as id, n from generate_series(1, {}) n"
FILL = """
set session_replication_role = replica;
insert into tenants (id, name, site_key) select id, 'Loja ' || n, 'site' || n from many;
insert into destinations (tenant_id, id, kind, pixel_id, token_sealed)
select id, md5('pixel' || n)::uuid, 'meta', n::text, '' from many;
insert into token_checks (tenant_id, destination_id, due_at, valid, expires_at)
select id, md5('pixel' || n)::uuid, now(), true, now() + interval '60 days' from many;
insert into webhook_receipts (tenant_id, id, connection_id, gateway, received_at, digest,
  body_sealed, request_sealed, state, keep_days, day)
select id, md5(n || '-' || w)::uuid, id, 'kiwify', now() - w * interval '1 minute',
  decode(md5(n || '-' || w), 'hex'), '', '', 'processed', 365,
  ((now() - w * interval '1 minute') at time zone 'UTC')::date
from many cross join generate_series(1, 100) w;
insert into webhook_rejections (tenant_id, id, connection_id, gateway, received_at, expires_at,
  reason, body_sealed, request_sealed, keyless)
select id, md5(n || '-' || w)::uuid, id, 'kiwify', now() - w * interval '9 minutes',
  now() + interval '1 day', 'signature_mismatch', '', '', false
from many cross join generate_series(1, 5) w;
insert into rollup_sales (tenant_id, grain, at, funnel_id, gateway, status, strategy, currency,
  sales, gross_minor, refunded_minor)
select id, 'hour', date_trunc('hour', now()) - h * interval '1 hour', id, 'kiwify', 'approved',
  'click_id', 'BRL', 7, 1, 0
from many cross join generate_series(0, 24 * 29) h;
insert into rollup_totals
select id, 'hour', date_trunc('hour', now()) - h * interval '1 hour',
  '00000000-0000-0000-0000-000000000000', '', 'BRL', 9, 9, 0, 7, 6, 1, 0
from many cross join generate_series(0, 24 * 29) h;
insert into rollup_totals
select id, 'day', date_trunc('day', now()) - d * interval '1 day',
  '00000000-0000-0000-0000-000000000000', '', 'BRL', 200, 200, 0, 160, 140, 1, 0
from many cross join generate_series(0, 29) d;
insert into deliveries (tenant_id, id, conversion_id, destination_id, receipt_id, event_name,
  event_id, event_time, status, created_at, settled_at, received_at, funnel_id, gateway)
select id, md5(n || '-' || w)::uuid, id, md5('pixel' || n)::uuid, id, 'Purchase', w::text, now(),
  'dead', now(), now(), now(), id, 'kiwify'
from many cross join generate_series(1, 20) w;
analyze;
"""


def run(size: Size) -> list[Figure]:
    """Measure in a scratch installation."""
    tenants = TENANTS if size.rows >= FULL_ROWS else FEW
    with scratch() as place:
        run_async(_fill(place.here.url, tenants))
        seconds, alarms = run_async(_look(place.here.url))
    return [
        Figure(
            "alarms_500_tenants_s",
            max(seconds),
            f"every alarm of {tenants} tenants looked at once ({alarms} alarms), the slowest",
            at_most=1,
        )
    ]


async def _fill(url: str, tenants: int) -> None:
    # Triggers and foreign keys are off, which only a superuser may.
    connection = await asyncpg.connect(url.replace(f"//{OWNER}@", f"//{SUPERUSER}@"))
    try:
        await connection.execute(MANY.format(tenants))
        await connection.execute(FILL)
    finally:
        await connection.close()


async def _look(url: str) -> tuple[list[float], int]:
    alarms = watched(production=True)
    watch = Watch(alarms, Really(alarms, ["fold"]), "benchmark")
    seconds = []
    async with Database.opened(url, Role.PIPELINE, size=2) as database:
        evaluator = Evaluator(database, watch, SystemClock(), new_id)
        await evaluator.step()
        for _ in range(LOOKS):
            began = time.perf_counter()
            await evaluator.step()
            seconds.append(time.perf_counter() - began)
        async with database.transaction() as tx:
            (row,) = await tx.fetch("select count(*) as number from alarm_signals")
    return seconds, row["number"]
