"""What came of the demo: counted from the tables and from Meta's stand-in, held to the script."""

from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass
from uuid import UUID

from rich.console import Console
from rich.table import Table

from trackai.sandbox.meta.app import MetaSandbox
from trackai.sandbox.player import Score
from trackai.storage.pool import Database
from trackai.storage.reports import Totals, totals


@dataclass(frozen=True, slots=True)
class Figures:
    """The demo's closing figures; names are part of the command's interface."""

    clicks: int
    webhooks: int
    forged_rejected: int
    duplicates_ignored: int
    conversions: int
    matched: int
    unmatched: int
    accepted_by_meta: int
    lost: int
    duplicated_at_meta: int
    p95_webhook_to_meta_ms: float


@dataclass(frozen=True, slots=True)
class Report:
    """Counts, what is still missing, and what differs from the script."""

    counts: Figures
    waiting: int  # receipts and deliveries that are not through yet
    wrong: tuple[str, ...]

    @property
    def settled(self) -> bool:
        """Whether nothing more will change."""
        return self.counts.lost == 0 and self.waiting == 0

    @property
    def good(self) -> bool:
        """Whether everything went as the script says."""
        return self.settled and not self.wrong and self.counts.duplicated_at_meta == 0

    def figures(self) -> dict[str, int | float]:
        """Return the closing figures by name."""
        return asdict(self.counts)


async def gather(
    database: Database,
    tenant_id: UUID,
    meta: MetaSandbox,
    score: Score,
    expected: Collection[str],
) -> Report:
    """Count what is there now."""
    async with database.transaction(tenant_id=tenant_id) as tx:
        found = await totals(tx, tenant_id=tenant_id)
    accepted = Counter(event.event_id for event in meta.accepted())
    counts = Figures(
        clicks=score.answers["click 201"],
        webhooks=score.answers["webhook"],
        forged_rejected=score.answers["forged 401"],
        duplicates_ignored=found.repeats,
        conversions=found.conversions,
        matched=found.conversions - found.by_strategy.get("unmatched", 0),
        unmatched=found.by_strategy.get("unmatched", 0),
        accepted_by_meta=accepted.total(),
        lost=len(set(expected) - accepted.keys()),
        duplicated_at_meta=meta.summary()["duplicates"],
        p95_webhook_to_meta_ms=round(found.p95_webhook_to_accepted_ms, 1),
    )
    return Report(counts, found.waiting, tuple(_wrong(found, score, accepted, expected)))


def closing_table(report: Report, console: Console) -> None:
    """Print the figures and everything that is not as it should be."""
    table = Table("what", "count", box=None)
    for name, value in report.figures().items():
        table.add_row(name.replace("_", " "), str(value))
    console.print()
    console.print(table)
    for line in report.wrong:
        console.print(f"[red]not as expected:[/] {line}")
    if not report.settled:
        console.print("[red]not all is through[/]")


def _wrong(
    found: Totals, score: Score, accepted: Counter[str | None], expected: Collection[str]
) -> list[str]:
    wrong = [f"{sale} reached Meta and should not" for sale in accepted if sale not in expected]
    wrong += [f"{sale} counted {n} times at Meta" for sale, n in accepted.items() if n > 1]
    forged = sum(n for key, n in score.answers.items() if key.startswith("forged"))
    if score.answers["forged 401"] != forged:
        wrong.append("a forged webhook was not refused")
    for sale, scene in score.transactions.items():
        strategy = found.strategies.get(sale)
        if strategy != scene.trace.value:
            wrong.append(f"{sale} is matched by {strategy}, not by {scene.trace.value}")
    return wrong
