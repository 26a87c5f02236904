"""A customer of a rehearsal: comes in by an invitation, and sells once to somebody who clicked."""

import ssl

import aiohttp

from trackai.errors import ConfigurationError
from trackai.model.clock import SystemClock, new_id
from trackai.sandbox.platforms import Sale, SaleStatus, platform

PIXEL, TOKEN = "100200300400500", "EAArehearsal0123456789"
SECRET = "rehearsal-secret-0123456789"  # noqa: S105 - as above
PASSWORD = "a long word of the rehearsal"  # noqa: S105 - as above
_OK, _SEE_OTHER, _CREATED = 200, 303, 201


async def come_in(link: str, authority: str) -> None:
    """Take an invitation up, and look at the first page."""
    origin = link.partition("/join/")[0]
    async with _session(authority) as http:
        fields = {"name": "Ana", "password": PASSWORD, "language": "pt"}
        headers = {"Origin": origin}
        async with http.post(link, data=fields, headers=headers, allow_redirects=False) as answer:
            _wanted(answer, _SEE_OTHER)
        async with http.get(f"{origin}/", allow_redirects=False) as answer:
            _wanted(answer, _OK)


async def buy(url: str, authority: str, site_key: str, path: str) -> None:
    """Click on an ad, and buy."""
    click_id, now = f"rehearsal-{new_id().hex}", SystemClock().now()
    async with _session(authority) as http:
        click = {"site_key": site_key, "click_id": click_id, "utm_source": "facebook"}
        async with http.post(f"{url}/api/v1/track/click", json=click) as answer:
            _wanted(answer, _CREATED)
        sender = platform("perfectpay", SECRET)
        sale = Sale(sender.transaction(new_id()), now, click_id=click_id)
        notice = sender.notice(sale, SaleStatus.APPROVED)
        headers = {"Content-Type": notice.content_type, **notice.headers}
        async with http.post(url + path, data=notice.body, headers=headers) as answer:
            _wanted(answer, _OK)


def _session(authority: str) -> aiohttp.ClientSession:
    context = ssl.create_default_context(cafile=authority)
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))


def _wanted(answer: aiohttp.ClientResponse, status: int) -> None:
    if answer.status != status:
        raise ConfigurationError(f"{answer.url.path} answered {answer.status}, not {status}.")
