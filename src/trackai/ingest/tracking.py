"""POST /api/v1/track/...: clicks and page events, answered after they are committed.

A report names its tenant by header or by the public site key. It is idempotent on the id that the
page made; the server makes one where the page did not. Server time is the truth, the browser's
clock is kept beside it. Raw e-mail addresses and phone numbers end here: only keys go on.
"""

from dataclasses import dataclass
from urllib.parse import parse_qs
from uuid import UUID

import msgspec

from trackai.errors import TenantMissing, TooManyRequests, UnknownTenant, UnsupportedBody
from trackai.ingest.bodies import Body, ClickBody, LeadBody, PageviewBody, parse_body
from trackai.ingest.client_address import TrustedProxies
from trackai.ingest.directory import Directory
from trackai.ingest.fields import (
    ad_parameters,
    is_id,
    parse_client_time,
    parse_digest,
    parse_id,
    parse_uuid,
    short_id,
    without_query,
)
from trackai.ingest.stores import Stores
from trackai.ingest.throttle import Throttle
from trackai.ingest.wire import ANY_ORIGIN, JSON_TYPE, Answer, Request
from trackai.model.click import (
    AdIdentifiers,
    Click,
    PageEvent,
    PageEventKind,
    Utm,
    Visitor,
    fbclid_of,
)
from trackai.model.clock import Clock, NewId
from trackai.model.identity import identity_keys
from trackai.model.tenant import Tenant

MOST_BODY_BYTES = 64 * 1024
MOST_USER_AGENT = 1000
MOST_SITE_KEY = 128

_CREATED = (JSON_TYPE, ANY_ORIGIN)
# text/plain is what sendBeacon sends without asking the server first.
_CONTENT_TYPES = frozenset({b"application/json", b"text/plain"})
_UUID_LENGTH = 36

_CLICK = msgspec.json.Decoder(ClickBody)
_PAGEVIEW = msgspec.json.Decoder(PageviewBody)
_LEAD = msgspec.json.Decoder(LeadBody)


@dataclass(frozen=True, slots=True)
class Tracking:
    """The track addresses."""

    directory: Directory
    throttle: Throttle
    proxies: TrustedProxies
    clock: Clock
    new_id: NewId
    stores: Stores

    async def click(self, request: Request) -> Answer:
        """Store a click; 201 with its id, also when it is there already."""
        tenant, body = await self._admit(request, _CLICK)
        click_id = parse_id(body.click_id, "click_id") or short_id("c", self.new_id())
        from_url = ad_parameters(body.page_url)
        click = Click(
            tenant_id=tenant.id,
            click_id=click_id,
            received_at=self.clock.now(),
            ads=_ads(body, from_url),
            utm=_utm(body, from_url),
            visitor=self._visitor(request),
            funnel_id=parse_uuid(body.funnel_id, "funnel_id"),
            client_time=parse_client_time(body.client_time),
            page_url=without_query(body.page_url),
            referrer=without_query(body.referrer),
        )
        await self.stores.clicks.add(click)
        return Answer(201, b'{"click_id":"%b"}' % click_id.encode(), _CREATED)

    async def pageview(self, request: Request) -> Answer:
        """Store a page view."""
        tenant, body = await self._admit(request, _PAGEVIEW)
        return await self._keep(tenant, PageEventKind.PAGEVIEW, body, ())

    async def initiate_checkout(self, request: Request) -> Answer:
        """Store a started checkout and who started it."""
        tenant, body = await self._admit(request, _LEAD)
        return await self._keep(tenant, PageEventKind.INITIATE_CHECKOUT, body, _identities(body))

    async def lead(self, request: Request) -> Answer:
        """Store a lead and who it is."""
        tenant, body = await self._admit(request, _LEAD)
        return await self._keep(tenant, PageEventKind.LEAD, body, _identities(body))

    async def identify(self, request: Request) -> Answer:
        """Store who a page's visitor is."""
        tenant, body = await self._admit(request, _LEAD)
        return await self._keep(tenant, PageEventKind.IDENTIFY, body, _identities(body))

    async def _keep(
        self,
        tenant: Tenant,
        kind: PageEventKind,
        body: PageviewBody,
        identities: tuple[tuple[str, bytes], ...],
    ) -> Answer:
        event_id = parse_id(body.event_id, "event_id") or short_id("e", self.new_id())
        event = PageEvent(
            tenant_id=tenant.id,
            kind=kind,
            event_key=event_id,
            received_at=self.clock.now(),
            click_id=parse_id(body.click_id, "click_id"),
            funnel_id=parse_uuid(body.funnel_id, "funnel_id"),
            client_time=parse_client_time(body.client_time),
            page_url=without_query(body.page_url),
            referrer=without_query(body.referrer),
            fbp=body.fbp or None,
            identities=identities,
        )
        await self.stores.page_events.add(event)
        return Answer(201, b'{"event_id":"%b"}' % event_id.encode(), _CREATED)

    async def _admit(
        self, request: Request, decoder: "msgspec.json.Decoder[Body]"
    ) -> tuple[Tenant, Body]:
        content_type = request.headers.get(b"content-type", b"")
        if content_type.partition(b";")[0].strip().lower() not in _CONTENT_TYPES:
            raise UnsupportedBody("Send JSON as application/json or text/plain.")
        body = parse_body(decoder, await request.body(MOST_BODY_BYTES))
        tenant = await find_tenant(self.directory, request, body.site_key)
        wait_s = self.throttle.wait_s(tenant.id)
        if wait_s:
            raise TooManyRequests("Too many reports for this tenant.", retry_after_s=wait_s)
        return tenant, body

    def _visitor(self, request: Request) -> Visitor:
        agent = request.headers.get(b"user-agent", b"")[:MOST_USER_AGENT].decode("latin-1")
        forwarded = request.all_of(b"x-forwarded-for") if self.proxies else ()
        return Visitor(self.proxies.client_address(request.peer, forwarded), agent or None)


async def find_tenant(directory: Directory, request: Request, site_key: str | None) -> Tenant:
    """Return the tenant that a request names; the first of header, query and body that does."""
    if request.headers.get(b"x-tenant-id"):
        return await find_tenant_by_id(directory, request)
    key = _site_key(request) or site_key
    if not key:
        raise TenantMissing(
            "No tenant was named. Send the header x-tenant-id, or the site key as header "
            "x-site-key, as site_key in the query or as site_key in the body."
        )
    tenant = await directory.site_keys.find(key) if is_id(key, most=MOST_SITE_KEY) else None
    if tenant is None:
        raise _unknown_tenant()
    return tenant


async def find_tenant_by_id(directory: Directory, request: Request) -> Tenant:
    """Return the tenant in the header x-tenant-id; the site key, which is public, is not asked."""
    named = request.headers.get(b"x-tenant-id")
    if not named:
        raise TenantMissing("No tenant was named. Send the header x-tenant-id.")
    tenant = await directory.tenants.find(_tenant_id(named.decode("latin-1")))
    if tenant is None:
        raise _unknown_tenant()
    return tenant


def _tenant_id(text: str) -> UUID:
    try:
        if len(text) == _UUID_LENGTH:
            return UUID(text)
    except ValueError:
        pass
    raise _unknown_tenant()


def _unknown_tenant() -> UnknownTenant:
    return UnknownTenant("There is no such tenant. Check the tenant id or the site key.")


def _site_key(request: Request) -> str | None:
    header = request.headers.get(b"x-site-key")
    if header:
        return header.decode("latin-1")
    query = request.query
    if "site_key=" not in query:
        return None
    return parse_qs(query).get("site_key", [None])[0]


def _identities(body: LeadBody) -> tuple[tuple[str, bytes], ...]:
    # A key is made from the raw value or from its hash alike.
    return identity_keys(
        email=parse_digest(body.email_sha256, "email_sha256") or body.email,
        phone=parse_digest(body.phone_sha256, "phone_sha256") or body.phone,
        external_id=body.external_id,
    )


def _ads(body: ClickBody, from_url: dict[str, str]) -> AdIdentifiers:
    return AdIdentifiers(
        fbclid=body.fbclid or from_url.get("fbclid") or fbclid_of(body.fbc),
        fbc=body.fbc or None,
        fbp=body.fbp or None,
        gclid=body.gclid or from_url.get("gclid"),
        ttclid=body.ttclid or from_url.get("ttclid"),
    )


def _utm(body: ClickBody, from_url: dict[str, str]) -> Utm:
    return Utm(
        source=body.utm_source or from_url.get("utm_source"),
        medium=body.utm_medium or from_url.get("utm_medium"),
        campaign=body.utm_campaign or from_url.get("utm_campaign"),
        content=body.utm_content or from_url.get("utm_content"),
        term=body.utm_term or from_url.get("utm_term"),
    )
