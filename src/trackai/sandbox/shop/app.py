"""The shop as one ASGI application: landing page, a checkout a platform, webhooks after payment.

It plays the advertiser's page and the payment platform; Track AI hears of both only over HTTP.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import aiohttp

from trackai.model.clock import Clock, NewId
from trackai.sandbox.asgi import (
    Receive,
    Reply,
    Request,
    Scope,
    Send,
    language_of,
    parse_form,
    read_request,
    send_reply,
    serve_lifespan,
)
from trackai.sandbox.platforms import Person, Sale, SaleStatus, platform
from trackai.sandbox.platforms.deliver import Delivered, deliver
from trackai.sandbox.shop import pages
from trackai.sandbox.shop.assets import LANDING_SCRIPT, csp_source
from trackai.sandbox.shop.words import LANGUAGES, PRICE_MINOR, PRODUCT_ID, WORDS

_MAX_BODY = 32 * 1024  # bytes
_MAX_FIELD = 200  # characters of what a buyer types
_MAX_CARRIED = 1_000  # characters of what an address carries
_TRIES = 2  # a person waits for the page
_TIMEOUT_S = 5.0
_NOT_DIGIT = re.compile(r"[^0-9]")
_LOCAL_PHONE = (10, 11)  # area code and number, without the country's 55

# Address parameters that a checkout keeps for its webhook, beside the click id's own.
_CARRIED = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "fbp", "fbc")
_FORM_CARRIED = (*_CARRIED, "click_id")


class Shop:
    """Sells one invented course through every gateway that has a webhook address."""

    def __init__(
        self,
        *,
        ingest_url: str,
        site_key: str,
        webhook_urls: Mapping[str, str],
        secrets: Mapping[str, str],
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._tracker = pages.Tracker(f"{ingest_url.rstrip('/')}/t.js", site_key)
        self._webhook_urls = webhook_urls
        self._secrets = secrets
        self._clock = clock
        self._new_id = new_id
        self.gateways = [name for name in pages.TITLES if name in webhook_urls]
        self._headers = _headers(ingest_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
        elif scope["type"] == "http":
            request = await read_request(scope, receive, max_body=_MAX_BODY)
            reply = Reply(413) if request is None else await self._answer(request)
            await send_reply(reply, receive, send)

    async def _answer(self, request: Request) -> Reply:
        language = language_of(request, LANGUAGES)
        parts = request.path.strip("/").split("/")
        match request.method, parts:
            case (("GET" | "HEAD"), [""]):
                switch = {k: v for k, v in request.query.items() if k != "lang"}
                asked = request.query.get("consent", self._tracker.consent)
                tracker = replace(self._tracker, consent=asked)
                page = pages.landing(language, self.gateways, tracker, switch)
                return self._page(page)
            case (("GET" | "HEAD"), ["checkout", name]) if name in self.gateways:
                return self._checkout(name, language, request)
            case "POST", ["checkout", name] if name in self.gateways:
                return await self._pay(name, language, request)
            case _:
                return self._page(pages.trouble(language, "not_found"), 404)

    def _checkout(self, gateway: str, language: str, request: Request) -> Reply:
        click_id = request.query.get(pages.CLICK_PARAMETERS[gateway], "")[:_MAX_CARRIED]
        carried = {k: request.query[k][:_MAX_CARRIED] for k in _CARRIED if request.query.get(k)}
        return self._page(pages.checkout(language, gateway, carried, click_id))

    async def _pay(self, gateway: str, language: str, request: Request) -> Reply:
        try:
            form = parse_form(request.body)
        except ValueError:
            form = {}
        sale = self._sale(gateway, language, form, request)
        if sale is None:
            return self._page(pages.trouble(language, "bad_form"), 422)
        outcome = await self._tell(gateway, sale)
        page = pages.thanks(language, gateway, sale.transaction, sale.click_id or "", outcome)
        return self._page(page)

    def _sale(
        self, gateway: str, language: str, form: Mapping[str, str], request: Request
    ) -> Sale | None:
        name, email = (form.get(k, "").strip()[:_MAX_FIELD] for k in ("full_name", "email"))
        phone = _NOT_DIGIT.sub("", form.get("phone", "")[:_MAX_FIELD])
        if not (name and "@" in email and phone):
            return None
        agent = request.headers.get("user-agent", "")[:_MAX_FIELD] or Person().user_agent
        carried = {key: form.get(key, "")[:_MAX_CARRIED] or None for key in _FORM_CARRIED}
        return Sale(
            transaction=platform(gateway, "").transaction(self._new_id()),
            sold_at=self._clock.now(),
            amount_minor=PRICE_MINOR,
            buyer=Person(
                full_name=name,
                email=email,
                phone=f"55{phone}" if len(phone) in _LOCAL_PHONE else phone,
                user_agent=agent,
            ),
            product=WORDS[language]["product"],
            product_id=PRODUCT_ID,
            payment="pix" if form.get("payment") == "pix" else "credit_card",
            click_id=carried["click_id"],
            utm_source=carried["utm_source"],
            utm_medium=carried["utm_medium"],
            utm_campaign=carried["utm_campaign"],
            utm_content=carried["utm_content"],
            utm_term=carried["utm_term"],
            fbp=carried["fbp"],
            fbc=carried["fbc"],
        )

    async def _tell(self, gateway: str, sale: Sale) -> Delivered:
        """Send what the platform would: with Pix, first that it waits. Returns the last's fate."""
        sender = platform(gateway, self._secrets[gateway])
        waits = [SaleStatus.PENDING] if sale.payment == "pix" else []
        outcome = Delivered(None, 0)
        async with aiohttp.ClientSession() as session:
            for status in [*waits, SaleStatus.APPROVED]:
                for webhook in reversed(sender.notices(sale, status)):
                    outcome = await deliver(
                        session,
                        self._webhook_urls[gateway],
                        webhook,
                        tries=_TRIES,
                        timeout_s=_TIMEOUT_S,
                    )
        return outcome

    def _page(self, html: str, status: int = 200) -> Reply:
        body = html.encode("utf-8", "replace")
        return Reply(status, body, content_type="text/html; charset=utf-8", headers=self._headers)


def _headers(ingest_url: str) -> dict[str, str]:
    parts = urlsplit(ingest_url)
    track_ai = f"{parts.scheme}://{parts.netloc}"
    return {
        "cache-control": "no-store",
        "content-security-policy": (
            f"default-src 'none'; script-src {track_ai} {csp_source(LANDING_SCRIPT)}; "
            f"style-src 'unsafe-inline'; connect-src {track_ai}; form-action 'self'; "
            "base-uri 'none'"
        ),
        "referrer-policy": "same-origin",
        "vary": "Accept-Language",
        "x-content-type-options": "nosniff",
    }
