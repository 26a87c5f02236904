"""Every item that is looked at is made to hold, and then broken: for real, each in its own way."""

import datetime as dt
import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiobotocore.session import get_session
from tests.golive.stage import VERSION, Do, Stage
from tests.support.flags import Panel

from trackai.accounts.closing import close_tenant
from trackai.accounts.onboarding import Onboarding
from trackai.alarms.catalogue import ALARMS, watched
from trackai.alarms.cloudwatch import open_cloudwatch
from trackai.alarms.engines.cloudwatch import Place as CloudWatchPlace
from trackai.alarms.engines.cloudwatch import Wish
from trackai.alarms.message import words_of
from trackai.cli.rehearsal.tls import door, make_papers
from trackai.destinations.http import Http, HttpLimits
from trackai.golive.catalogue import ITEMS
from trackai.golive.source import source_digest
from trackai.model.alarm import Severity
from trackai.model.clock import new_id
from trackai.model.golive import Outcome, Proof
from trackai.operations.golive import watching
from trackai.sandbox.platforms import SaleStatus
from trackai.secrets.port import reference
from trackai.storage import baselines, build_facts, sessions
from trackai.storage.baselines import Baseline
from trackai.storage.build_facts import BuildFacts
from trackai.storage.pool import Database, Role
from trackai.storage.sessions import Session

if TYPE_CHECKING:
    from types_aiobotocore_logs import CloudWatchLogsClient
    from types_aiobotocore_logs.type_defs import InputLogEventTypeDef

FIGURES = {"whole_p50_ms": 300.0, "whole_p95_ms": 400.0, "whole_p99_ms": 500.0, "accepted": 99}
FIGURES |= {"events_per_minute": 10.0, "attempt_error_rate": 0.0}
CHECKS = dict.fromkeys(("format", "lint", "spelling", "types", "imports", "tests"), 0)


async def nothing(_stage: Stage) -> None:
    """Leave everything as it is."""


def later(**by: float) -> Do:
    """Let so much time pass."""

    async def wait(stage: Stage) -> None:
        stage.forward(**by)

    return wait


def owner(statement: str) -> Do:
    """Do something to the database that no part of the program does."""

    async def work(stage: Stage) -> None:
        await stage.owner(statement)

    return work


def settings(**changes: object) -> Do:
    """Have the settings say something else."""

    async def work(stage: Stage) -> None:
        stage.changes |= changes

    return work


async def without_secret(stage: Stage) -> None:
    world = stage.world
    people = Onboarding(world.people, world.envelope, world.clock, new_id)
    await people.connect_gateway(world.account.tenant.id, "hotmart", None)


async def kept_elsewhere(stage: Stage) -> None:
    world = stage.world
    (stage.directory / "hotmart_secret").write_text("a secret of the platform's")
    people = Onboarding(world.people, world.envelope, world.clock, new_id)
    where = reference("file:hotmart_secret")
    await people.connect_gateway(world.account.tenant.id, "hotmart", where)


async def lost(stage: Stage) -> None:
    (stage.directory / "hotmart_secret").unlink()


async def two_of_each(stage: Stage) -> None:
    await stage.speak("serve@a:1", "serve@b:1", "worker@a:2", "worker@b:2")


async def backed_up(stage: Stage) -> None:
    await stage.backup(proved=True)


async def refuted(stage: Stage) -> None:
    await stage.owner("delete from backups")
    await stage.backup(proved=False)


async def not_durable(stage: Stage) -> None:
    (row,) = await stage.owner("select current_database() as name")
    await stage.owner(f"alter database {row['name']} set synchronous_commit to off")


async def _answer(stage: Stage, status: int, body: bytes) -> None:
    async def app(scope: object, receive: object, send: "object") -> None:
        del scope, receive
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": status, "headers": headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": body})  # type: ignore[operator]

    stage.changes["base_url"] = await stage.serve(app)


async def our_page(stage: Stage) -> None:
    await _answer(stage, 200, b"<title>Entrar \xc2\xb7 Track AI</title>")


async def page_of_a_proxy(stage: Stage) -> None:
    await _answer(stage, 200, b"<h1>It works!</h1>")


async def broken_page(stage: Stage) -> None:
    await _answer(stage, 502, b"Track AI")


async def paged(stage: Stage) -> None:
    await stage.tower.page()
    await stage.tower.look()
    await stage.call()


async def route_ended(stage: Stage) -> None:
    (row,) = await stage.owner("select id from alarm_routes")
    await stage.tower.choices().end_route(row["id"])


async def pager_refuses(stage: Stage) -> None:
    await stage.owner("delete from alarm_calls")
    stage.pager.fail(400)
    await stage.call()


async def tried(stage: Stage) -> None:
    await stage.smoke()


def failed_at(step: str) -> Do:
    async def work(stage: Stage) -> None:
        stage.forward(minutes=1)
        await stage.smoke(broken=step)

    return work


async def another_version(stage: Stage) -> None:
    stage.forward(minutes=1)
    await stage.smoke(version="1.2.2")


def told(digest: str = "", **checks: int | None) -> Do:
    """Let somebody have told of checks."""

    async def work(stage: Stage) -> None:
        said = {name: one for name, one in {**CHECKS, **checks}.items() if one is not None}
        facts = BuildFacts(
            digest or source_digest(), "abc123", stage.now, said, stage.now, "cli:ci"
        )
        await stage.owner("delete from build_facts")
        async with stage.world.workers.transaction() as tx:
            await build_facts.save_facts(tx, facts)

    return work


async def flags_set(stage: Stage) -> None:
    for gateway in stage.world.account.connections:
        await Panel(stage.world).say(f"gateway.{gateway}", percent=100)


async def no_tenant(stage: Stage) -> None:
    world = stage.world
    await close_tenant(
        *(world.people, world.envelope, world.clock, new_id),
        tenant_id=world.account.tenant.id,
        by="cli:ana",
    )


async def sold(stage: Stage) -> None:
    await stage.world.click("c1")
    await stage.world.tell("kiwify", stage.world.sale(click_id="c1"), SaleStatus.APPROVED)


async def flowed(stage: Stage) -> None:
    await stage.world.fill(stage.world.account)
    await stage.accept()


async def spoken(stage: Stage) -> None:
    await stage.speak("serve@a:1")


async def drilled(stage: Stage) -> None:
    await stage.drill(*ALARMS)


async def drill_failed(stage: Stage) -> None:
    stage.forward(minutes=1)
    await stage.drill("dlq_depth", trouble="it did not fire")


async def another_alarm(stage: Stage) -> None:
    stage.patch.setattr(watching, "ALARMS", {**ALARMS, "new": ALARMS["dlq_depth"]})


async def alarm_without_page(stage: Stage) -> None:
    alarm = ALARMS["dlq_depth"]
    changed = type(alarm)(
        **{name: getattr(alarm, name) for name in alarm.__slots__} | {"runbook": "not-written"}
    )
    stage.patch.setattr(watching, "ALARMS", {**ALARMS, "dlq_depth": changed})


async def logged(stage: Stage) -> None:
    stage.log(event="delivery.attempted")


async def critical_line(stage: Stage) -> None:
    stage.log(event="something.broke", level="critical")


async def measured(stage: Stage, **changes: float | None) -> None:
    now = stage.now
    made = Baseline(
        *(new_id(), now, now - dt.timedelta(hours=1), now, VERSION, {**FIGURES, **changes}),
        standard=not changes,
    )
    async with stage.world.workers.transaction() as tx:
        await baselines.insert_baseline(tx, made)


async def measured_worse(stage: Stage) -> None:
    stage.forward(minutes=1)
    await measured(stage, attempt_error_rate=0.2)


async def measured_nothing(stage: Stage) -> None:
    stage.forward(minutes=1)
    await measured(stage, whole_p50_ms=None)


async def somebody_on_call(stage: Stage) -> None:
    stage.pager.on_call.keys.add("key-of-the-pager")
    stage.pager.on_call.add("PUSER1", "Ana", schedule="PSCHED1", policy="PPOLICY1")


async def nobody_on_call(stage: Stage) -> None:
    stage.pager.on_call.shifts.clear()


async def another_schedule(stage: Stage) -> None:
    await nobody_on_call(stage)
    stage.pager.on_call.add("PUSER1", "Ana", schedule="PSCHED2", policy="PPOLICY1")


async def key_revoked(stage: Stage) -> None:
    stage.pager.on_call.keys.clear()


async def pager_api_away(stage: Stage) -> None:
    asked = stage.place().on_call
    assert asked is not None
    stage.changes["on_call"] = type(asked)("http://127.0.0.1:1", asked.key, asked.schedule)


async def signed_in(stage: Stage) -> None:
    world = stage.world
    await world.fill(world.account)
    (member,) = await stage.owner("select user_id from memberships")
    seen = Session(
        new_id(), member["user_id"], world.account.tenant.id, "Firefox", stage.now, stage.now
    )
    async with (
        Database.opened(world.url, Role.ACCESS, size=1) as access,
        access.transaction() as tx,
    ):
        await sessions.insert_session(tx, seen, digest=b"d" * 32)


# How each item comes to hold, and everything that makes it hold no more.
WAYS: Mapping[str, tuple[Do, Sequence[Do]]] = {
    "queues": (
        nothing,
        [
            owner("alter table queue_messages rename to elsewhere"),
            owner("create rule lost as on insert to queue_messages do instead nothing"),
        ],
    ),
    "secrets": (
        kept_elsewhere,
        [
            without_secret,
            lost,
            owner("update destinations set token_sealed = 'x'"),
            owner("delete from destinations"),
        ],
    ),
    "replicas": (
        two_of_each,
        [later(minutes=2), owner("delete from alarm_samples where process like '%@b%'")],
    ),
    "database": (backed_up, [not_durable, refuted, later(hours=27)]),
    "dashboards": (
        our_page,
        [page_of_a_proxy, broken_page, settings(base_url="http://127.0.0.1:1")],
    ),
    "pager": (paged, [later(minutes=3), route_ended, pager_refuses]),
    "deployed": (tried, [another_version, later(hours=25), owner("delete from smoke_runs")]),
    "checks": (
        told(),
        [
            told(types=1),
            told(lint=None),
            told("of another state"),
            owner("delete from build_facts"),
        ],
    ),
    "tests": (told(), [told(tests=2), told(tests=None), told("of another state")]),
    "flags": (
        flags_set,
        [
            owner("delete from feature_flags"),
            owner("delete from feature_flags where key = 'gateway.kiwify'"),
        ],
    ),
    "migrations": (nothing, [owner("update alembic_version set version_num = '0030_pre_changes'")]),
    "tenant": (nothing, [no_tenant]),
    "funnel": (
        sold,
        [
            owner("update webhook_receipts set state = 'failed'"),
            owner("update destinations set disabled_at = now()"),
            later(days=31),
        ],
    ),
    "sample": (tried, [failed_at("conversion"), later(days=8), owner("delete from smoke_runs")]),
    "visible": (tried, [failed_at("dashboard"), later(days=8)]),
    "metrics": (spoken, [later(minutes=3), owner("delete from alarm_samples")]),
    "numbers": (
        sold,
        [
            owner("delete from changed_sales"),
            owner("update conversions set first_seen_at = now() - interval '9 days'"),
        ],
    ),
    "false_alarm": (drilled, [drill_failed, later(days=31), owner("delete from drill_runs")]),
    "logs": (
        logged,
        [later(hours=2), settings(keeps_logs=False), settings(data_dir=Path("/nowhere"))],
    ),
    "smoke": (tried, [failed_at("meta"), later(hours=25), owner("delete from smoke_runs")]),
    "baseline": (
        measured,
        [measured_worse, measured_nothing, later(days=31), owner("delete from baselines")],
    ),
    "runbooks": (nothing, [alarm_without_page]),
    "on_call": (
        somebody_on_call,
        [nobody_on_call, another_schedule, key_revoked, pager_api_away, settings(on_call=None)],
    ),
    "customer": (signed_in, [later(days=31), owner("delete from memberships")]),
    "first_click": (sold, [later(days=31), owner("update matches set click_id = null")]),
    "events": (
        flowed,
        [later(hours=25), owner("update dispatch_attempts set status = 'deferred'")],
    ),
    "critical": (logged, [critical_line, settings(keeps_logs=False), later(hours=2)]),
    "backups_kept": (backed_up, [settings(backup_days=3), later(hours=27), refuted]),
    "backup_verified": (
        backed_up,
        [later(hours=25), refuted, owner("update backups set verified_at = null")],
    ),
    "drills": (
        drilled,
        [
            drill_failed,
            another_alarm,
            later(days=8),
            owner("delete from drill_runs where alarm = 'dlq_depth'"),
        ],
    ),
}
# What already holds before it is made to.
ALREADY = {nothing, kept_elsewhere}
# Tested below, for they need more around them.
APART = {"tls"}


def test_every_item_that_is_looked_at_is_made_to_hold_and_broken() -> None:
    looked = {one.id for one in ITEMS.values() if one.proof is Proof.AUTOMATIC}

    assert looked == WAYS.keys() | APART


@pytest.mark.parametrize(
    ("item", "number"),
    [(item, number) for item, (_, ways) in WAYS.items() for number in range(len(ways))],
)
async def test_an_item_holds_until_it_is_broken(stage: Stage, item: str, number: int) -> None:
    make, ways = WAYS[item]
    # Nothing holds by itself.
    if number == 0 and make not in ALREADY:
        assert Outcome.PROVED is not (await stage.verdict(item)).outcome
    await make(stage)
    before = await stage.verdict(item)
    await ways[number](stage)
    after = await stage.verdict(item)

    assert Outcome.PROVED is before.outcome, before
    assert after.outcome in {Outcome.FAILED, Outcome.EXPIRED}, after


@asynccontextmanager
async def secured(
    stage: Stage,
    *,
    days: float = 90,
    host: str = "localhost",
    known: bool = True,
    of: str = "http://127.0.0.1:1",
) -> AsyncIterator[None]:
    """Let the public address speak TLS with a certificate of so many days."""
    papers = make_papers(stage.directory, stage.now, dt.timedelta(days=days))
    if known:
        stage.patch.setenv("SSL_CERT_FILE", str(papers.authority))
    async with door(papers, [int(of.rpartition(":")[2])]) as port:
        stage.changes["base_url"] = f"https://{host}:{port}"
        yield


async def test_a_certificate_is_judged_as_browsers_do(stage: Stage) -> None:
    async with secured(stage):
        good = await stage.verdict("tls")
    async with secured(stage, days=10):
        soon = await stage.verdict("tls")
    async with secured(stage, host="127.0.0.1"):
        of_another = await stage.verdict("tls")
    stage.patch.delenv("SSL_CERT_FILE")
    async with secured(stage, known=False):
        unknown = await stage.verdict("tls")
    stage.changes["base_url"] = "http://localhost:1"
    none = await stage.verdict("tls")

    said = [one.evidence.said for one in (good, soon, of_another, unknown, none) if one.evidence]
    assert ["tls_ok", "tls_soon", "tls_refused", "tls_refused", "tls_none"] == said
    assert Outcome.PROVED is good.outcome
    assert {Outcome.FAILED} == {one.outcome for one in (soon, of_another, unknown, none)}


def _believing(stage: Stage) -> aiohttp.TCPConnector:
    context = ssl.create_default_context(cafile=str(stage.directory / "authority.pem"))
    return aiohttp.TCPConnector(ssl=context)


async def test_when_everything_is_done_everything_holds(stage: Stage) -> None:
    for do in (two_of_each, backed_up, paged, tried, told(), flags_set, signed_in, drilled, logged):
        await do(stage)
    await stage.accept()
    await measured(stage)
    await somebody_on_call(stage)
    await our_page(stage)
    async with (
        secured(stage, of=stage.changes["base_url"]),
        # The client knows whom to believe from its start on.
        aiohttp.ClientSession(connector=_believing(stage)) as session,
    ):
        stage.http = Http(session, HttpLimits())
        checked = await stage.check()
        await stage.sign()
        signed = await stage.check()

    open_ = [one.item.id for one in checked.verdicts if not one.outcome.holds]
    assert open_ == [one.id for one in ITEMS.values() if one.proof is Proof.SIGNED]
    assert {"items": 36, "proved": 31, "signed": 5, "failed": 0} == signed.sums
    assert signed.holds


async def test_before_the_migration_that_it_needs_it_can_be_looked_at(stage: Stage) -> None:
    await stage.owner("drop table smoke_runs, baselines, drill_runs, build_facts, signoffs")
    await stage.owner("update alembic_version set version_num = '0031_pre_backups'")
    checked = await stage.check()
    said = {one.item.id: one.evidence.said for one in checked.verdicts if one.evidence}

    assert "migrations_pending" == said["migrations"]
    assert "not_asked" == said["smoke"]
    assert not checked.holds


async def test_a_proof_that_breaks_hides_no_other(stage: Stage) -> None:
    await stage.owner("drop table drill_runs")
    checked = await stage.check()
    said = {one.item.id: one.evidence.said for one in checked.verdicts if one.evidence}

    assert "not_asked" == said["drills"] == said["false_alarm"]
    assert "queue_ok" == said["queues"]


async def test_a_signature_for_support_rests_on_a_contact(stage: Stage) -> None:
    there = await stage.verdict("support")
    stage.changes["support_contact"] = " "
    gone = await stage.verdict("support")

    assert (Outcome.UNSIGNED, Outcome.FAILED) == (there.outcome, gone.outcome)


@asynccontextmanager
async def _amazon() -> AsyncIterator["CloudWatchLogsClient"]:
    async with get_session().create_client("logs") as client:
        yield client


async def _write(stage: Stage, **fields: str) -> None:
    """Let a process's line be at CloudWatch Logs, as its standard output is taken there."""
    line = {"timestamp": stage.now.isoformat(), "level": "info", "event": "x", **fields}
    event: InputLogEventTypeDef = {
        "timestamp": int(stage.now.timestamp() * 1000),
        "message": json.dumps(line),
    }
    async with _amazon() as client:
        group, stream = f"{stage.changes['log_groups']}worker", "task"
        with suppress(client.exceptions.ResourceAlreadyExistsException):
            await client.create_log_group(logGroupName=group)
            await client.create_log_stream(logGroupName=group, logStreamName=stream)
        await client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])


@pytest.mark.usefixtures("amazon")
async def test_logs_may_be_at_cloudwatch(stage: Stage) -> None:
    groups = f"/trackai/{new_id().hex}/"
    stage.changes |= {"keeps_logs": False, "log_groups": groups}
    empty = [(await stage.verdict(item)).outcome for item in ("logs", "critical")]
    await _write(stage, event="delivery.attempted", reason="a critical word")
    well = [(await stage.verdict(item)).outcome for item in ("logs", "critical")]
    await _write(stage, event="something.broke", level="critical")
    broken = await stage.verdict("critical")
    stage.forward(hours=2)
    old = await stage.verdict("logs")

    assert [Outcome.FAILED] * 2 == empty
    assert [Outcome.PROVED] * 2 == well
    assert broken.evidence is not None
    assert {"number": 1, "event": "something.broke"} == broken.evidence.values
    assert Outcome.FAILED is old.outcome


@pytest.mark.usefixtures("amazon")
async def test_cloudwatch_may_page(stage: Stage) -> None:
    stage.changes |= {"calls_elsewhere": True, "environment": "production", "production": True}
    stage.changes["base_url"] = f"https://{new_id().hex}.example.com"
    topic = "arn:aws:sns:sa-east-1:123456789012:on-call"
    place = CloudWatchPlace("production", stage.changes["base_url"])

    async def applied(*topics: str) -> str:
        wish = Wish(place, watched(production=True), words_of("en"), {Severity.CRITICAL: [*topics]})
        async with open_cloudwatch() as there:
            await there.apply(wish, await there.plan(wish))
        verdict = await stage.verdict("pager")
        return verdict.evidence.said if verdict.evidence else ""

    before = await stage.verdict("pager")

    assert before.evidence is not None
    assert "pager_cloudwatch_lacks" == before.evidence.said
    assert "pager_cloudwatch_silent" == await applied()
    assert "pager_cloudwatch_ok" == await applied(topic)


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_only_backups_of_whoever_is_to_make_them_count(stage: Stage, elsewhere: bool) -> None:  # noqa: FBT001 - a parameter
    items = ("database", "backups_kept", "backup_verified")
    stage.changes["backups_elsewhere"] = elsewhere
    await stage.backup(proved=True)
    for origin, outcome in (
        ("own" if elsewhere else "elsewhere", Outcome.FAILED),
        ("elsewhere" if elsewhere else "own", Outcome.PROVED),
    ):
        await stage.owner("update backups set origin = $1", origin)

        assert {outcome} == {(await stage.verdict(item)).outcome for item in items}, origin


@pytest.mark.parametrize("production", [True, False])
async def test_unit_tests_are_all_tests_in_a_rehearsal_alone(
    stage: Stage,
    production: bool,  # noqa: FBT001 - a parameter
) -> None:
    stage.changes["production"] = production
    said = []
    for checks in ({"unit tests": 1}, {"unit tests": 0}, {"unit tests": 0, "tests": 0}):
        facts = BuildFacts(source_digest(), "abc", stage.now, checks, stage.now, "cli:ana")
        async with stage.world.workers.transaction() as tx:
            await build_facts.save_facts(tx, facts)
        said.append((await stage.verdict("tests")).outcome)

    rules = Outcome.FAILED if production else Outcome.PROVED
    assert [Outcome.FAILED, rules, Outcome.PROVED] == said
