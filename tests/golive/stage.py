"""A world that the checklist looks at, and everything around it that can be broken."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.alarms.conftest import Tower
from tests.support.world import World

from trackai.alarms.changes import Change, tell_of
from trackai.destinations.http import Http
from trackai.golive.catalogue import ITEMS
from trackai.golive.rules import judge
from trackai.golive.signing import Pen, Signing
from trackai.model.alarm import INSTALLATION, Metric
from trackai.model.clock import new_id
from trackai.model.delivery import CallFacts, Quality
from trackai.model.golive import Checklist, Proof, Verdict
from trackai.operations.golive.desk import FAR, PROOFS, Desk, _proved
from trackai.operations.golive.look import Look, OnCall, Place
from trackai.sandbox.pagerduty import PagerDutySandbox
from trackai.secrets.opening import open_secrets
from trackai.storage import backups, drill_runs, smoke_runs
from trackai.storage.alarm_samples import insert_samples
from trackai.storage.audit_logs import Scribe
from trackai.storage.backups import Backup, Origin
from trackai.storage.dispatch_attempts import Attempt, insert_attempts
from trackai.storage.drill_runs import DrillRun
from trackai.storage.pool import Database, Role, Row
from trackai.storage.schema import pending
from trackai.storage.smoke_runs import SmokeRun

if TYPE_CHECKING:
    from tests.conftest import Serve

VERSION = "1.2.3"
STEPS = ("click", "webhook", "conversion", "queue", "meta", "dashboard", "cleanup")


@dataclass
class Stage:
    """What a test makes hold, and breaks."""

    world: World
    tower: Tower
    http: Http
    serve: "Serve"
    directory: Path
    patch: pytest.MonkeyPatch
    pager_url: str = ""
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def now(self) -> dt.datetime:
        """The world's time."""
        return self.world.clock.now()

    @property
    def pager(self) -> PagerDutySandbox:
        """The stand-in that is called and asked."""
        return self.tower.pager

    async def verdict(self, item: str) -> Verdict:
        """Look at one item as the program does."""
        async with self._look() as bare:
            async with bare.workers.transaction() as tx:
                look = replace(
                    bare, practice=await smoke_runs.list_practice(tx, since=self.now - FAR)
                )
            evidence = await _proved(item, look, asyncio.Semaphore(1)) if item in PROOFS else None
        return judge(ITEMS[item], evidence, None, self.now)

    async def check(self) -> Checklist:
        """Look at all of them as the program does."""
        async with self._look() as look:
            return await Desk(look).check()

    async def sign(self) -> None:
        """Let somebody answer for everything that is signed."""
        (user,) = await self.owner("select id from users limit 1")
        pen, until = Pen(user["id"], "cli:ana"), self.now + dt.timedelta(days=30)
        signing = Signing(self.world.people, self.world.clock, new_id)
        for one in ITEMS.values():
            if one.proof is Proof.SIGNED:
                await signing.sign(one.id, pen, note="Done.", until=until)

    @asynccontextmanager
    async def _look(self) -> AsyncIterator[Look]:
        async with (
            Database.opened(self.world.url, Role.PIPELINE, size=4) as workers,
            Database.opened(self.world.url, Role.ACCESS, size=1) as access,
            open_secrets(self.directory) as secrets,
        ):
            yield Look(
                *(workers, access, self.world.envelope, self.http, self.world.clock, new_id),
                self.place(),
                lambda: pending(self.world.url),
                secrets=secrets,
            )

    def place(self) -> Place:
        """Return what the settings would say."""
        on_call = OnCall(self.pager_url, "key-of-the-pager", schedule="PSCHED1")
        usual = Place(
            base_url="https://localhost:1",
            data_dir=self.directory,
            sqs=None,
            keeps_logs=True,
            backup_days=7,
            backups_elsewhere=False,
            support_contact="suporte@loja.test",
            on_call=on_call,
            version=VERSION,
        )
        return replace(usual, **self.changes)

    async def owner(self, statement: str, *values: object) -> list[Row]:
        """Do something as the tables' owner."""
        async with (
            Database.opened(self.world.url, None, size=1) as database,
            database.transaction() as tx,
        ):
            return await tx.fetch(statement, *values)

    async def smoke(self, *, version: str = VERSION, broken: str = "") -> None:
        """Let a smoke test have ended now."""
        steps = [
            {"step": one, "ok": one != broken, "ms": 12.5, "found": f"{one} was tried"}
            for one in STEPS
        ]
        url = "https://track.loja.test"
        run = SmokeRun(new_id(), self.world.account.tenant.id, new_id(), version, url, self.now)
        async with self.world.workers.transaction() as tx:
            await smoke_runs.insert_run(tx, run)
            await smoke_runs.finish_run(tx, run.id, at=self.now, passed=not broken, steps=steps)

    async def backup(self, *, proved: bool | None = None) -> None:
        """Let a backup have been made now, and perhaps restored."""
        name, now = f"backup-{new_id().hex}", self.now
        async with self.world.workers.transaction() as tx:
            await backups.insert_backup(tx, Backup(name, Origin.OWN, now, now, 10))
            if proved is not None:
                await backups.note_trial(tx, name, at=now, proved=proved)

    async def speak(self, *processes: str) -> None:
        """Let processes say something of themselves."""
        async with self.world.edge.transaction() as tx:
            for name in processes:
                await insert_samples(tx, name, {Metric.CPU_PERCENT: 1.0}, at=self.now)

    async def drill(self, *alarms: str, trouble: str = "") -> None:
        """Let these have been fired on purpose now."""
        async with self.world.workers.transaction() as tx:
            for alarm in alarms:
                run = DrillRun(alarm, self.now, not trouble, trouble)
                await drill_runs.insert_run(tx, new_id(), run)

    async def accept(self) -> None:
        """Let the pixel have taken what is owed to it."""
        (owed, *_) = await self.owner("select * from deliveries")
        same = ("tenant_id", "destination_id", "funnel_id", "receipt_id", "received_at", "gateway")
        attempt = Attempt(
            **{name: owed[name] for name in same},
            id=new_id(),
            delivery_id=owed["id"],
            owed_at=owed["created_at"],
            attempt=1,
            status="accepted",
            reason=None,
            detail=None,
            facts=CallFacts(batch_size=1),
            quality=Quality(60, "em"),
            batch_id=new_id(),
            created_at=self.now,
        )
        async with self.world.workers.transaction() as tx:
            await insert_attempts(tx, [attempt])

    def forward(self, **by: float) -> None:
        """Let time pass."""
        self.world.clock.forward(**by)

    def log(self, **fields: str) -> None:
        """Let a process write a log line now."""
        folder = self.directory / "logs"
        folder.mkdir(exist_ok=True)
        line = {"timestamp": self.now.isoformat(), "level": "info", "event": "x", **fields}
        with (folder / f"{'0' * 32}-worker-7.00001.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    async def call(self) -> None:
        """Let PagerDuty be told of a release, by a route of the installation's."""
        world = self.world
        scribe = Scribe(INSTALLATION, "cli:ana", world.clock, new_id)
        await tell_of(
            Change("1.2.3"), world.people, scribe, clock=world.clock, new_id=new_id, pages=True
        )
        while await self.tower.sender.step():
            pass


Do = Callable[[Stage], Awaitable[None]]
