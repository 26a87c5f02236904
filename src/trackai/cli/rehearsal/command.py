"""Brings a scratch installation to where every item of the checklist holds, then looks at it.

Nothing is pretended to the checklist: two servers and two workers run, a customer signs in over
TLS, a click becomes a sale, backups are restored, alarms fire. Meta and PagerDuty are stand-ins.
"""

import asyncio
import datetime as dt
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import typer

from trackai.cli.http import address_of, http_server, listening
from trackai.cli.installation import open_installation, run
from trackai.cli.output import show
from trackai.cli.rehearsal.customer import PIXEL, SECRET, TOKEN, buy, come_in
from trackai.cli.rehearsal.ground import Scratch, said
from trackai.cli.rehearsal.tls import HOST, door, make_papers
from trackai.golive.catalogue import ITEMS
from trackai.model.clock import SystemClock
from trackai.model.golive import Proof
from trackai.sandbox.meta import MetaSandbox
from trackai.sandbox.pagerduty import PagerDutySandbox
from trackai.settings import load_settings
from trackai.storage.envelope import new_key_text
from trackai.telemetry.logging import configure_logging

T = TypeVar("T")

TENANT = "Loja"
EMAIL = "ana@loja.test"
PAGER_KEY = "5a4db0c5a4db0c5a4db0c5a4db0c5a4d"
API_KEY, SCHEDULE = "rehearsal-key", "PSCHED1"
CONTACT = "suporte@loja.test, +55 11 0000-0000"
NOTES = {
    "rotation": "Two people take turns, a week each.",
    "runbooks_read": "Everybody on call opened them.",
    "incident_plan": "Read together.",
    "support": "Called once, answered.",
    "confidence": "Asked everybody.",
}
SIGNED_FOR = dt.timedelta(days=30)
REPLICAS = 2
# So many that a baseline of them has percentiles.
SALES = 24
_ACCEPTED = ("deliveries", "list", TENANT, "--status", "accepted")
# What holds by itself after a while: processes speak, alarms are looked at, a call goes out.
WAITS = frozenset({"replicas", "metrics", "pager", "logs", "critical"})
# What processes say of themselves comes four times a minute, alarms are looked at twice.
PATIENCE_S = 120.0
AGAIN_S = 3.0


def rehearse(
    build: Annotated[
        Path | None, typer.Option("--build", help="Build facts of this checkout: tools.attest.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Also write a report, in Markdown.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="One drill alone; then not every item holds.")
    ] = False,
) -> None:
    """Go live on a scratch installation, with stand-ins; the last line sums up.

    Exit status 0 only when every item holds.
    """
    configure_logging(json=False, level="ERROR")
    sums = run(_rehearse(build, report, quick=quick))
    print(json.dumps(sums, separators=(",", ":")))
    if sums["failed"]:
        sys.exit(1)


async def _rehearse(build: Path | None, report: Path | None, *, quick: bool) -> dict[str, int]:
    with tempfile.TemporaryDirectory(prefix="trackai-golive-") as directory:
        # The embedded server may run as somebody else.
        os.chmod(directory, 0o711)  # noqa: PTH101, S103 - its name is a text; to enter, not to list
        async with _ground(Path(directory)) as scratch:
            await _said("tenant, gateway, pixel", _set_up(scratch))
            await _said("a customer signs in, a click becomes a sale", _customer(scratch))
            await _said("a route to PagerDuty, a release told", _pager(scratch))
            await _said("flags", _flags(scratch))
            await _said("backup made and restored", _backup(scratch))
            drill = ("alarms", "drill", *(("dlq_depth",) if quick else ()))
            await _said("alarm drills", scratch.give(*drill))
            if build is not None:
                await _said("build facts", scratch.told("golive", "attest", str(build)))
            url = scratch.variables["TRACKAI_PUBLIC_URL"]
            await _said("smoke test", scratch.told("smoke", "--url", url, "--tenant", TENANT))
            await _said("baseline", scratch.told("baseline", "--for", "5m"))
            await _said("signatures", _sign(scratch))
            return await _said("the checklist", _look(scratch, report))


@asynccontextmanager
async def _ground(directory: Path) -> AsyncIterator[Scratch]:
    """Start everything that an installation consists of, and what it talks to."""
    async with AsyncExitStack() as stack:
        scratch = Scratch(directory)
        changes = {"data_dir": directory / "database", "database_url": None, "secret_key": None}
        settings = load_settings().model_copy(update=changes)
        here = await stack.enter_async_context(open_installation(settings))
        meta, pager = MetaSandbox(SystemClock()), PagerDutySandbox(SystemClock())
        meta.add_dataset(PIXEL)
        meta.add_token(TOKEN, datasets=[PIXEL])
        pager.add_service(PAGER_KEY)
        pager.on_call.keys.add(API_KEY)
        pager.on_call.add("PUSER1", "Ana", schedule=SCHEDULE, policy="PPOLICY1")
        meta_url, pager_url = [
            await stack.enter_async_context(_serving(one)) for one in (meta, pager)
        ]
        papers = make_papers(directory, SystemClock().now())
        scratch.variables |= {
            "TRACKAI_DATABASE_URL": here.url,
            "TRACKAI_SECRET_KEY": new_key_text(),
            "TRACKAI_DATA_DIR": str(directory / "data"),
            "TRACKAI_BACKUP_TO": str(directory / "vault"),
            "TRACKAI_META_URL": meta_url,
            "TRACKAI_PAGERDUTY_URL": pager_url,
            "TRACKAI_PAGERDUTY_API_URL": pager_url,
            "TRACKAI_PAGERDUTY_API_KEY": API_KEY,
            "TRACKAI_PAGERDUTY_SCHEDULE": SCHEDULE,
            "TRACKAI_SUPPORT_CONTACT": CONTACT,
            "SSL_CERT_FILE": str(papers.authority),
        }
        port = await stack.enter_async_context(door(papers, ports := []))
        scratch.variables["TRACKAI_PUBLIC_URL"] = f"https://{HOST}:{port}"
        for number in range(1, REPLICAS + 1):
            ports.append(await _serve(stack, scratch, number))
            worker = await stack.enter_async_context(scratch.started(f"worker-{number}", "worker"))
            await said(worker, "working")
        yield scratch


async def _serve(stack: AsyncExitStack, scratch: Scratch, number: int) -> int:
    """Start a server; return its port."""
    words = ("serve", "--port", "0")
    log = await stack.enter_async_context(scratch.started(f"serve-{number}", *words))
    address = urlsplit((await said(log, "serving"))["address"])
    return address.port or 0


@asynccontextmanager
async def _serving(app: Any) -> AsyncIterator[str]:
    with listening("127.0.0.1", 0) as listener:
        async with http_server(app, listener, drain_s=1):
            yield address_of(listener)


async def _set_up(scratch: Scratch) -> None:
    await scratch.told("tenant", "create", TENANT)
    await scratch.told("gateway", "connect", TENANT, "perfectpay", "--secret", SECRET)
    pixel = ("--pixel", PIXEL, "--token", TOKEN, "--api-url")
    meta_url = scratch.variables["TRACKAI_META_URL"]
    await scratch.told("destination", "connect", TENANT, "meta", *pixel, meta_url)


async def _customer(scratch: Scratch) -> None:
    invitation = await scratch.told("user", "invite", EMAIL, "--tenant", TENANT)
    authority = scratch.variables["SSL_CERT_FILE"]
    await come_in(invitation["link"], authority)
    (tenant,) = await scratch.told("tenant", "list")
    (connection,) = await scratch.told("gateway", "list", TENANT)
    path = urlsplit(connection["webhook_url"]).path
    url = scratch.variables["TRACKAI_PUBLIC_URL"]
    for _ in range(SALES):
        await buy(url, authority, tenant["site_key"], path)
    async with asyncio.timeout(PATIENCE_S):
        # Commands are all that is known of it.
        while len(await scratch.told(*_ACCEPTED)) < SALES:  # noqa: ASYNC110
            await asyncio.sleep(AGAIN_S)


async def _pager(scratch: Scratch) -> None:
    route = ("alarms", "routes", "add", "pagerduty", "PagerDuty")
    await scratch.told(*route, TRACKAI_ALARM_SECRET=PAGER_KEY)
    await scratch.told("alarms", "deployed")


async def _flags(scratch: Scratch) -> None:
    await scratch.told("flags", "set", "gateway.perfectpay", "--percent", "100")


async def _backup(scratch: Scratch) -> None:
    await scratch.told("backup", "run")
    await scratch.told("backup", "verify")


async def _sign(scratch: Scratch) -> None:
    until = f"{SystemClock().now() + SIGNED_FOR:%Y-%m-%d}"
    for item in ITEMS.values():
        if item.proof is Proof.SIGNED:
            by = ("--user", EMAIL, "--note", NOTES[item.id], "--until", until)
            await scratch.told("golive", "sign", item.id, *by)


async def _look(scratch: Scratch, report: Path | None) -> dict[str, int]:
    """Look until everything holds that comes by itself."""
    words = ("golive", "check", *(("--report", str(report)) if report else ()), "--json")
    deadline = time.monotonic() + PATIENCE_S
    while True:
        _, text = await scratch.give(*words)
        checked = json.loads(text)
        open_ = {one["item"] for one in checked["list"] if one["to_do"]}
        if not open_ & WAITS or time.monotonic() > deadline:
            break
        await asyncio.sleep(AGAIN_S)
    columns = ("number", "item", "outcome", "found", "to_do")
    rows = [{name: one[name] for name in columns} for one in checked["list"]]
    show(rows, json=False, empty="")
    return {name: checked[name] for name in ("items", "proved", "signed", "failed")}


async def _said(what: str, work: Awaitable[T]) -> T:
    """Say what is done and how long it took."""
    began = time.perf_counter()
    done = await work
    print(f"{what}: {time.perf_counter() - began:.1f} s", flush=True)
    return done
