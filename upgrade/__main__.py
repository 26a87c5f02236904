"""Rolls out under load and prints what was found; the last line is one JSON object."""

import argparse
import asyncio
import sys
from pathlib import Path

from upgrade.fixture import make
from upgrade.release import PREVIOUS, NoHistory
from upgrade.rolling import Report, roll
from upgrade.stage import open_stage

SEED = 7


async def _roll(seed: int) -> Report:
    async with open_stage() as stage:
        return await roll(stage, seed)


def main() -> int:
    """Run once; exit status 1 when anything is wrong, 2 without the previous release."""
    parser = argparse.ArgumentParser(prog="python -m upgrade", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--fixture", type=Path, help="make the previous release's database instead")
    given = parser.parse_args()
    print(f"previous release: {PREVIOUS[:12]}", flush=True)
    try:
        if given.fixture:
            asyncio.run(make(given.fixture))
            return 0
        report = asyncio.run(_roll(given.seed))
    except NoHistory as error:
        print(error, file=sys.stderr)
        return 2
    for problem in report.problems[:20]:
        print(f"PROBLEM: {problem}")
    print(report.migrated.strip())
    print(report.line())
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
