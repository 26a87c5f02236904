"""Pages that show a tenant live: one look at the tables serves all, and they hear of changes.

Nobody who watches, nothing that is asked. However many tenants are watched, looking takes a small
share of the time: the more of them, the longer the pause before the next look. With fifty of them
in a process that is three seconds, with two hundred ten: each is looked at as row-level security
has it, by itself.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from trackai.analytics.recent import Recent, recent_of
from trackai.errors import TrackaiError, Unavailable
from trackai.model.clock import Clock
from trackai.storage import events
from trackai.storage.events import Place, Wanted
from trackai.storage.pool import Database, Row, Tx
from trackai.telemetry.metrics import LIVE_LOOKS, LIVE_PAGES

SHOWN = 25
SINCE = dt.timedelta(hours=24)
LOOK_EVERY_S, LONGEST_PAUSE_S = 1.0, 10.0
# What looking may take of the time, and what one look takes of a core, server and database
# together (measured: 3.3 ms). One that took longer waited for others, which is no reason to pause.
SHARE = 0.05
LOOK_S = 0.003
# Of one process; each holds a connection of a browser.
MOST_PAGES = 500


@dataclass(frozen=True, slots=True)
class View:
    """What a tenant's live pages show: its newest events, and the last minutes in numbers."""

    number: int  # rises with every change
    rows: Sequence[Row]
    recent: Recent
    # As it was drawn, by language: all who read it are sent the same.
    drawn: dict[str, str] = field(default_factory=dict)


async def view_of(tx: Tx, *, tenant_id: UUID, now: dt.datetime, number: int = 0) -> View:
    """Look at what a tenant's live pages show."""
    newest = Place.before(now + dt.timedelta(minutes=1))
    page = await events.list_events(
        tx, Wanted(now - SINCE), newest, tenant_id=tenant_id, limit=SHOWN
    )
    return View(number, page.rows, await recent_of(tx, tenant_id=tenant_id, now=now))


def pause_after(took_s: float, tenants: int) -> float:
    """Return how long to pause after looking at so many tenants, which took so long."""
    worked_s = min(took_s, tenants * LOOK_S)
    return min(max(LOOK_EVERY_S - took_s, worked_s / SHARE), LONGEST_PAUSE_S)


class Room:
    """All pages of one tenant."""

    def __init__(self) -> None:
        self.pages = 0
        self.view: View | None = None
        self._changed = asyncio.Event()

    def show(self, view: View) -> None:
        """Let all pages see this."""
        self.view = view
        self.wake()

    def wake(self) -> None:
        """Let all who wait look whether there is something new."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def after(self, number: int, *, timeout_s: float) -> View | None:
        """Return what is newer than what a page shows; None when nothing changed for so long."""
        if self.view is None or self.view.number <= number:
            changed = self._changed
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await changed.wait()
        return self.view if self.view is not None and self.view.number > number else None


class Watch:
    """Looks while somebody watches."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._rooms: dict[UUID, Room] = {}
        self._pages = 0
        self._task: asyncio.Task[None] | None = None
        self.over = False

    def check_room(self) -> None:
        """Unavailable when no further page can watch."""
        if self.over or self._pages >= MOST_PAGES:
            raise Unavailable("Too many live pages are open. Try again in a minute.")

    @contextmanager
    def watching(self, tenant_id: UUID) -> Iterator[Room]:
        """Watch a tenant for the length of a block."""
        room = self._rooms.setdefault(tenant_id, Room())
        room.pages += 1
        self._count(1)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="live")
        try:
            yield room
        finally:
            self._count(-1)
            room.pages -= 1
            if room.pages == 0:
                del self._rooms[tenant_id]

    def end(self) -> None:
        """Send all pages away: this process ends. They come back to the next one."""
        self.over = True
        for room in self._rooms.values():
            room.wake()

    def _count(self, more: int) -> None:
        self._pages += more
        LIVE_PAGES.set(self._pages)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._rooms and not self.over:
            began = loop.time()
            for tenant_id, room in [*self._rooms.items()]:
                await self._look(tenant_id, room)
            await asyncio.sleep(pause_after(loop.time() - began, len(self._rooms)))

    async def _look(self, tenant_id: UUID, room: Room) -> None:
        before = room.view
        number = before.number + 1 if before else 1
        try:
            async with self._database.transaction(tenant_id=tenant_id) as tx:
                found = await view_of(tx, tenant_id=tenant_id, now=self._clock.now(), number=number)
        except TrackaiError:
            # The pages keep what they show; the next look comes soon.
            LIVE_LOOKS.labels("failed").inc()
            return
        if before and (before.rows, before.recent) == (found.rows, found.recent):
            LIVE_LOOKS.labels("same").inc()
            return
        LIVE_LOOKS.labels("changed").inc()
        room.show(found)
