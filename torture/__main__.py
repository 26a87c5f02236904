"""Load, faults drawn from a seed, a drain, the ledger. The last line is one JSON object."""

import argparse
import asyncio
import json
import random
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from torture.ledger import left, let_time_pass, look
from torture.load import ANSWER_S, Load
from torture.plan import SURE, Trouble, draw
from torture.stage import Stage, open_stage
from torture.torturer import Torturer
from torture.verdict import AtMeta, Verdict, judge

LONG_KILLS = 200
LONG_S = 1500.0
SHORT_KILLS = 12
SHORT_S = 30.0
DRAIN_S = 400.0
SHORT_DRAIN_S = 240.0
# So long the drain goes by itself; then the rest of its time is made to pass.
BY_ITSELF_S = 150.0
SHORT_BY_ITSELF_S = 3.0
POLL_S = 1.0
# How often time is made to pass. It ends leases, too: over SQS every one of them is then sent once
# more, and a stand-in that is still busy with the last round would never be done.
PASS_EVERY_S = {"postgres": 1.0, "sqs": 6.0}
START_S = 120.0
# Pause of visitors, seconds; the stand-in for SQS takes little, and less the more it holds.
PAUSE_S = {"postgres": 0.04, "sqs": 1.0}


@dataclass(frozen=True, slots=True)
class Run:
    """What was done and what was found."""

    torturer: Torturer
    verdict: Verdict
    problems: Sequence[str]  # sentences for people
    repeats: int  # sent again under the same event id: Meta drops those


async def _torture(seed: int, queue: str, *, short: bool) -> Run:
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
        await load.catch_up()
        await torturer.heal()
        load.stop()
        await loading
        print(
            f"draining: {load.heard.webhooks} webhooks and {len(load.heard.clicks)} clicks heard",
            flush=True,
        )
        await _drain(stage, PASS_EVERY_S[queue], short=short)
        spooled = stage.spooled()
        print(f"{spooled} page reports were kept while the database was away", flush=True)
        print(f"Meta answered {stage.meta.summary()['answers']}", flush=True)
        orders = AtMeta.of(
            (event.payload["custom_data"]["order_id"], event.event_id)
            for customer in stage.customers
            for event in customer.accepted()
        )
        verdict = judge(await look(stage.server.url), load.heard, orders, torturer.cursed)
        repeats = len(stage.meta.duplicates)
        problems = [*_undone(torturer, spooled, short=short), *verdict.problems]
        if problems:
            _keep_logs(stage, seed)
        return Run(torturer, verdict, problems, repeats)


def _undone(torturer: Torturer, spooled: int, *, short: bool) -> list[str]:
    """Name what the run should have done and has not: without it a verdict says little."""
    undone = [f"{one.value} was never done" for one in Trouble if not torturer.counts[one]]
    if not short and torturer.kills < LONG_KILLS:
        undone.append(f"only {torturer.kills} kills of {LONG_KILLS}")
    if not short and torturer.database_away and not spooled:
        undone.append("the database was away, and no page report was kept meanwhile")
    return undone


async def _follow_plan(
    torturer: Torturer, seed: int, lines: tuple[str, ...], *, short: bool
) -> None:
    kills, seconds = (SHORT_KILLS, SHORT_S) if short else (LONG_KILLS, LONG_S)
    began = told = time.monotonic()
    for number, step in enumerate(draw(seed, lines)):
        now = time.monotonic()
        if number >= SURE and (torturer.kills >= kills or now - began > seconds):
            break
        if now - told > 30:
            told = now
            print(f"{now - began:.0f} s: {torturer.kills} kills of {kills}", flush=True)
        await asyncio.sleep(step.pause_s)
        await torturer.do(step)


async def _drain(stage: Stage, pass_every_s: float, *, short: bool) -> None:
    by_itself_s, most_s = (SHORT_BY_ITSELF_S, SHORT_DRAIN_S) if short else (BY_ITSELF_S, DRAIN_S)
    began = time.monotonic()
    passes = began + by_itself_s
    while (now := time.monotonic()) - began < most_s:
        if await left(stage.server.url) == 0:
            return
        if now >= passes:
            # In the short form SQS has no time to hand out again what a dead worker held.
            await let_time_pass(stage.server.url, everything=short)
            passes = now + pass_every_s
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
    """Run once; exit status 1 when anything is wrong or was left undone."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))  # noqa: S311
    parser.add_argument("--queue", choices=sorted(PAUSE_S), default="postgres")
    parser.add_argument("--short", action="store_true", help="within two minutes")
    given = parser.parse_args()
    form = "short" if given.short else "long"
    print(f"seed {given.seed}, queue {given.queue}, {form} form", flush=True)
    run = asyncio.run(_torture(given.seed, given.queue, short=given.short))
    _tell(run)
    print(json.dumps({"seed": given.seed, "queue": given.queue, **_counted(run)}))
    return 1 if run.problems else 0


def _tell(run: Run) -> None:
    for problem in run.problems[:20]:
        print(f"PROBLEM: {problem}")
    if len(run.problems) > 20:
        print(f"and {len(run.problems) - 20} problems more")
    for trouble, number in sorted(run.torturer.counts.items()):
        print(f"{number:>5} {trouble.value}")
    reasons = ", ".join(f"{number} {one}" for one, number in sorted(run.verdict.reasons.items()))
    print(f"dead letters: {reasons or 'none'}")
    print(f"{run.repeats} repeats under the same event id")


def _counted(run: Run) -> dict[str, int]:
    kills = run.torturer.kills
    return {
        "kills": kills,
        "faults": run.torturer.counts.total() - kills,
        "acknowledged": run.verdict.acknowledged,
        "lost": run.verdict.lost,
        "duplicated": run.verdict.duplicated,
        "stuck": run.verdict.stuck,
        "miscounted": run.verdict.miscounted,
    }


if __name__ == "__main__":
    sys.exit(main())
