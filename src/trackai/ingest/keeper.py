"""Keeps page reports that the database cannot take, and brings them in when it is back.

An outage ends only when everything kept is in: so the database has a page's reports in the order
in which they came, and a sale finds the click that came before it. Bringing in twice, after a
crash, changes nothing: a report has its id.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import msgspec

from trackai.errors import InvariantBroken, StorageUnavailable
from trackai.ingest.outage import Reach
from trackai.ingest.spool import Spool, read_segment
from trackai.model.click import Click, PageEvent
from trackai.storage.clicks import insert_clicks
from trackai.storage.envelope import Envelope
from trackai.storage.page_events import insert_page_events
from trackai.storage.tenant_keys import know
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import SPOOL_BYTES, SPOOLED

Report = Click | PageEvent

# How often the database is asked whether it is back, and what others left behind is looked for.
PROBE_EVERY_S = 0.5
LOOK_EVERY_S = 30.0
# How long, and how often, to look whether other processes have brought in theirs.
OTHERS_S = 10.0
LOOK_AT_OTHERS_S = 0.05
# Reports brought in by one transaction.
BATCH = 1000
_TABLE = "spool"
_UUID_BYTES = 16


class _Record(msgspec.Struct, array_like=True):
    click: Click | None = None
    page_event: PageEvent | None = None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Record)


class Keeper:
    """The spool of this process, and the task that empties it. Without a spool it only probes."""

    def __init__(self, reach: Reach, envelope: Envelope, spool: Spool | None) -> None:
        self._reach = reach
        self._envelope = envelope
        self._spool = spool
        self._disk = asyncio.Lock()
        self._on_their_way = 0

    async def keep(self, reports: Sequence[Report]) -> None:
        """Write reports to the disk; StorageUnavailable or SpoolFull when they cannot be kept.

        Whatever they are kept for, it is an outage until they are stored.
        """
        if self._spool is None:
            raise StorageUnavailable("The database is away.", retry_after_s=2.0)
        records = [self._sealed(report) for report in reports]
        self._reach.begin_outage("page reports could not be stored")
        self._on_their_way += 1
        try:
            async with self._disk:
                await asyncio.to_thread(self._spool.append, records)
        finally:
            self._on_their_way -= 1
        SPOOLED.labels("kept").inc(len(reports))
        SPOOL_BYTES.inc(sum(map(len, records)))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look after the database for the length of a block; first bring in what is left."""
        if self._spool is not None and self._spool.segments():
            self._reach.begin_outage("reports of an earlier outage are brought in first")
        task = asyncio.create_task(self._run(), name="keeper")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            if self._spool is not None:
                self._spool.close()

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._reach.wait_gone()
            try:
                await self._bring_in()
                self._reach.end_outage()
            except StorageUnavailable:
                await asyncio.sleep(PROBE_EVERY_S)
            except Exception:  # noqa: BLE001 - a defect must not end the only one who looks
                get_logger().exception("keeper.failed")
                await asyncio.sleep(PROBE_EVERY_S)

    async def _bring_in(self) -> None:
        """Store everything kept; returns with nothing left, and no await after that was seen."""
        async with self._reach.probing() as tx:
            await tx.fetch("select 1")
        if self._spool is None:
            return
        others = self._spool.foreign_segments()
        give_up_at = time.monotonic() + OTHERS_S
        while True:
            segments = await self._segments(self._spool)
            for segment in segments:
                await self._load(self._spool, segment)
            if segments or self._on_their_way:
                continue
            # A sale that this process takes next may need a click that another one kept.
            others &= self._spool.foreign_segments()
            if not others or time.monotonic() > give_up_at:
                return
            await asyncio.sleep(LOOK_AT_OTHERS_S)

    async def _segments(self, spool: Spool) -> list[Path]:
        async with self._disk:
            spool.end_segment()
            return spool.segments()

    async def _load(self, spool: Spool, segment: Path) -> None:
        began = time.monotonic()
        try:
            records, damaged = await asyncio.to_thread(read_segment, segment)
        except OSError as error:  # what cannot be read must not keep everybody waiting
            self._put_aside(spool, segment, error)
            return
        refused = list(damaged)
        for start in range(0, len(records), BATCH):
            refused += await self._store(records[start : start + BATCH])
        if refused:
            try:
                aside = await asyncio.to_thread(spool.set_aside, segment, refused)
            except OSError as error:  # a full disk: the whole of it stays then
                self._put_aside(spool, segment, error)
                return
            get_logger().error("spool.set_aside", reports=len(refused), file=aside.name)
            SPOOLED.labels("set_aside").inc(len(refused))
        spool.remove(segment)
        SPOOL_BYTES.set(spool.size_bytes)
        stored = len(records) - len(refused) + len(damaged)
        SPOOLED.labels("stored").inc(stored)
        seconds = round(time.monotonic() - began, 3)
        get_logger().info("spool.stored", reports=stored, seconds=seconds)

    def _put_aside(self, spool: Spool, segment: Path, error: OSError) -> None:
        aside = spool.put_aside(segment)
        get_logger().error("spool.set_aside", file=aside.name, reason=type(error).__name__)
        SPOOLED.labels("set_aside").inc()

    async def _store(self, records: Sequence[bytes]) -> list[bytes]:
        """Store records; return those that cannot be, ever."""
        try:
            async with self._reach.probing() as tx:
                await know(tx, self._envelope, map(_tenant_of, records))
            reports = [self._opened(record) for record in records]
            clicks = [report for report in reports if isinstance(report, Click)]
            events = [report for report in reports if isinstance(report, PageEvent)]
            async with self._reach.probing() as tx:
                if clicks:
                    await insert_clicks(tx, self._envelope, sorted(clicks, key=_click_key))
                if events:
                    await insert_page_events(tx, self._envelope, sorted(events, key=_event_key))
        except (InvariantBroken, msgspec.DecodeError, ValueError):
            if len(records) == 1:
                return list(records)
            middle = len(records) // 2
            return [*await self._store(records[:middle]), *await self._store(records[middle:])]
        return []

    def _sealed(self, report: Report) -> bytes:
        record = _Record(click=report) if isinstance(report, Click) else _Record(page_event=report)
        sealed = self._envelope.seal(
            _ENCODER.encode(record), table=_TABLE, tenant_id=report.tenant_id
        )
        return report.tenant_id.bytes + sealed

    def _opened(self, record: bytes) -> Report:
        tenant_id = _tenant_of(record)
        opened = self._envelope.open(record[_UUID_BYTES:], table=_TABLE, tenant_id=tenant_id)
        found = _DECODER.decode(opened)
        report = found.click or found.page_event
        if report is None:
            raise ValueError("a record without a report")
        return report


def _tenant_of(record: bytes) -> UUID:
    return UUID(bytes=record[:_UUID_BYTES])


# Writers that insert the same keys in different orders would deadlock.


def _click_key(click: Click) -> tuple[str, UUID]:
    return click.click_id, click.tenant_id


def _event_key(event: PageEvent) -> tuple[str, str, UUID]:
    return event.event_key, event.kind, event.tenant_id
