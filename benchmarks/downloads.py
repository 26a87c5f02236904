"""What a download takes of a server's memory: all rows of a month, against those of one day.

The process is told to forget its peak, streams a file that nobody keeps, and is asked for its peak.
"""

from dataclasses import dataclass
from pathlib import Path

import aiohttp

from benchmarks.figures import Figure

# The same file several times: memory that grows from one to the next would show.
TIMES = 3
_FORGET_PEAK = "5"
_KB_A_MB = 1024


@dataclass(frozen=True, slots=True)
class Download:
    """What came, and how much more memory the server held while it did."""

    lines: int
    megabytes: float


async def downloads(http: aiohttp.ClientSession, pid: int) -> list[Figure]:
    """Download a day, a month and the month again from a server."""
    await _download(http, pid, "24h")  # what a process holds once it has done it
    day = await _download(http, pid, "24h")
    month = [await _download(http, pid, "30d") for _ in range(TIMES)]
    return [
        Figure(
            "download_mb",
            max(one.megabytes for one in month),
            f"memory that {month[0].lines:,} rows of a month take, downloaded {TIMES} times;"
            f" {day.lines:,} of a day took {day.megabytes:.1f}",
            at_most=64,
        )
    ]


async def _download(http: aiohttp.ClientSession, pid: int, period: str) -> Download:
    _forget_peak(pid)
    before, lines = _kilobytes(pid, "VmRSS"), 0
    async with http.get(f"/exports/events.csv?period={period}") as got:
        if got.status != 200:
            raise RuntimeError(f"the download answered {got.status}")
        async for chunk in got.content.iter_any():
            lines += chunk.count(b"\n")
    return Download(lines, (_kilobytes(pid, "VmHWM") - before) / _KB_A_MB)


def _forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text(_FORGET_PEAK)


def _kilobytes(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise RuntimeError(f"/proc knows no {name}")
