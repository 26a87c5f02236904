"""Whatever a command prints or the API answers, no buyer can be read in it; every one is asked."""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import typer.main
from tests.privacy.people import ANA, live
from tests.support.opened import traces
from tests.support.program import Place

from trackai.accounts.api_keys import ApiKeys, ApiScope
from trackai.api.app import create_api
from trackai.api.tools import ApiTools
from trackai.cli.main import app
from trackai.gateways.registry import gateways
from trackai.ingest.throttle import Throttle
from trackai.model.clock import new_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Serve
    from tests.support.world import World

# The world's key, as a command takes it.
KEY = base64.b64encode(bytes(range(32))).decode()
WHO = replace(ANA, full_name="Quitéria Quintela")
# The page's address in these tests holds the first name: what a site writes there is shown.
HIDDEN = [word for word in traces(WHO) if WHO.first_name.lower().encode() not in word.lower()]
# Each command that reads, with what it needs; {receipt}, {sale}, {delivery} are of the person.
READS = {
    "tenant list": (),
    "tenant retention": ("Curso",),
    "tenant time-zone": ("Curso",),
    "funnel list": ("Curso",),
    "gateway list": ("Curso",),
    "destination list": ("Curso",),
    "conversions list": ("Curso",),
    "explain": ("Curso", "{sale}"),
    "quality": ("Curso",),
    "analytics show": ("Curso",),
    "ads list": ("Curso",),
    "ads report": ("Curso",),
    "analytics verify": ("Curso",),
    "deliveries list": ("Curso",),
    "deliveries attempts": ("Curso", "{delivery}"),
    "dlq causes": (),
    "dlq list": ("Curso",),
    "dlq show": ("Curso", "{delivery}"),
    "webhooks list": ("Curso",),
    "webhooks failed": ("Curso",),
    "webhooks rejected": ("Curso",),
    "webhooks show": ("Curso", "{receipt}"),
    "key list": ("Curso",),
    "user list": (),
    "audit list": ("Curso",),
    "jobs list": (),
    "alarms list": (),
    "alarms show": ("dlq_depth",),
    "alarms history": (),
    "alarms silences": (),
    "alarms routes list": ("--tenant", "Curso"),
    "alarms routes calls": (),
    "flags list": (),
    "flags changes": ("--tenant", "Curso"),
    "logs": (),
    "backup list": (),
    "doctor": (),
    "baseline list": (),
    "golive list": (),
    "golive check": (),
    "tag": ("Curso",),
}
# Those that change something, stay, or print what was asked for: the person's own document.
OTHERS = {
    *(
        "up",
        "serve",
        "worker",
        "migrate",
        "probe",
        "demo",
        "rekey",
        "secret-key",
        "tenant create",
        "tenant change",
    ),
    *("tenant delete", "funnel create", "funnel change", "gateway connect", "gateway secret"),
    *("gateway rotate", "gateway disconnect", "destination connect", "destination change"),
    *("destination token", "destination disconnect", "dlq replay", "dlq discard", "dlq progress"),
    *("user disable", "user enable", "user second-factor-off"),
    *(
        "webhooks reprocess",
        "key create",
        "key revoke",
        "user invite",
        "user password",
        "privacy export",
        "privacy erase",
    ),
    *(
        "jobs run",
        "queue create",
        "sandbox meta",
        "sandbox pagerduty",
        "sandbox webhook",
        "bench load",
    ),
    *("ads import", "ads fetch", "ads delete"),
    *("alarms acknowledge", "alarms silence", "alarms unsilence", "alarms threshold"),
    *(
        "alarms drill",
        "alarms render",
        "alarms deployed",
        "alarms routes add",
        "alarms routes remove",
    ),
    *("flags set", "flags on", "flags off", "flags clear"),
    # These open no database.
    *("cloudwatch plan", "cloudwatch apply", "cloudwatch states"),
    *(
        "smoke",
        "golive sign",
        "golive withdraw",
        "golive attest",
        "golive rehearse",
    ),
    *("backup run", "backup verify", "backup restore", "backup note"),
}
API = {
    **{
        f"/api/v1/analytics/{name}": f"/api/v1/analytics/{name}?period=30d"
        for name in (
            *("metrics", "match-rate", "performance", "campaigns", "events", "dispatch-attempts"),
            *("export.csv", "export.json"),
        )
    },
    "/api/v1/conversions/{conversion}/match": "/api/v1/conversions/{sale}/match",
    "/api/v1/dead-letters": "/api/v1/dead-letters",
    "/api/v1/dead-letters/{delivery_id}": "/api/v1/dead-letters/{delivery}",
    "/api/v1/dead-letters/replays/{replay_id}": None,  # nothing was asked for
    "/api/v1/match-quality": "/api/v1/match-quality",
    "/api/v1/openapi.json": "/api/v1/openapi.json",
}


def commands(group: object, name: str = "") -> Iterator[str]:
    """Yield every command's words."""
    inner: dict[str, object] | None = getattr(group, "commands", None)
    if inner is None:
        yield name
        return
    for word, command in inner.items():
        yield from commands(command, f"{name} {word}".strip())


def test_every_command_is_either_asked_or_changes_something() -> None:
    known = set(commands(typer.main.get_command(app)))

    assert known == set(READS) | OTHERS


async def ids_of(world: "World") -> dict[str, str]:
    """Return the ids of the person's sale that ended as a dead letter: sale, delivery, webhook."""
    rows = await world.rows(
        "select c.id as sale, d.id as delivery, n.receipt_id as receipt from conversions c"
        " join deliveries d on d.tenant_id = c.tenant_id and d.conversion_id = c.id"
        " join conversion_notices n on n.tenant_id = c.tenant_id and n.conversion_id = c.id"
        " where c.tenant_id = $1 and d.status = 'dead' limit 1"
    )
    return {name: str(rows[0][name]) for name in ("sale", "delivery", "receipt")}


async def test_no_command_shows_who_bought(world: "World", tmp_path: "Path") -> None:
    left = await live(world, world.account, WHO, "ana")
    place = Place(tmp_path, world.url, key=KEY)
    ids = await ids_of(world)
    asked = [
        [*name.split(), *(one.format_map(ids) for one in arguments), *json]
        for name, arguments in READS.items()
        for json in (["--json"], [])
    ]
    asked += [["webhooks", "show", "Curso", str(one), "--json"] for one in left.receipts]
    # Not too many processes at once.
    turns = asyncio.Semaphore(4)

    async def ask(command: list[str]) -> None:
        async with turns:
            done = await asyncio.to_thread(place.run, *command)
        # These find what they find.
        finds = command[0] == "doctor" or command[:2] == ["golive", "check"]
        assert done.returncode == 0 or finds, (command, done.stderr)
        text = (done.stdout + done.stderr).encode()
        assert [] == [word for word in HIDDEN if word in text], command

    await asyncio.gather(*(ask(command) for command in asked))


async def test_no_address_of_the_api_answers_who_bought(world: "World", serve: "Serve") -> None:
    await live(world, world.account, WHO, "ana")
    throttle = Throttle(rate=1000.0, burst=1000)
    api = create_api(
        ApiTools(world.people, world.edge, world.clock, new_id, throttle, [*gateways()])
    )
    url, tenant_id = await serve(api), world.account.tenant.id
    keys = ApiKeys(world.people, world.clock, new_id, tenant_id)
    _, key = await keys.create("program", list(ApiScope), actor="cli:ana")
    ids = await ids_of(world)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as http:
        async with http.get(f"{url}/api/v1/openapi.json") as answer:
            document = await answer.json()
        reads = {path for path, methods in document["paths"].items() if "get" in methods}
        assert reads | {"/api/v1/openapi.json"} == set(API)
        for path in filter(None, API.values()):
            async with http.get(url + path.format_map(ids)) as answer:
                text = await answer.read()

            assert answer.status == 200, (path, text)
            assert [] == [word for word in HIDDEN if word in text], path
