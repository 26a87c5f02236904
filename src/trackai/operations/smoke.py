"""The smoke test: one made-up sale all the way, from a click to what a program reads of it.

1. click       a visit is reported as pages report it
2. webhook     PerfectPay's notice of a paid sale, signed
3. conversion  the sale is stored and matched to that click; read in PostgreSQL where it is at hand
4. queue       what the sale owes was handed out to a worker
5. meta        the pixel took it, among its test events or at a stand-in
6. dashboard   the numbers and the list of events show it

It runs under an account that was made for it (practice.py), over the deployment's own address. How
the sale is worded is the caller's: stand-ins of platforms are no part of what runs in production.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

from trackai.errors import TrackaiError
from trackai.model.clock import NewId
from trackai.operations.practice import GATEWAY, Step, Ticket
from trackai.storage import conversions
from trackai.storage.pool import Database

# A step that takes longer than this has failed.
PATIENCE_S = 60.0
POLL_S = 0.2
REQUEST_S = 15.0
UTM = {"utm_source": "smoke", "utm_medium": "test", "utm_campaign": "smoke-test"}


class StepFailed(Exception):
    """Why a step did not come to its end, in a sentence."""


class TicketRefused(StepFailed):
    """The deployment does not take the account's key."""


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A sale that nobody made: its id, and its notice as the platform posts it."""

    transaction: str
    body: bytes
    headers: Mapping[str, str]


# Words a sale that came with this click, proved by this secret.
Word = Callable[[str, str], MadeUp]


@dataclass
class Smoke:
    """One run."""

    url: str  # of the deployment, without a slash at the end
    ticket: Ticket
    http: aiohttp.ClientSession
    word: Word
    new_id: NewId
    database: Database | None = None  # None: only what the deployment answers is known
    patience_s: float = PATIENCE_S
    steps: list[Step] = field(default_factory=list)
    _click: str = ""
    _before: Mapping[str, Any] = field(default_factory=dict)
    _sale: MadeUp | None = None

    async def run(self) -> Sequence[Step]:
        """Go step by step; the first that fails is the last."""
        for name, work in (
            ("click", self._report_click),
            ("webhook", self._tell),
            ("conversion", self._find_conversion),
            ("queue", self._see_handed_out),
            ("meta", self._see_accepted),
            ("dashboard", self._see_shown),
        ):
            if not await self._step(name, work):
                break
        return self.steps

    async def ask(self) -> Sequence[Step]:
        """Ask whether the deployment still knows the ticket, and send nothing."""
        await self._step("ticket", self._see_known)
        return self.steps

    async def _step(self, name: str, work: Callable[[], Awaitable[str]]) -> bool:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self.patience_s):
                ok, found = True, await work()
        except StepFailed as error:
            ok, found = False, str(error)
        except TimeoutError:
            ok, found = False, f"nothing within {self.patience_s:g} s"
        except (aiohttp.ClientError, OSError) as error:
            ok, found = False, f"{self.url} was not reached ({type(error).__name__})"
        except TrackaiError as error:
            ok, found = False, f"{error} [{error.code}]"
        took_ms = round(1000 * (time.perf_counter() - began), 1)
        self.steps.append(Step(name, ok, took_ms, found))
        return ok

    async def _see_known(self) -> str:
        try:
            await self._get(_NUMBERS, {"period": "1h"})
        except TicketRefused:
            raise StepFailed(
                "the account of this ticket is closed: trackai smoke --prepare makes another"
            ) from None
        except (StepFailed, aiohttp.ClientError, OSError) as error:
            # Whoever asks is about to bring a version there; this is no word about the ticket.
            return f"{self.url} could not be asked ({error})"
        return "the account of this ticket is there"

    async def _report_click(self) -> str:
        # A ticket serves many runs: what an earlier one left in the numbers is not this one's.
        self._before = await self._get(_NUMBERS, {"period": "1h"}) or {}
        self._click = f"smoke-{self.new_id().hex}"
        body = {"site_key": self.ticket.site_key, "click_id": self._click, **UTM}
        body["page_url"] = f"{self.url}/smoke-test"
        await self._post("/api/v1/track/click", msgspec.json.encode(body), {}, 201)
        return f"click {self._click} is stored"

    async def _tell(self) -> str:
        sale = self._sale = self.word(self._click, self.ticket.secret)
        await self._post(self.ticket.webhook, sale.body, sale.headers, 200)
        return f"the webhook of {sale.transaction} is taken"

    async def _find_conversion(self) -> str:
        known = await self._until(self._matched, "the sale was not matched to its click")
        place = "PostgreSQL" if self.database else "the API"
        return f"conversion {known['conversion_id']} in {place}, matched by {known['strategy']}"

    async def _see_handed_out(self) -> str:
        event = await self._until(
            self._handed_out, "no worker took it from the queue: is one running?"
        )
        return f"delivery {event['id']} was handed out, {event['attempts']} tries so far"

    async def _see_accepted(self) -> str:
        event = await self._until(self._accepted, "the pixel did not take it")
        return f"pixel {event['pixel_id']} took {event['event_id']}"

    async def _see_shown(self) -> str:
        more = await self._until(self._counted, "the numbers do not show the sale")
        return f"{more['sales']} sale, {more['matched']} matched, {more['accepted']} sent"

    async def _matched(self) -> Mapping[str, Any] | None:
        transaction = self._made.transaction
        if self.database is not None and not await self._is_stored(transaction):
            return None
        found = await self._get(f"/api/v1/conversions/{GATEWAY}:{transaction}/match", {})
        return found if found and found["click_id"] == self._click else None

    async def _is_stored(self, transaction: str) -> bool:
        assert self.database is not None  # noqa: S101 - asked for by whoever has one
        tenant_id = self.ticket.tenant_id
        async with self.database.transaction() as tx:
            known = await conversions.find_sale(
                tx, tenant_id=tenant_id, gateway=GATEWAY, transaction=transaction
            )
        return known is not None

    async def _event(self) -> Mapping[str, Any] | None:
        asked = {"event_id": f"{GATEWAY}:{self._made.transaction}", "period": "1h"}
        found = await self._get("/api/v1/analytics/events", asked)
        event: Mapping[str, Any] | None = next(iter(found["events"] if found else ()), None)
        return event

    async def _handed_out(self) -> Mapping[str, Any] | None:
        event = await self._event()
        return event if event and (event["attempts"] or event["status"] != "pending") else None

    async def _accepted(self) -> Mapping[str, Any] | None:
        event = await self._event()
        if event and event["status"] in {"dead", "withheld"}:
            raise StepFailed(f"the pixel refused it: {event['reason']}")
        return event if event and event["status"] == "accepted" else None

    async def _counted(self) -> Mapping[str, Any] | None:
        before = self._before["current"]
        # From the same minute as then, so that nothing has gone out of it.
        found = await self._get(_NUMBERS, {"from": before["period"]["from"]})
        if not found:
            return None
        more = {name: found["current"][name] - before[name] for name in _COUNTED}
        return more if min(more.values()) > 0 else None

    @property
    def _made(self) -> MadeUp:
        if self._sale is None:
            raise StepFailed("no sale was told")
        return self._sale

    async def _until(
        self, look: Callable[[], Awaitable[Mapping[str, Any] | None]], otherwise: str
    ) -> Mapping[str, Any]:
        """Look until there is something; the sentence says what it means when there never is."""
        with suppress(TimeoutError):
            # Before the step's own time is over, so that the sentence is told.
            async with asyncio.timeout(self.patience_s * 0.9):
                while True:
                    if found := await look():
                        return found
                    await asyncio.sleep(POLL_S)
        raise StepFailed(otherwise)

    async def _post(self, path: str, body: bytes, headers: Mapping[str, str], wanted: int) -> None:
        told = {"Content-Type": "application/json", **headers}
        async with self.http.post(
            self.url + path, data=body, headers=told, allow_redirects=False, timeout=_TIMEOUT
        ) as answer:
            if answer.status != wanted:
                said = (await answer.content.read(300)).decode("utf-8", "replace")
                raise StepFailed(f"answered {answer.status}, not {wanted}: {said}")

    async def _get(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any] | None:
        """Return what the API answers; None while there is nothing there."""
        headers = {"Authorization": f"Bearer {self.ticket.api_key}"}
        async with self.http.get(
            self.url + path, params=query, headers=headers, timeout=_TIMEOUT, allow_redirects=False
        ) as answer:
            if answer.status == _NOT_FOUND:
                return None
            if answer.status in _REFUSED:
                raise TicketRefused(f"{path} answered {answer.status}")
            if answer.status != _OK:
                raise StepFailed(f"{path} answered {answer.status}")
            found: Mapping[str, Any] = await answer.json()
            return found


_OK, _NOT_FOUND, _REFUSED = 200, 404, frozenset({401, 403})
_NUMBERS = "/api/v1/analytics/metrics"
_COUNTED = ("sales", "matched", "accepted")
_TIMEOUT = aiohttp.ClientTimeout(total=REQUEST_S)
