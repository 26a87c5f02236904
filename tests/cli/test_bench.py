"""A database is filled with made-up rows whose counts are exact, and no other one by accident."""

from typing import TYPE_CHECKING

from trackai.storage.recounts import RECOUNTS

if TYPE_CHECKING:
    from tests.support.program import Place


def test_what_is_loaded_is_counted_and_goes_beside_nobody_unasked(place: "Place") -> None:
    loaded = place.json("bench", "load", "--rows", "3000", "--days", "10", "--tenants", "2")
    verified = place.json("analytics", "verify", "--days", "20")
    first, second = place.json("tenant", "list")
    shown = place.json("analytics", "show", first["name"], "--period", "30d")["current"]
    reported = place.json("ads", "report", first["name"], "--period", "30d")
    again = place.run("bench", "load", "--rows", "100")
    beside = place.json("bench", "load", "--rows", "500", "--days", "3", "--tenants", "1", "--yes")

    # What is after now of today is not made up.
    assert 2_500 < loaded["dispatch_attempts"] <= 3_010
    assert loaded["conversions"] == loaded["deliveries"] == loaded["matches"] > 50
    assert [row["different"] for row in verified] == [0] * 2 * len(RECOUNTS)
    rows = {row["rollup"]: row["rows"] for row in verified if row["tenant"] == first["name"]}
    assert rows["rollup_dispatch"] >= shown["attempts"] > 2_000
    assert rows["rollup_campaigns"] > 0
    assert {first["name"], second["name"]} == set(loaded["tenants"])
    assert shown["success_rate"] > 0.8
    assert sum(row["clicks"] for row in reported) > 10
    assert any(row["roas"] for row in reported)
    assert loaded["ad_spend"] == 2 * 10 * 108
    assert (again.returncode, "--yes" in again.stderr) == (2, True)
    assert 300 < beside["dispatch_attempts"] <= 510
