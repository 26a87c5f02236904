"""Opens the desk at which the go-live checklist is looked at, for commands and for pages."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from uuid import UUID

from trackai.cli.installation import Installation
from trackai.destinations.http import open_http
from trackai.golive.signing import Pen, Signing
from trackai.model.clock import SystemClock, new_id
from trackai.model.golive import Checklist
from trackai.operations.golive.desk import AT_ONCE, Desk
from trackai.operations.golive.look import Look, OnCall, Place
from trackai.secrets.opening import open_secrets
from trackai.settings import ELSEWHERE, Pager, QueueEngine, Settings
from trackai.storage.pool import Role
from trackai.storage.schema import pending

# Pages that are opened again and again do not look again and again.
LASTS = dt.timedelta(seconds=10)


@asynccontextmanager
async def open_desk(here: Installation) -> AsyncIterator[Desk]:
    """Open databases and a way out for the length of a block."""

    async def lacking() -> Sequence[str]:
        return await pending(here.url)

    async with (
        here.database(Role.PIPELINE, size=AT_ONCE) as workers,
        here.database(Role.ACCESS, size=1) as access,
        open_http() as http,
        open_secrets(here.settings.secrets_dir) as secrets,
    ):
        place = place_of(here.settings)
        tools = (workers, access, here.envelope, http, SystemClock(), new_id)
        yield Desk(Look(*tools, place, lacking, secrets=secrets))


def place_of(settings: Settings) -> Place:
    """Return what the settings say of the installation."""
    queues = (settings.sqs_queue, settings.sqs_dead_queue)
    return Place(
        base_url=settings.base_url,
        data_dir=settings.data_dir,
        sqs=queues if settings.queue is QueueEngine.SQS else None,
        keeps_logs=settings.log_mib > 0,
        backup_days=settings.backup_days,
        backups_elsewhere=settings.backup_to == ELSEWHERE,
        support_contact=settings.support_contact,
        on_call=_on_call(settings),
        version=version("trackai"),
        environment=settings.environment.value,
        production=settings.production,
        calls_elsewhere=settings.pager is Pager.ELSEWHERE,
        log_groups=settings.log_groups,
    )


def _on_call(settings: Settings) -> OnCall | None:
    key, schedule = settings.pagerduty_api_key, settings.pagerduty_schedule or ""
    policy = settings.pagerduty_policy or ""
    if key is None or not (schedule or policy):
        return None
    return OnCall(settings.pagerduty_api_url, key.get_secret_value(), schedule, policy)


class Pages:
    """The checklist as pages ask for it: looked at when somebody comes, now and then."""

    def __init__(self, here: Installation) -> None:
        self._here = here
        self._alone = asyncio.Lock()
        self._last: Checklist | None = None

    async def check(self) -> Checklist:
        """Return the checklist of a moment ago, or of now."""
        async with self._alone:
            last, now = self._last, SystemClock().now()
            if last is None or now - last.at > LASTS:
                async with open_desk(self._here) as desk:
                    last = self._last = await desk.check()
        return last

    async def sign(
        self, item: str, user_id: UUID, actor: str, *, note: str, until: dt.datetime
    ) -> None:
        """Sign an item in somebody's name."""
        async with self._here.database(Role.APP, size=1) as people:
            signing = Signing(people, SystemClock(), new_id)
            await signing.sign(item, Pen(user_id, actor), note=note, until=until)
        self._last = None

    async def withdraw(self, item: str, user_id: UUID, actor: str) -> None:
        """Take a signature back."""
        async with self._here.database(Role.APP, size=1) as people:
            await Signing(people, SystemClock(), new_id).withdraw(item, Pen(user_id, actor))
        self._last = None
