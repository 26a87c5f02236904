"""`trackai backup`: made by a command and by a worker, listed, tried out, restored elsewhere."""

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.program import Place

PATIENCE_S = 60.0


def with_vault(place: "Place") -> "Place":
    return replace(place, variables={"TRACKAI_BACKUP_TO": str(place.directory / "vault")})


def test_a_backup_is_made_tried_and_restored_into_an_empty_database(
    place_with_tenant: "Place", empty_database_url: str
) -> None:
    place = with_vault(place_with_tenant)
    none = place.json("backup", "list")

    made = place.json("backup", "run")
    with place.start("backup", "verify", "--json") as trying:
        # It makes a server: longer than other commands.
        trying.process.wait(5 * PATIENCE_S)
    (listed,) = place.json("backup", "list")
    elsewhere = replace(place, database_url=empty_database_url)
    restored = elsewhere.run("backup", "restore", made["name"], "--json")
    again = elsewhere.run("backup", "restore")
    tenants = elsewhere.json("tenant", "list")

    assert none == []
    assert (made["rows"] > 0, made["point_in_time"]) == (True, False)
    assert trying.process.returncode == 0, trying.log.read_text()
    assert [True] == [line["proved"] for line in trying.said() if "proved" in line]
    assert (listed["name"], listed["restored_for_a_try"] is not None) == (made["name"], True)
    assert restored.returncode == 0, restored.stderr
    assert {True} == {one["same"] for one in json.loads(restored.stdout)["tables"]}
    assert (again.returncode, "not empty" in again.stderr) == (2, True)
    assert ["Loja"] == [one["name"] for one in tenants]


def test_a_worker_makes_a_backup_by_itself(place_with_tenant: "Place") -> None:
    place = with_vault(place_with_tenant)
    place.variables["TRACKAI_BACKUP_VERIFY_DAYS"] = "0"

    with place.start("worker"):
        deadline = time.monotonic() + PATIENCE_S
        while not place.json("backup", "list"):
            assert time.monotonic() < deadline, place.json("jobs", "list")
        jobs = {row["name"]: row for row in place.json("jobs", "list")}

    assert {"backup", "backup-upkeep"} <= set(jobs)
    # Of a server elsewhere no log can be taken.
    assert "backup-log" not in jobs


def test_without_a_place_the_sentence_says_what_to_set(place_with_tenant: "Place") -> None:
    unset = place_with_tenant.run("backup", "run")
    elsewhere = place_with_tenant.run("backup", "run", TRACKAI_BACKUP_TO="elsewhere")
    wrong = place_with_tenant.run("backup", "run", TRACKAI_BACKUP_TO="ftp://host/path")
    nothing = place_with_tenant.run("backup", "verify", "20260101", "--in", "/nowhere")

    assert (unset.returncode, "TRACKAI_BACKUP_TO" in unset.stderr) == (2, True)
    assert (elsewhere.returncode, "--in" in elsewhere.stderr) == (2, True)
    assert (wrong.returncode, "s3://bucket/prefix" in wrong.stderr) == (2, True)
    assert (nothing.returncode, "no backup 20260101" in nothing.stderr) == (1, True)


def test_points_in_time_are_for_the_embedded_database(place_with_tenant: "Place") -> None:
    place = with_vault(place_with_tenant)

    refused = place.run("backup", "restore", "--until", "2026-11-29T12:00:00")
    wrong = place.run("backup", "restore", "--until", "noon", TRACKAI_DATABASE_URL="")

    assert (refused.returncode, "TRACKAI_DATABASE_URL" in refused.stderr) == (2, True)
    assert (wrong.returncode, "2026-11-29T12:00:00" in wrong.stderr) == (2, True)


def test_what_something_else_made_is_told_and_listed(place_with_tenant: "Place") -> None:
    place = place_with_tenant

    first = place.json("backup", "note", "snapshot-7", "--taken-at", "2026-01-02T03:04:05")
    again = place.json("backup", "note", "snapshot-7", "--taken-at", "2026-01-02T03:04:05")
    future = place.run("backup", "note", "--taken-at", "2999-01-01T00:00:00")
    (listed,) = place.json("backup", "list")

    assert (first["new"], again["new"]) == (True, False)
    assert (future.returncode, "future" in future.stderr) == (2, True)
    assert (listed["name"], listed["made"]) == ("snapshot-7", "elsewhere")
    assert listed["taken_at"].startswith("2026-01-02T03:04:05")


def test_what_is_told_has_a_name_on_one_line_and_is_none_of_ours(
    place_with_tenant: "Place",
) -> None:
    place = place_with_tenant
    vault = str(place.directory / "vault")
    said = [
        place.run("backup", "note", name)
        for name in ("two\nlines", "turned \u202e round", "x" * 256)
    ]
    own = place.json("backup", "run", "--in", vault)["name"]
    ours = place.run("backup", "note", own, "--restored")
    (listed,) = place.json("backup", "list", "--in", vault)

    assert [2, 2, 2] == [one.returncode for one in said]
    assert all("on one line" in one.stderr for one in said)
    assert (2, True) == (ours.returncode, "backup verify" in ours.stderr)
    # Whether it can be restored nobody has seen.
    assert (own, None) == (listed["name"], listed["restored_for_a_try"])


def test_listing_and_restoring_make_no_key_and_no_database(place: "Place") -> None:
    bare = replace(place, database_url=None)
    for command in (("backup", "list"), ("backup", "restore")):
        done = bare.run(*command, "--in", str(place.directory), TRACKAI_SECRET_KEY="")

        assert (done.returncode, "TRACKAI_SECRET_KEY" in done.stderr) == (2, True), done.stderr
    empty = bare.json("backup", "list", "--in", str(place.directory / "vault"))

    assert empty == []
    assert not (place.directory / "data").exists()
