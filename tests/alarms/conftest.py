"""A world that is watched: an evaluator and a sender as a worker has them, and who is called."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from tests.support.world import World, open_world

from trackai.alarms.catalogue import ALARMS, watched
from trackai.alarms.choices import Choices, NewRoute
from trackai.alarms.evaluator import Evaluator, Really, Watch
from trackai.alarms.message import Sender as Who
from trackai.alarms.sender import Calls, Sender, Stored
from trackai.alarms.ways.opening import open_ways
from trackai.destinations.http import Http, open_http
from trackai.mail.port import Letter
from trackai.model.alarm import INSTALLATION, Metric, RouteKind, Severity, Standing, Subject
from trackai.model.clock import new_id
from trackai.sandbox.pagerduty import PagerDutySandbox
from trackai.storage.alarm_samples import insert_samples
from trackai.storage.alarm_signals import load_signals_all_tenants
from trackai.storage.alarms_key import make_all_tenants
from trackai.storage.audit_logs import Scribe
from trackai.tracker.public_web import PublicWeb

if TYPE_CHECKING:
    from tests.conftest import Serve

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
ENVIRONMENT = "test/track.example.com"


@dataclass
class Post:
    """Takes letters."""

    letters: list[Letter] = field(default_factory=list)

    @property
    def reaches_people(self) -> bool:
        return True

    async def send(self, letter: Letter) -> None:
        self.letters.append(letter)


@dataclass
class Tower:
    """What watches a world, whom it calls, and what arrives there."""

    world: World
    evaluator: Evaluator
    sender: Sender
    pager: PagerDutySandbox
    post: Post

    def choices(self, tenant_id: UUID = INSTALLATION) -> Choices:
        """Return what an owner of routes decides with."""
        scribe = Scribe(tenant_id, "cli:ana", self.world.clock, new_id)
        world = self.world
        return Choices(world.people, world.envelope, world.clock, new_id, scribe)

    async def page(self, least: Severity = Severity.MEDIUM) -> UUID:
        """Have the installation's people called by PagerDuty."""
        new = NewRoute(RouteKind.PAGERDUTY, "on call", secret=ROUTING_KEY, least=least)
        route, _ = await self.choices().add_route(new)
        return route.id

    async def say(self, **values: float) -> None:
        """Let a process say this of itself now."""
        found = {Metric(name): value for name, value in values.items()}
        async with self.world.edge.transaction() as tx:
            await insert_samples(tx, "test", found, at=self.world.clock.now())

    async def look(self, minutes: float = 0, **values: float) -> None:
        """Let so many minutes pass, every half of which somebody looks; the process says this."""
        for _ in range(max(1, round(minutes * 2))):
            if minutes:
                self.world.clock.forward(seconds=30)
            if values:
                await self.say(**values)
            await self.evaluator.step()
            while await self.sender.step():
                pass

    async def standings(self) -> Mapping[Subject, Standing]:
        """Return how everything stands."""
        async with self.world.workers.transaction() as tx:
            return await load_signals_all_tenants(tx)

    async def standing(
        self, alarm: str, tenant_id: UUID = INSTALLATION, name: str = ""
    ) -> Standing:
        """Return how one alarm stands."""
        return (await self.standings())[Subject(tenant_id, alarm, name)]

    def key(self, *parts: object) -> str:
        """Return the key of calls for this."""
        return "/".join([ENVIRONMENT, *map(str, parts)])


def evaluator_of(world: World, *, pages: bool = True) -> Evaluator:
    """Return an evaluator as another worker has it."""
    alarms = watched(production=True)
    watch = Watch(alarms, Really(alarms, ["fold", "purge"], pages), ENVIRONMENT)
    return Evaluator(world.workers, watch, world.clock, new_id)


def sender_of(
    world: World, http: Http, pager_url: str, post: Post | None, web: PublicWeb | None = None
) -> Sender:
    """Return a sender as another worker has it."""
    ways = open_ways(*(http, world.clock, post), pagerduty_url=pager_url, web=web or PublicWeb())
    who = Who("https://track.example.com", ENVIRONMENT)
    calls = Calls(who, ALARMS, ways, Stored(world.envelope))
    return Sender(world.workers, calls, world.clock)


@pytest.fixture
async def world(fresh_database_url: str) -> AsyncIterator[World]:
    """Yield one account on a database that this test alone uses."""
    async with open_world(fresh_database_url) as made:
        async with made.workers.transaction() as tx:
            await make_all_tenants(tx, made.envelope)
        yield made


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with open_http() as opened:
        yield opened


@pytest.fixture
async def tower(world: World, http: Http, serve: "Serve") -> Tower:
    """Return what watches the world; nobody is called yet."""
    pager, post = PagerDutySandbox(world.clock), Post()
    pager.add_service(ROUTING_KEY)
    sender = sender_of(world, http, await serve(pager), post)
    return Tower(world, evaluator_of(world), sender, pager, post)
