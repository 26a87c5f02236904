"""A made-up sale goes all the way, is seen, and changes nobody's numbers."""

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.golive.conftest import PIXEL, TOKEN
from typing_extensions import override

from trackai.accounts.onboarding import NewDestination
from trackai.cli.installation import Installation
from trackai.cli.serve import running
from trackai.errors import ConfigurationError
from trackai.housekeeping.purge import Purger
from trackai.model.clock import SystemClock
from trackai.secrets.port import reference
from trackai.storage.pool import Role
from trackai.storage.purging import TABLES

if TYPE_CHECKING:
    from tests.golive.conftest import Ground

STEPS = ["click", "webhook", "conversion", "queue", "meta", "dashboard"]


async def test_a_sale_goes_all_the_way_and_every_step_is_timed(alive: "Ground") -> None:
    done = await alive.json("smoke", "--url", alive.url, "--tenant", "Loja")
    (run,) = await alive.rows("select * from smoke_runs")

    assert done["passed"], done
    assert [*STEPS, "cleanup"] == [one["step"] for one in done["steps"]]
    assert all(one["ms"] >= 0 for one in done["steps"])
    assert 1 == len(alive.meta.accepted(PIXEL))
    assert (alive.tenant.id, alive.url, True) == (run["for_tenant"], run["url"], run["passed"])
    assert [*STEPS, "cleanup"] == [one["step"] for one in run["steps"]]


async def test_numbers_before_are_numbers_after_and_no_row_is_left(alive: "Ground") -> None:
    before = await alive.json("analytics", "show", "Loja")
    await alive.json("smoke", "--url", alive.url, "--tenant", "Loja")
    after = await alive.json("analytics", "show", "Loja")
    (run,) = await alive.rows("select practice from smoke_runs")
    listed = await alive.json("tenant", "list")
    await _purge(alive)
    gone = run["practice"]
    left = {
        table: len(await alive.rows(f"select 1 from {table} where tenant_id = $1", gone))  # noqa: S608
        for table in TABLES
    }

    assert before["current"] | {"period": 0} == after["current"] | {"period": 0}
    assert ["Loja"] == [one["name"] for one in listed]
    assert {0} == set(left.values()), left


async def _purge(ground: "Ground") -> None:
    class Later(SystemClock):
        @override
        def now(self) -> dt.datetime:
            return super().now() + dt.timedelta(hours=1)

    async with ground.here.database(Role.HOUSEKEEPING) as database:
        purger = Purger(database, Later())
        while await purger.step():
            pass


async def test_an_address_that_does_not_answer_is_a_step_that_failed(ground: "Ground") -> None:
    done = await ground.json("smoke", "--url", "http://127.0.0.1:1", "--tenant", "Loja")
    (run,) = await ground.rows("select * from smoke_runs")

    assert not done["passed"]
    assert ["click", "cleanup"] == [one["step"] for one in done["steps"]]
    assert "was not reached" in done["steps"][0]["found"]
    assert (False, True) == (run["passed"], run["closed_at"] is not None)


async def test_a_pixel_that_refuses_is_a_step_that_failed(alive: "Ground") -> None:
    # For good: nobody waits for what is refused, so that the steps before may take their time.
    alive.meta.script_fault("error", times=None, code=100)
    done = await alive.json("smoke", "--url", alive.url, "--tenant", "Loja", "--patience", "50")

    assert ("meta", False) == (done["steps"][-2]["step"], done["steps"][-2]["ok"])
    assert "refused it" in done["steps"][-2]["found"]


async def test_it_runs_without_the_database_by_a_ticket(
    alive: "Ground", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = tmp_path / "ticket.json"
    await alive.give("smoke", "--tenant", "Loja", "--prepare", str(ticket))
    with monkeypatch.context() as away:
        away.setenv("TRACKAI_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
        done = await alive.json("smoke", "--url", alive.url, "--ticket", str(ticket))
    closed = await alive.json("smoke", "--clean")

    assert done["passed"], done
    assert STEPS == [one["step"] for one in done["steps"]]
    assert 0o600 == ticket.stat().st_mode & 0o777
    assert {"closed": 1} == closed
    assert ["Loja"] == [one["name"] for one in await alive.json("tenant", "list")]
    assert json.loads(ticket.read_text())["secret"] not in str(done)


async def test_a_ticket_serves_many_runs_whatever_else_is_tried_meanwhile(
    alive: "Ground", tmp_path: Path
) -> None:
    ticket = tmp_path / "ticket.json"
    run = ("smoke", "--url", alive.url, "--ticket", str(ticket))
    await alive.give("smoke", "--tenant", "Loja", "--prepare", str(ticket), "--days", "30")
    # Long ago: what a run left behind would be closed by the next.
    await alive.change("update smoke_runs set started_at = started_at - interval '2 days'")
    first = await alive.json(*run)
    beside = await alive.json("smoke", "--url", alive.url, "--tenant", "Loja")
    asked = await alive.json(*run, "--check")
    second = await alive.json(*run)

    assert first["passed"], first
    assert beside["passed"], beside
    assert [("ticket", True)] == [(one["step"], one["ok"]) for one in asked["steps"]]
    assert second["passed"], second
    # Of the second run alone, though the numbers of the last hour hold both.
    assert "1 sale, 1 matched, 1 sent" == second["steps"][-1]["found"]


async def test_a_ticket_is_over_in_its_time(alive: "Ground", tmp_path: Path) -> None:
    ticket = tmp_path / "ticket.json"
    run = ("smoke", "--url", alive.url, "--ticket", str(ticket))
    await alive.give("smoke", "--tenant", "Loja", "--prepare", str(ticket))
    await alive.change(
        "update smoke_runs set started_at = started_at - interval '2 days',"
        " kept_until = kept_until - interval '2 days'"
    )
    await alive.json("smoke", "--url", alive.url, "--tenant", "Loja")
    left = await alive.rows("select id from smoke_runs where closed_at is null")
    asked = await alive.json(*run, "--check")
    written = json.loads(ticket.read_text())
    ticket.write_text(json.dumps(written | {"until": "2026-01-01T00:00:00Z"}))

    assert [] == left
    assert not asked["passed"]
    assert "is closed" in asked["steps"][0]["found"]
    with pytest.raises(ConfigurationError, match="served until 2026-01-01"):
        await alive.json(*run)
    ticket.write_text(json.dumps(written | {"until": "2026-01-01T00:00:00"}))
    with pytest.raises(ConfigurationError, match="is not what"):
        await alive.json(*run)


async def test_a_deployment_that_is_away_says_nothing_of_the_ticket(
    ground: "Ground", tmp_path: Path
) -> None:
    ticket = tmp_path / "ticket.json"
    await ground.give("smoke", "--tenant", "Loja", "--prepare", str(ticket))
    asked = await ground.json(
        "smoke", "--url", "http://127.0.0.1:1", "--ticket", str(ticket), "--check"
    )

    assert asked["passed"]
    assert "could not be asked" in asked["steps"][0]["found"]


async def test_a_token_that_is_kept_elsewhere_stays_there(ground: "Ground") -> None:
    (ground.here.settings.data_dir / "meta_capi_token").write_text(TOKEN)
    async with ground.here.onboarding() as onboarding:
        tenant = await onboarding.create_tenant("Escola")
        new = NewDestination(
            "meta", PIXEL, reference("file:meta_capi_token"), api_url=ground.meta_url
        )
        await onboarding.connect_destination(tenant.id, new)
    settings = ground.here.settings.model_copy(
        update={"secrets_dir": ground.here.settings.data_dir}
    )
    here = Installation.of(settings, ground.here.url)
    async with running(here) as url:
        done = await ground.json("smoke", "--url", url, "--tenant", "Escola")

    assert done["passed"], done


async def test_a_pixel_of_metas_own_needs_a_test_code(ground: "Ground") -> None:
    async with ground.here.onboarding() as onboarding:
        tenant = await onboarding.create_tenant("Escola")
        await onboarding.connect_destination(tenant.id, NewDestination("meta", PIXEL, TOKEN))

    with pytest.raises(ConfigurationError, match="test-event-code"):
        await ground.json("smoke", "--url", "http://127.0.0.1:1", "--tenant", "Escola")

    assert [] == await ground.rows("select id from smoke_runs")
