"""Plays scenes over real HTTP: the page's reports as a browser sends them, then the webhooks."""

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from trackai.model.clock import Clock, NewId
from trackai.sandbox.platforms import Platform, Sale, SaleStatus, SignedWebhook
from trackai.sandbox.platforms.deliver import deliver
from trackai.sandbox.scenes import Scene, Trace

REPORT_TIMEOUT_S = 10.0
CAMPAIGN = {
    "utm_source": "facebook",
    "utm_medium": "cpc",
    "utm_campaign": "cafe|120210001",
    "utm_content": "video-1|120210003",
}
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"


class Narrator(Protocol):
    """Who tells the audience what happens."""

    def tell(self, what: str, text: str, *, good: bool = True) -> None:
        """Tell one thing in one line."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the play takes place."""

    ingest_url: str
    page_url: str
    site_key: str
    webhook_urls: Mapping[str, str]  # by gateway
    platforms: Mapping[str, Platform]  # with the seller's secrets


@dataclass(slots=True)
class Score:
    """What was sent and how it was answered."""

    answers: Counter[str] = field(default_factory=Counter)
    transactions: dict[str, Scene] = field(default_factory=dict)  # "gateway:transaction"


@dataclass(frozen=True, slots=True)
class _Visit:
    click_id: str
    fbclid: str
    fbc: str
    fbp: str


class Player:
    """One browser and four payment platforms."""

    def __init__(
        self,
        stage: Stage,
        session: aiohttp.ClientSession,
        narrator: Narrator,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self.score = Score()
        self._stage = stage
        self._session = session
        self._narrator = narrator
        self._clock = clock
        self._new_id = new_id

    async def play(self, scene: Scene) -> None:
        """Play one scene from the click to the platform's last notice."""
        visit = self._visit()
        if scene.trace is not Trace.UNMATCHED:
            await self._click(visit)
        if scene.trace in {Trace.EMAIL, Trace.PHONE}:
            await self._lead(scene, visit)
        if scene.trace is Trace.CLICK_ID:
            await self._report("initiate_checkout", {"click_id": visit.click_id})
        sale = self._sale(scene, visit)
        if not scene.forged:
            self.score.transactions[f"{scene.gateway}:{sale.transaction}"] = scene
        for status in scene.said:
            await self._notify(scene, sale, status)

    def _visit(self) -> _Visit:
        now_ms = int(self._clock.now().timestamp() * 1000)
        fbclid = "IwAR" + secrets.token_urlsafe(40)
        return _Visit(
            click_id=f"c{self._new_id().hex}",
            fbclid=fbclid,
            fbc=f"fb.1.{now_ms}.{fbclid}",
            fbp=f"fb.1.{now_ms}.{secrets.randbelow(10**10)}",
        )

    async def _click(self, visit: _Visit) -> None:
        await self._report(
            "click",
            {
                "click_id": visit.click_id,
                "fbclid": visit.fbclid,
                "fbc": visit.fbc,
                "fbp": visit.fbp,
                "page_url": f"{self._stage.page_url}/?fbclid={visit.fbclid}",
                "referrer": "https://l.facebook.com/",
                **CAMPAIGN,
            },
        )

    async def _lead(self, scene: Scene, visit: _Visit) -> None:
        known = (
            {"email": scene.person.email}
            if scene.trace is Trace.EMAIL
            else {"phone": scene.person.phone}
        )
        await self._report("lead", {"click_id": visit.click_id, **known})

    async def _report(self, kind: str, fields: Mapping[str, str]) -> None:
        body = {
            **fields,
            "site_key": self._stage.site_key,
            "client_time": self._clock.now().isoformat(),
        }
        url = f"{self._stage.ingest_url}/api/v1/track/{kind}"
        timeout = aiohttp.ClientTimeout(total=REPORT_TIMEOUT_S)
        async with self._session.post(
            url, json=body, headers={"User-Agent": AGENT}, timeout=timeout
        ) as response:
            self.score.answers[f"{kind} {response.status}"] += 1
            self._narrator.tell(
                kind, f"{fields['click_id'][:12]}… -> {response.status}", good=response.ok
            )

    def _sale(self, scene: Scene, visit: _Visit) -> Sale:
        platform = self._stage.platforms[scene.gateway]
        carried = scene.trace is Trace.CLICK_ID
        return Sale(
            transaction=platform.transaction(self._new_id()),
            sold_at=self._clock.now(),
            amount_minor=scene.amount_minor,
            buyer=scene.person,
            payment=scene.payment,
            click_id=visit.click_id if carried else None,
            fbc=visit.fbc if scene.trace is Trace.FBCLID else None,
            fbp=visit.fbp if scene.trace is Trace.FBP else None,
            utm_source=CAMPAIGN["utm_source"] if carried else None,
            utm_medium=CAMPAIGN["utm_medium"] if carried else None,
            utm_campaign=CAMPAIGN["utm_campaign"] if carried else None,
            utm_content=CAMPAIGN["utm_content"] if carried else None,
        )

    async def _notify(self, scene: Scene, sale: Sale, status: SaleStatus) -> None:
        platform = self._stage.platforms[scene.gateway]
        now = self._clock.now()
        last = status is scene.said[-1]
        for webhook in platform.notices(sale, status, at=now, forge=scene.forged):
            for number in range(1 + (scene.repeats if last else 0)):
                await self._send(scene, status, webhook, again=number > 0)

    async def _send(
        self, scene: Scene, status: SaleStatus, webhook: SignedWebhook, *, again: bool
    ) -> None:
        url = self._stage.webhook_urls[scene.gateway]
        # A forger does not come back; a platform does.
        delivered = await deliver(self._session, url, webhook, tries=1 if scene.forged else 4)
        self.score.answers["webhook"] += 1
        self.score.answers[f"webhook {delivered.status}"] += 1
        if scene.forged:
            self.score.answers[f"forged {delivered.status}"] += 1
        what = "forged" if scene.forged else "webhook"
        text = f"{scene.gateway} {status}{' again' if again else ''} -> {delivered.status}"
        self._narrator.tell(what, text, good=delivered.taken is not scene.forged)
