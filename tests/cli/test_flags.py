"""The commands around flags, as an operator gives them."""

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from trackai.cli.main import app
from trackai.model.flag import OffMode
from trackai.operations.flags import load_flags
from trackai.storage.feature_flags import list_flags_all_tenants
from trackai.storage.pool import Role

if TYPE_CHECKING:
    from tests.support.program import Place

KIWIFY = "gateway.kiwify"


class Desk:
    """Gives commands in this process."""

    def __init__(self, place: "Place") -> None:
        self.place = place

    def run(self, *arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, arguments, env=self.place.environment)
        return done.exit_code, done.output + str(done.exception or "")

    def json(self, *arguments: str) -> Any:
        code, output = self.run(*arguments, "--json")
        assert code == 0, output
        return json.loads(output)

    def line(self, flag: str, whose: str = "everybody") -> Any:
        """Return what the list says of a flag."""
        (found,) = [
            one for one in self.json("flags", "list") if (one["flag"], one["for"]) == (flag, whose)
        ]
        return found


@pytest.fixture
def desk(place_with_tenant: "Place") -> Desk:
    return Desk(place_with_tenant)


def test_every_flag_is_listed_and_on_until_somebody_says_otherwise(desk: Desk) -> None:
    found = desk.json("flags", "list")

    assert {KIWIFY, "gateway.stripe", "destination.meta"} <= {one["flag"] for one in found}
    assert {("everybody", "on", None, None, 0)} == {
        (one["for"], one["state"], one["set_by"], one["set_at"], one["held"]) for one in found
    }


def test_a_part_the_kill_switch_and_a_tenants_own(desk: Desk) -> None:
    part = desk.json("flags", "set", KIWIFY, "--percent", "25", "--when-off", "reject")
    partly = desk.line(KIWIFY)
    desk.json("flags", "off", KIWIFY)
    killed = desk.line(KIWIFY)
    desk.json("flags", "on", KIWIFY)
    desk.json("flags", "off", KIWIFY, "--tenant", "Loja")
    own, everybodys = desk.line(KIWIFY, "Loja"), desk.line(KIWIFY)
    desk.json("flags", "clear", KIWIFY, "--tenant", "Loja")
    desk.json("flags", "clear", KIWIFY)

    assert (25, False, "reject") == (part["percent"], part["killed"], part["when_off"])
    assert ("on for 25 %", "reject") == (partly["state"], partly["when_off"])
    assert partly["set_by"].startswith("cli:")
    assert "off (kill switch)" == killed["state"]
    assert ("off", "on for 25 %") == (own["state"], everybodys["state"])
    assert "on" == desk.line(KIWIFY)["state"]
    assert ["flag.set"] * 3 + ["flag.clear"] == [
        "flag.set" if one["change"]["new"] else "flag.clear"
        for one in reversed(desk.json("flags", "changes"))
    ]
    assert 2 == len(desk.json("flags", "changes", "--tenant", "Loja"))
    assert 2 == len(desk.json("audit", "list", "Loja")[:2])


def test_what_is_wrong_is_said_and_changes_nothing(desk: Desk) -> None:
    unknown = desk.run("flags", "off", "gateway.nowhere")
    part = desk.run("flags", "set", KIWIFY, "--percent", "50", "--tenant", "Loja")
    mode = desk.run("flags", "off", "destination.meta", "--when-off", "reject")

    assert {True} == {code != 0 for code, _ in (unknown, part, mode)}
    assert "Known: gateway.cakto" in unknown[1]
    assert "on or off" in part[1]
    assert "Only webhooks can be turned away" in mode[1]
    assert {None} == {one["set_by"] for one in desk.json("flags", "list")}


def test_the_doctor_says_what_is_off_and_how_to_turn_it_on(desk: Desk) -> None:
    before = {one["check"]: one for one in desk.json("doctor")}
    desk.json("flags", "off", KIWIFY)
    found = {one["check"]: one for one in desk.json("doctor")}

    assert "ok" == before["flags"]["state"]
    assert "flags" not in found
    assert "warning" == found[f"flag {KIWIFY}"]["state"]
    assert "off (kill switch) for everybody since" in found[f"flag {KIWIFY}"]["found"]
    assert "trackai flags on gateway.kiwify" in found[f"flag {KIWIFY}"]["to_do"]


def test_who_asks_whether_flags_were_set_is_told_when_and_by_whom(desk: Desk) -> None:
    desk.json("flags", "set", KIWIFY, "--percent", "100")

    async def ask() -> tuple[Any, Any]:
        async with (
            desk.place.here().database(Role.PIPELINE) as database,
            database.transaction() as tx,
        ):
            return await load_flags(tx, [KIWIFY, "gateway.hotmart"]), await list_flags_all_tenants(
                tx
            )

    (hotmart, kiwify), (stored,) = asyncio.run(ask())
    assert (None, None, True) == (hotmart.set_by, hotmart.set_at, hotmart.is_on)
    assert (stored.set_by, stored.set_at, True) == (kiwify.set_by, kiwify.set_at, kiwify.is_on)
    assert OffMode.STORE is kiwify.rule.off_mode
