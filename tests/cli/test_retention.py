"""How long a tenant keeps its rows is asked, set and told; a worker does what is due at times."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.program import Place

TASKS = {"partitions", "resettle", "forget", "rejections", "purge", "rollups", "fold"}
PATIENCE_S = 60.0


def test_how_long_rows_are_kept_is_told_and_set(place_with_tenant: "Place") -> None:
    place = place_with_tenant

    usual = place.json("tenant", "retention", "Loja")
    longer = place.json("tenant", "retention", "Loja", "730")
    unasked = place.run("tenant", "retention", "Loja", "30")
    shorter = place.json("tenant", "retention", "Loja", "30", "--yes")
    unknown = place.run("tenant", "retention", "Loja", "31", "--yes")
    deeds = [row for row in place.json("audit", "list", "Loja") if "retention" in row["action"]]

    assert usual == {"keep_days": 365}
    assert longer == {"keep_days": 730, "before": 365, "changed": True}
    assert (unasked.returncode, "--yes" in unasked.stderr) == (2, True)
    assert shorter == {"keep_days": 30, "before": 730, "changed": True}
    assert (unknown.returncode, "30, 90, 180, 365, 730" in unknown.stderr) == (1, True)
    assert [{"before": 730, "now": 30}, {"before": 365, "now": 730}] == [
        deed["details"] for deed in deeds
    ]


def test_a_worker_runs_what_is_due_and_jobs_tells(place_with_tenant: "Place") -> None:
    place = place_with_tenant
    none = place.json("jobs", "list")
    unknown = place.run("jobs", "run", "daily")

    with place.start("worker"):
        deadline = time.monotonic() + PATIENCE_S
        while {row["name"] for row in place.json("jobs", "list") if row["state"] == "ok"} < TASKS:
            assert time.monotonic() < deadline, place.json("jobs", "list")
        before = {row["name"]: row["finished_at"] for row in place.json("jobs", "list")}
        place.json("jobs", "run", "forget")
        deadline = time.monotonic() + PATIENCE_S
        while before["forget"] == next(
            row["finished_at"] for row in place.json("jobs", "list") if row["name"] == "forget"
        ):
            assert time.monotonic() < deadline

    assert none == []
    assert (unknown.returncode, "jobs list" in unknown.stderr) == (1, True)
