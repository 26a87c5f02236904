"""pgbench's single prepared INSERTs into the product's own table: a click a commit.

The row has the shape and the indexes of a click taken over HTTP, the keys grow as theirs do, and
the role and its row-level security are those of the edge. No HTTP, no parsing, a client in C: what
PostgreSQL gives to whoever commits one row at a time.
"""

import re
import subprocess
from uuid import UUID

from benchmarks.scratch import Scratch
from trackai.storage.pool import Role

# A click as benchmarks/ingest.py sends it, stored; the envelope's bytes are any.
SCRIPT = """
\\set n :n + 1
\\set id :run * 1000000000000 + :client_id * 10000000000 + :n
insert into clicks (tenant_id, click_id, received_at, client_time, funnel_id, fbclid, fbc, fbp,
  gclid, ttclid, utm_source, utm_medium, utm_campaign, utm_content, utm_term, page_url, referrer,
  visitor_sealed, day, keep_days)
values ('{tenant_id}', 'cBench' || :id::bigint::text, now(), now(), null,
  '{fbclid}' || :id::bigint::text, 'fb.1.1795435200000.{fbclid}' || :id::bigint::text,
  'fb.1.1795435200000.' || :id::bigint::text, null, null, 'facebook', 'cpc', 'cafe|120210001',
  'video-1|120210003', null, 'https://exemplo.com.br/curso', 'https://l.facebook.com/',
  decode(repeat('a7', {visitor_bytes}), 'hex'), (now() at time zone 'UTC')::date, 365)
on conflict do nothing;
"""
FBCLID = "IwAR0bEnchMarkBenchMarkBenchMarkBenchMarkBench"
VISITOR_BYTES = 176
_RATE = re.compile(rb"^tps = ([0-9.]+) ", re.MULTILINE)


class Pgbench:
    """Runs one after the other never make the same key."""

    def __init__(self, place: Scratch, tenant_id: UUID) -> None:
        self._place = place
        self._runs = 0
        self._script = place.directory / "click.pgbench"
        self._script.write_text(
            SCRIPT.format(tenant_id=tenant_id, fbclid=FBCLID, visitor_bytes=VISITOR_BYTES)
        )

    def run(self, seconds: float, *, clients: int) -> float:
        """Return transactions a second; pgbench takes whole seconds."""
        self._runs += 1
        done = subprocess.run(  # noqa: S603 - the wheel's own program
            [
                str(self._place.bin_dir / "pgbench"),
                *("--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=2"),
                *(f"--time={max(1, round(seconds))}", f"--file={self._script}"),
                *("--define=n=0", f"--define=run={self._runs}"),
                self._place.here.url,
            ],
            env={"PATH": "/usr/bin:/bin", "PGOPTIONS": f"-c role={Role.INGEST.value}"},
            capture_output=True,
            timeout=seconds + 30,
            check=False,
        )
        found = _RATE.search(done.stdout)
        if found is None:
            raise RuntimeError(f"pgbench failed: {done.stderr[-500:]!r}")
        return float(found[1])
