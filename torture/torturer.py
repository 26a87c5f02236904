"""Does what the plan says to a stage and its load."""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from tests.support.proxy import Line

from torture.load import Load
from torture.plan import KILLS, Step, Trouble
from torture.stage import Stage

# Older than Meta takes, and so that it becomes so within seconds (an hour is kept in reserve).
TOO_OLD = dt.timedelta(days=8)
NEARLY_TOO_OLD = dt.timedelta(days=7) - dt.timedelta(hours=1, seconds=4)
# A process that is just being started again can be killed a little later.
TRIES = 20
AGAIN_S = 0.1

_LINES = {
    Trouble.REFUSE: Line.REFUSES,
    Trouble.SILENCE: Line.SILENT,
    Trouble.SLOW: Line.SLOW,
}
_AGES = {Trouble.TOO_OLD: TOO_OLD, Trouble.NEARLY_TOO_OLD: NEARLY_TOO_OLD}
# While these last, the database is away.
_AWAY = frozenset({Trouble.KILL_DATABASE, Trouble.RESTART_DATABASE})
_AWAY_BY_LINE = frozenset({Trouble.REFUSE, Trouble.SILENCE})
# What a fault of Meta's is ordered with, besides how often and for whom. Pauses are of seconds.
_ORDERS: Mapping[str, Callable[[Step], dict[str, Any]]] = {
    "timeout": lambda step: {"seconds": step.seconds, "times": 1},
    "throttle_429": lambda step: {"retry_after": max(1, round(step.seconds))},
    "throttle_buc": lambda step: {"minutes": step.seconds / 60},
}


class Torturer:
    """Does what the plan says to a stage."""

    def __init__(self, stage: Stage, load: Load) -> None:
        self._stage = stage
        self._load = load
        self._lasting: set[asyncio.Task[None]] = set()
        self.counts: Counter[Trouble] = Counter()
        self.database_away = 0  # troubles that took the database away
        self.cursed: set[str] = set()

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return sum(self.counts[one] for one in KILLS)

    async def do(self, step: Step) -> None:
        """Make one trouble, as soon as there is somebody to make it for."""
        for _ in range(TRIES):
            if await self._do(step):
                self.counts[step.trouble] += 1
                by_line = step.trouble in _AWAY_BY_LINE and step.line == "database"
                self.database_away += by_line or step.trouble in _AWAY
                return
            await asyncio.sleep(AGAIN_S)

    async def heal(self) -> None:
        """Wait for what lasts, then make all well."""
        if self._lasting:
            await asyncio.wait(self._lasting)
        self._stage.heal()
        self._stage.meta.clear_faults()
        for event_id in self.cursed:
            self._stage.meta.script_fault("bad_event", times=None, event_id=event_id)

    async def _do(self, step: Step) -> bool:
        """Make a trouble; False when there was nobody to make it for."""
        stage, worker = self._stage, f"worker-{step.victim % 2}"
        match step.trouble:
            case Trouble.KILL_SERVER:
                return await stage.kill("server")
            case Trouble.KILL_WORKER:
                return await stage.kill(worker)
            case Trouble.KILL_DATABASE:
                return await stage.kill_database()
            case Trouble.RESTART_DATABASE:
                return await stage.restart_database()
            case Trouble.HANG_UP_DATABASE:
                await stage.hang_up_database()
            case Trouble.CUT:
                stage.lines[step.line].cut()
            case Trouble.FREEZE_WORKER:
                self._last(stage.freeze(worker, step.seconds))
            case Trouble.META:
                self._fault(step)
            case Trouble.CURSE:
                self._curse(step)
            case _:
                self._trouble_line_or_load(step)
        return True

    def _trouble_line_or_load(self, step: Step) -> None:
        if step.trouble in _LINES:
            line = _LINES[step.trouble]
            self._last(self._stage.trouble_line(step.line, line, step.seconds))
        else:
            self._load.odd.put_nowait(_AGES[step.trouble])

    def _fault(self, step: Step) -> None:
        pixel = self._stage.customers[step.victim % 3].pixel.pixel_id
        order: dict[str, Any] = {"times": step.times, "match": pixel}
        if step.fault in _ORDERS:
            order |= _ORDERS[step.fault](step)
        self._stage.meta.script_fault(step.fault, **order)

    def _curse(self, step: Step) -> None:
        # One to come, so that Meta has not taken it before.
        event_id = self._load.to_come(step.victim)
        self.cursed.add(event_id)
        self._stage.meta.script_fault("bad_event", times=None, event_id=event_id)

    def _last(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._lasting.add(task)
        task.add_done_callback(self._lasting.discard)
