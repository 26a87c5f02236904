"""The rollout under load: forward, back, and what became of everything that was acknowledged.

1. the previous release serves alone;
2. the schema is brought forward beneath it, by the new release's `pre` migrations;
3. both serve; 4. the new one alone;
5. back: both again, then the previous one alone, on the new schema, until nothing is left to do.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from torture.ledger import left, let_time_pass, look
from torture.load import ANSWER_S, Load
from torture.verdict import AtMeta, Verdict, judge

from trackai.storage.schema import current, revisions
from upgrade.stage import BAD, Release, Stage

# Sales that each stage of the rollout is to see.
SALES = 12
PAUSE_S = 0.08
POLL_S = 0.05
# Bounds of waiting, generous: machines are busy.
PATIENCE_S = 120.0
WORKED = frozenset({"receipt.processed", "delivery.attempted"})


@dataclass(frozen=True, slots=True)
class Report:
    """What was done and what was found."""

    migrated: str
    webhooks: int
    conversions: int
    accepted: int
    verdict: Verdict
    served: Counter[str]  # connections, by release
    worked: Counter[str]  # lines of work, by release
    problems: Sequence[str]

    def line(self) -> str:
        """Return it as one JSON object."""
        return json.dumps(
            {
                "webhooks": self.webhooks,
                "conversions": self.conversions,
                "accepted": self.accepted,
                "lost": self.verdict.lost,
                "duplicated": self.verdict.duplicated,
                "stuck": self.verdict.stuck,
                "miscounted": self.verdict.miscounted,
                "problems": len(self.problems),
                "served": self.served,
                "worked": self.worked,
            }
        )


async def roll(stage: Stage, seed: int) -> Report:
    """Roll out and back under load."""
    load = Load(stage.base, stage.customers, seed, PAUSE_S)
    old, new, turn_to = stage.previous, stage.current, stage.balancer.turn_to
    problems: list[str] = []
    await old.start()
    turn_to(previous=old.port)
    async with _session() as http, _loading(load, http):
        await _sell(load)
        migrated = await new.migrate()
        assert await current(stage.url) == revisions()[-1], "another release's code migrated"
        await _sell(load)
        await new.start()
        turn_to(previous=old.port, current=new.port)
        await _sell(load)
        turn_to(current=new.port)
        problems += await _stopped(old)
        await _sell(load)
        await old.start()
        turn_to(previous=old.port, current=new.port)
        await _sell(load)
        turn_to(previous=old.port)
        problems += await _stopped(new)
        await _sell(load)
    await _drain(stage.url)
    problems += await _stopped(old)
    return await _report(stage, load, migrated, problems)


@asynccontextmanager
async def _loading(load: Load, http: aiohttp.ClientSession) -> AsyncIterator[None]:
    """Let visitors come for the length of a block, and every platform be heard after it."""
    loading = asyncio.create_task(load.run(http))
    try:
        yield
        load.stop()
        await asyncio.wait_for(loading, PATIENCE_S)
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)


async def _sell(load: Load) -> None:
    wanted, deadline = len(load.heard.sales) + SALES, time.monotonic() + PATIENCE_S
    while len(load.heard.sales) < wanted:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(load.heard.sales)} of {wanted} sales were heard.")
        await asyncio.sleep(POLL_S)


async def _stopped(release: Release) -> list[str]:
    ended = await release.stop()
    return [f"{release.name}: a process ended with {code}" for code in ended if code]


async def _drain(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while await left(url) and time.monotonic() < deadline:
        await let_time_pass(url, everything=True)
        await asyncio.sleep(1)


async def _report(stage: Stage, load: Load, migrated: str, problems: list[str]) -> Report:
    orders = AtMeta.of(
        (event.payload["custom_data"]["order_id"], event.event_id)
        for customer in stage.customers
        for event in customer.accepted()
    )
    found = await look(stage.url)
    verdict = judge(found, load.heard, orders, frozenset())
    worked: Counter[str] = Counter()
    for release in (stage.previous, stage.current):
        for line in release.said():
            worked[release.name] += line.get("event") in WORKED
            if line.get("level") in BAD or "Traceback" in str(line.get("text", "")):
                problems.append(f"{release.name} said: {line}")
    accepted = sum(one.status == "accepted" for one in found.sales.values())
    return Report(
        *(migrated, load.heard.webhooks, len(found.sales), accepted, verdict),
        *(stage.balancer.served, worked, [*verdict.problems, *problems]),
    )


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=ANSWER_S),
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
    )
