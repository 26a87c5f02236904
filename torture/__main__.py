"""Load, faults drawn from a seed, a drain, the ledger. The last line is one JSON object."""

import argparse
import asyncio
import datetime as dt
import json
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Coroutine

import aiohttp
from tests.support.proxy import Line

from torture.ledger import Verdict, judge, left, let_time_pass
from torture.load import ANSWER_S, Load
from torture.plan import KILLS, Step, Trouble, draw
from torture.stage import Stage, open_stage

LONG_KILLS = 200
LONG_S = 1500.0
SHORT_KILLS = 12
SHORT_S = 30.0
DRAIN_S = 400.0
SHORT_DRAIN_S = 60.0
# So long the drain goes by itself; then the rest of its time is made to pass.
BY_ITSELF_S = 150.0
SHORT_BY_ITSELF_S = 3.0
POLL_S = 1.0
START_S = 60.0
# Pause of visitors, seconds; the stand-in for SQS takes little, and less the more it holds.
PAUSE_S = {"postgres": 0.04, "sqs": 1.0}
# Older than Meta takes, and so that it becomes so within seconds (an hour is kept in reserve).
TOO_OLD = dt.timedelta(days=8)
NEARLY_TOO_OLD = dt.timedelta(days=7) - dt.timedelta(hours=1, seconds=-4)

_LINES = {
    Trouble.REFUSE: Line.REFUSES,
    Trouble.SILENCE: Line.SILENT,
    Trouble.SLOW: Line.SLOW,
}
_AGES = {Trouble.TOO_OLD: TOO_OLD, Trouble.NEARLY_TOO_OLD: NEARLY_TOO_OLD}


class Torturer:
    """Does what the plan says to a stage."""

    def __init__(self, stage: Stage, load: Load) -> None:
        self._stage = stage
        self._load = load
        self._lasting: set[asyncio.Task[None]] = set()
        self.counts: Counter[Trouble] = Counter()
        self.cursed: set[str] = set()

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return sum(self.counts[one] for one in KILLS)

    async def do(self, step: Step) -> None:
        """Make one trouble; those that last go on beside the next."""
        if await self._do(step):
            self.counts[step.trouble] += 1

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
            case Trouble.CURSE:
                return self._curse(step)
            case Trouble.RESTART_DATABASE:
                await stage.restart_database()
            case Trouble.HANG_UP_DATABASE:
                await stage.hang_up_database()
            case Trouble.CUT:
                stage.lines[step.line].cut()
            case Trouble.FREEZE_WORKER:
                self._last(stage.freeze(worker, step.seconds))
            case Trouble.META:
                self._fault(step)
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
        match step.fault:
            case "garbage":
                self._stage.meta.script_fault(
                    "error", times=step.times, match=pixel, code=2, status=502, transient=True
                )
            case "timeout":
                self._stage.meta.script_fault("timeout", match=pixel, seconds=step.seconds)
            case fault:
                self._stage.meta.script_fault(fault, times=step.times, match=pixel)

    def _curse(self, step: Step) -> bool:
        known = sorted(set(self._load.heard.sales) - self.cursed)
        if not known:
            return False
        event_id = known[step.victim % len(known)]
        self.cursed.add(event_id)
        self._stage.meta.script_fault("bad_event", times=None, event_id=event_id)
        return True

    def _last(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._lasting.add(task)
        task.add_done_callback(self._lasting.discard)


async def _torture(seed: int, queue: str, *, short: bool) -> tuple[Torturer, Verdict]:
    # Told to end, it ends what it started.
    loop = asyncio.get_running_loop()
    if (task := asyncio.current_task()) is not None:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    async with open_stage(queue) as stage, _session() as http:
        await _until_served(http, stage)
        load = Load(stage.base, stage.customers, seed, PAUSE_S[queue])
        torturer = Torturer(stage, load)
        loading = asyncio.create_task(load.run(http))
        await _follow_plan(torturer, seed, tuple(stage.lines), short=short)
        await torturer.heal()
        load.stop()
        await loading
        print(
            f"draining: {load.heard.webhooks} webhooks and {len(load.heard.clicks)} clicks heard",
            flush=True,
        )
        await _drain(stage, short=short)
        print(f"{stage.spooled()} page reports were heard while the database was away", flush=True)
        verdict = await judge(
            stage.server.url, load.heard, stage.customers, stage.meta, torturer.cursed
        )
        if verdict.problems:
            _keep_logs(stage, seed)
        return torturer, verdict


async def _follow_plan(
    torturer: Torturer, seed: int, lines: tuple[str, ...], *, short: bool
) -> None:
    kills, seconds = (SHORT_KILLS, SHORT_S) if short else (LONG_KILLS, LONG_S)
    began = told = time.monotonic()
    for step in draw(seed, lines):
        now = time.monotonic()
        if torturer.kills >= kills or now - began > seconds:
            break
        if now - told > 30:
            told = now
            print(f"{now - began:.0f} s: {torturer.kills} kills of {kills}", flush=True)
        await asyncio.sleep(step.pause_s)
        await torturer.do(step)


async def _drain(stage: Stage, *, short: bool) -> None:
    by_itself_s, most_s = (SHORT_BY_ITSELF_S, SHORT_DRAIN_S) if short else (BY_ITSELF_S, DRAIN_S)
    began = time.monotonic()
    while time.monotonic() - began < most_s:
        if await left(stage.server.url) == 0:
            return
        if time.monotonic() - began > by_itself_s:
            await let_time_pass(stage.server.url)
        await asyncio.sleep(POLL_S)


async def _until_served(http: aiohttp.ClientSession, stage: Stage) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            async with http.get(f"{stage.base}/readyz") as answer:
                if answer.status == 200:
                    return
        except (aiohttp.ClientError, OSError):
            pass
        await asyncio.sleep(0.1)
    raise TimeoutError(f"The server never came up: see {stage.directory}")


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=ANSWER_S),
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
    )


def _keep_logs(stage: Stage, seed: int) -> None:
    for path in stage.directory.glob("*.log"):
        kept = f"torture-{seed}-{path.name}"
        with open(kept, "wb") as file:  # noqa: PTH123
            file.write(path.read_bytes())
        print(f"kept: {kept}")


def main() -> int:
    """Run once; exit status 1 when anything was lost, sent under two ids, or is stuck."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))  # noqa: S311
    parser.add_argument("--queue", choices=sorted(PAUSE_S), default="postgres")
    parser.add_argument("--short", action="store_true", help="within two minutes")
    given = parser.parse_args()
    form = "short" if given.short else "long"
    print(f"seed {given.seed}, queue {given.queue}, {form} form", flush=True)
    torturer, verdict = asyncio.run(_torture(given.seed, given.queue, short=given.short))
    for problem in verdict.problems[:20]:
        print(f"PROBLEM: {problem}")
    for trouble, number in sorted(torturer.counts.items()):
        print(f"{number:>5} {trouble.value}")
    print(f"{verdict.dead} dead letters, {verdict.repeats} repeats under the same event id")
    found = {
        "seed": given.seed,
        "queue": given.queue,
        "kills": torturer.kills,
        "faults": sum(torturer.counts.values()) - torturer.kills,
        "acknowledged": verdict.acknowledged,
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "stuck": verdict.stuck,
    }
    print(json.dumps(found))
    return 1 if verdict.problems else 0


if __name__ == "__main__":
    sys.exit(main())
