"""The commands around the checklist, on an installation that runs."""

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from trackai.cli.checklist import place_of
from trackai.errors import ConfigurationError, Forbidden, InvalidField, NotFound
from trackai.golive.catalogue import ITEMS
from trackai.golive.source import source_digest
from trackai.model.access import MemberRole
from trackai.model.clock import SystemClock, new_id
from trackai.settings import Settings
from trackai.storage.memberships import save_membership
from trackai.storage.pool import Role
from trackai.storage.users import User, insert_user

if TYPE_CHECKING:
    from tests.golive.conftest import Ground

EMAIL = "ana@loja.test"
UNTIL = f"{SystemClock().now() + dt.timedelta(days=30):%Y-%m-%d}"


async def hire(ground: "Ground", role: MemberRole = MemberRole.OWNER, email: str = EMAIL) -> None:
    now = SystemClock().now()
    user = User(new_id(), email, "Ana", "", "pt", False)  # noqa: FBT003
    async with ground.here.database(Role.ACCESS) as access, access.transaction() as tx:
        await insert_user(tx, ground.here.envelope, user, now=now)
        await save_membership(tx, tenant_id=ground.tenant.id, user_id=user.id, role=role, now=now)


async def outcome(ground: "Ground", item: str) -> str:
    found = await ground.json("golive", "check")
    return str(next(one["outcome"] for one in found["list"] if one["item"] == item))


async def test_a_smoke_test_is_what_its_items_rest_on(alive: "Ground") -> None:
    before = await alive.json("golive", "check")
    await alive.json("smoke", "--url", alive.url, "--tenant", "Loja")
    after = await alive.json("golive", "check")
    of_smoke = {"deployed", "sample", "visible", "smoke"}

    def proved(document: dict[str, list[dict[str, str]]]) -> set[str]:
        return {one["item"] for one in document["list"] if one["outcome"] == "proved"}

    # Processes speak by themselves, when their time has come.
    assert of_smoke == proved(after) - proved(before) - {"metrics"}
    # Nothing of it is a customer's.
    assert {"first_click", "events", "funnel"}.isdisjoint(proved(after))
    assert (36, False) == (after["items"], after["holds"])
    assert after["items"] == after["proved"] + after["signed"] + after["failed"]


async def test_the_exit_status_is_one_while_something_does_not_hold(
    ground: "Ground", tmp_path: Path
) -> None:
    report = tmp_path / "report.md"
    status, text = await ground.give("golive", "check", "--report", str(report), "--language", "pt")

    assert 1 == status
    assert json.loads(text.splitlines()[-1])["items"] == 36
    assert all(f"{one.number}. " in report.read_text() for one in ITEMS.values())
    assert "não vale" in report.read_text()


async def test_somebody_signs_and_takes_it_back(ground: "Ground") -> None:
    await hire(ground)
    by = ("--user", EMAIL)
    given = (*by, "--note", "Read together.", "--until", UNTIL)
    before = await outcome(ground, "incident_plan")
    await ground.json("golive", "sign", "incident_plan", *given)
    after = await outcome(ground, "incident_plan")
    await ground.json("golive", "withdraw", "incident_plan", *by)
    at_last = await outcome(ground, "incident_plan")
    deeds = await ground.rows("select action, subject from audit_logs where action like 'golive%'")

    assert ["unsigned", "signed", "unsigned"] == [before, after, at_last]
    assert [("golive.sign", "incident_plan"), ("golive.withdraw", "incident_plan")] == [
        tuple(row) for row in deeds
    ]


async def test_who_may_not_answer_for_it_cannot_sign(ground: "Ground") -> None:
    await hire(ground, MemberRole.OPERATOR)
    given = ("--note", "Done.", "--until", UNTIL)

    with pytest.raises(Forbidden):
        await ground.json("golive", "sign", "confidence", "--user", EMAIL, *given)
    with pytest.raises(NotFound):
        await ground.json("golive", "sign", "confidence", "--user", "bia@loja.test", *given)


async def test_what_is_looked_at_cannot_be_signed(ground: "Ground") -> None:
    await hire(ground)
    given = ("--user", EMAIL, "--note", "Trust me.", "--until", UNTIL)

    with pytest.raises(InvalidField):
        await ground.json("golive", "sign", "queues", *given)
    with pytest.raises(NotFound):
        await ground.json("golive", "sign", "nothing", *given)


async def test_build_facts_are_of_the_source_that_runs(ground: "Ground", tmp_path: Path) -> None:
    file = tmp_path / "build.json"
    checks = dict.fromkeys(("format", "lint", "types", "imports", "tests"), 0)
    facts = {"commit": "abc", "made_at": "2026-11-29T12:00:00Z", "checks": checks}
    file.write_text(json.dumps({**facts, "digest": "of another state"}))
    await ground.json("golive", "attest", str(file))
    of_another = await outcome(ground, "checks")
    file.write_text(json.dumps({**facts, "digest": source_digest()}))
    told = await ground.json("golive", "attest", str(file))
    of_this = await outcome(ground, "checks")
    facts["checks"] = checks | {"types": 1}
    said = await ground.json(
        "golive", "attest", "--facts", json.dumps({**facts, "digest": source_digest()})
    )
    broken = await outcome(ground, "checks")
    file.write_text("{}")

    assert ("failed", "proved") == (of_another, of_this)
    assert (5, None) == (told["checks"], told["failed"])
    assert ("types", "failed") == (said["failed"], broken)
    with pytest.raises(ConfigurationError, match="--facts"):
        await ground.json("golive", "attest")
    with pytest.raises(ConfigurationError, match="build facts"):
        await ground.json("golive", "attest", str(file))


async def test_a_drill_is_kept(ground: "Ground") -> None:
    status, _ = await ground.give("alarms", "drill", "dlq_depth", "--json")

    assert 0 == status
    assert "proved" == await outcome(ground, "false_alarm")
    assert "failed" == await outcome(ground, "drills")


async def test_a_database_without_migrations_is_an_item_not_an_error(ground: "Ground") -> None:
    await ground.rows("update alembic_version set version_num = '0030_pre_changes'")

    assert "failed" == await outcome(ground, "migrations")


async def test_the_list_says_how_each_is_known(ground: "Ground") -> None:
    rows = await ground.json("golive", "list")

    assert list(ITEMS) == [one["item"] for one in rows]
    assert {"automatic": 31, "signed": 5} == {
        proof: sum(one["proof"] == proof for one in rows) for proof in ("automatic", "signed")
    }


def test_nobody_asks_who_is_on_call_without_a_key_and_what_to_ask_about() -> None:
    key, schedule = SecretStr("key"), "PSCHED1"
    asked = place_of(Settings(pagerduty_api_key=key, pagerduty_schedule=schedule)).on_call

    assert asked is not None
    assert ("key", "PSCHED1", "") == (asked.key, asked.schedule, asked.policy)
    assert place_of(Settings(pagerduty_api_key=key)).on_call is None
    assert place_of(Settings(pagerduty_schedule=schedule)).on_call is None
    assert "'key'" not in repr(asked)


async def test_a_backup_made_elsewhere_counts_once_it_was_restored_there(
    ground: "Ground", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKAI_BACKUP_TO", "elsewhere")
    await ground.json("backup", "note", "snapshot-1")
    told = await outcome(ground, "backup_verified")
    await ground.json("backup", "note", "snapshot-1", "--restored")

    assert ("failed", "proved") == (told, await outcome(ground, "backup_verified"))
