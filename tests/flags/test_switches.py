"""Asking flags: through OpenFeature, from memory, and by rules that are seconds old at most."""

from typing import TYPE_CHECKING, Any, Self

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason
from tests.support.flags import KNOWN

from trackai.errors import InvalidField, NotFound, StorageUnavailable
from trackai.flags.provider import TableProvider
from trackai.flags.switches import FOUND_S, Switches
from trackai.model.alarm import INSTALLATION
from trackai.model.clock import new_id
from trackai.model.flag import FlagSet, OffMode, Rule, Verdict, Why
from trackai.storage import feature_flags
from trackai.storage.audit_logs import list_audit
from trackai.storage.pool import Tx

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from tests.support.flags import Panel

KIWIFY = "gateway.kiwify"


async def test_there_is_a_flag_for_each_platform() -> None:
    assert {"gateway.perfectpay", "gateway.stripe", "destination.meta"} <= set(KNOWN)


async def test_a_tenants_own_rule_is_nobody_elses(panel: "Panel") -> None:
    one, other = panel.world.account, await panel.world.open_account("Outra")
    switches = panel.switches()
    await panel.say(KIWIFY, 0, account=one, off_mode=OffMode.REJECT)
    board = await switches.board()

    assert Verdict(False, Why.OWN, OffMode.REJECT) == board.of(KIWIFY, one.tenant.id)  # noqa: FBT003
    assert board.of(KIWIFY, other.tenant.id).on
    assert board.of("gateway.hotmart", one.tenant.id).on


async def test_the_kill_switch_is_pulled_and_let_go(panel: "Panel") -> None:
    tenant_id, switches = panel.world.account.tenant.id, panel.switches()
    await panel.say(KIWIFY, 100, account=panel.world.account)
    await panel.say(KIWIFY, killed=True)
    killed = await switches.of(KIWIFY, tenant_id)
    await panel.say(KIWIFY, killed=False)

    assert (False, Why.KILLED) == (killed.on, killed.why)
    assert (await switches.of(KIWIFY, tenant_id)).on


async def test_a_change_is_heard_of_after_seconds_and_not_before(panel: "Panel") -> None:
    tenant_id, switches = panel.world.account.tenant.id, panel.switches()
    before = await switches.of(KIWIFY, tenant_id)
    await panel.say(KIWIFY, 0)
    panel.pass_by(-0.001)
    still = await switches.of(KIWIFY, tenant_id)
    panel.pass_by(0.001)

    assert (True, True) == (before.on, still.on)
    assert not (await switches.of(KIWIFY, tenant_id)).on


async def test_no_question_has_a_query_of_its_own(panel: "Panel") -> None:
    opened = 0

    def reading() -> "AbstractAsyncContextManager[Tx]":
        nonlocal opened
        opened += 1
        return panel.world.workers.transaction()

    switches = Switches(reading, monotonic=lambda: panel.seconds)
    for _ in range(1000):
        await switches.of(KIWIFY, new_id())
    once = opened
    panel.pass_by()
    await switches.of(KIWIFY, new_id())

    assert (1, 2) == (once, opened)


async def test_what_was_known_counts_while_the_database_is_away(panel: "Panel") -> None:
    away = False

    def reading() -> "AbstractAsyncContextManager[Tx]":
        if away:
            raise StorageUnavailable("It is away.")
        return panel.world.workers.transaction()

    tenant_id = panel.world.account.tenant.id
    switches = Switches(reading, monotonic=lambda: panel.seconds)
    await panel.say(KIWIFY, 0)
    await switches.board()
    away = True
    panel.pass_by(10 * FOUND_S)

    assert not (await switches.of(KIWIFY, tenant_id)).on
    with pytest.raises(StorageUnavailable):
        await Switches(reading).board()


async def test_one_process_may_hold_the_flags_of_several_databases(panel: "Panel") -> None:
    class Nothing:
        async def fetch(self, _statement: str) -> list[Any]:
            return []

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None:
            return None

    elsewhere = Switches(Nothing)  # type: ignore[arg-type]
    here = panel.switches()
    await panel.say(KIWIFY, 0)

    assert not (await here.of(KIWIFY, new_id())).on
    assert (await elsewhere.of(KIWIFY, new_id())).on


def test_openfeature_tells_why() -> None:
    tenant_id, provider = new_id(), TableProvider()
    domain = f"test-{new_id()}"
    api.set_provider_and_wait(provider, domain)
    client, context = api.get_client(domain), EvaluationContext(str(tenant_id))
    now: Any = None
    said = [
        FlagSet(INSTALLATION, "killed", Rule(killed=True), "", now),
        FlagSet(INSTALLATION, "none", Rule(0), "", now),
        FlagSet(INSTALLATION, "part", Rule(50), "", now),
        FlagSet(tenant_id, "own", Rule(0), "", now),
    ]
    provider.believe(said)
    found = {
        key: client.get_boolean_details(key, default_value=True, evaluation_context=context)
        for key in ("killed", "none", "part", "own", "other")
    }

    assert {
        "killed": Reason.DISABLED,
        "none": Reason.STATIC,
        "part": Reason.SPLIT,
        "own": Reason.TARGETING_MATCH,
        "other": Reason.DEFAULT,
    } == {key: one.reason for key, one in found.items()}
    assert ("off", "on") == (found["own"].variant, found["other"].variant)


def test_what_is_asked_wrongly_is_answered_by_the_default() -> None:
    domain = f"test-{new_id()}"
    api.set_provider_and_wait(TableProvider(), domain)
    client = api.get_client(domain)
    nobody = client.get_boolean_details("x", default_value=True)
    word = client.get_string_details("x", "y", EvaluationContext(str(new_id())))

    assert (True, ErrorCode.TARGETING_KEY_MISSING) == (nobody.value, nobody.error_code)
    assert ("y", ErrorCode.TYPE_MISMATCH) == (word.value, word.error_code)


async def test_every_change_is_in_the_audit_log_with_what_was_before(panel: "Panel") -> None:
    account = panel.world.account
    await panel.say(KIWIFY, 25, off_mode=OffMode.REJECT)
    await panel.say(KIWIFY, killed=True)
    await panel.setting().clear(KIWIFY)
    await panel.setting().clear(KIWIFY)
    await panel.say(KIWIFY, 0, account=account)
    part = {"percent": 25, "off_mode": "reject", "killed": False}
    none = {"percent": 0, "off_mode": "store", "killed": False}

    assert [
        ("flag.set", {"old": None, "new": part}),
        ("flag.set", {"old": part, "new": {**part, "killed": True}}),
        ("flag.clear", {"old": {**part, "killed": True}, "new": None}),
    ] == [(one["action"], one["details"]) for one in await panel.deeds()]
    assert [{"old": None, "new": none}] == [
        one["details"] for one in await panel.deeds(account.tenant.id)
    ]


@pytest.mark.parametrize(
    ("key", "whose", "change", "error"),
    [
        ("gateway.nowhere", "all", {"percent": 0}, NotFound),
        (KIWIFY, "all", {"percent": 101}, InvalidField),
        (KIWIFY, "all", {"percent": -1}, InvalidField),
        (KIWIFY, "own", {"percent": 50}, InvalidField),
        (KIWIFY, "own", {"killed": True}, InvalidField),
        ("destination.meta", "all", {"off_mode": OffMode.REJECT}, InvalidField),
    ],
)
async def test_what_cannot_be_said_changes_nothing(
    panel: "Panel", key: str, whose: str, change: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await panel.say(key, account=panel.world.account if whose == "own" else None, **change)

    async with panel.world.workers.transaction() as tx:
        assert [] == await feature_flags.list_flags_all_tenants(tx)


async def test_a_tenant_sees_and_changes_no_rule_but_its_own(panel: "Panel") -> None:
    one, other = panel.world.account, await panel.world.open_account("Outra")
    await panel.say(KIWIFY, 0, account=other)
    await panel.say(KIWIFY, 50)
    async with panel.world.people.transaction(tenant_id=one.tenant.id) as tx:
        seen = await feature_flags.list_flags(tx, tenant_id=other.tenant.id)
        everybodys = await feature_flags.list_flags(tx, tenant_id=INSTALLATION)
        gone = await feature_flags.delete_flag(tx, KIWIFY, tenant_id=other.tenant.id)
        deeds = await list_audit(tx, tenant_id=other.tenant.id, limit=5)

    assert ([], [], False, []) == (seen, everybodys, gone, deeds)
