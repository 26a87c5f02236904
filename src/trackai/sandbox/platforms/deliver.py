"""Post a webhook as platforms do: a time limit, no redirects, again when the answer is not 2xx."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

from trackai.sandbox.platforms.sale import SignedWebhook

Sleep = Callable[[float], Awaitable[object]]

TIMEOUT_S = 10.0  # Cakto's; others say 5 or nothing
TRIES = 4
_SAID_BYTES = 1000
_FIRST_PAUSE_S = 0.5  # doubles; platforms wait minutes, a demo does not


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a webhook; `status` None means that no answer came."""

    status: int | None
    tries: int
    said: str = field(
        default="", compare=False
    )  # the beginning of the answer, or why there is none

    @property
    def taken(self) -> bool:
        """Whether the receiver said yes."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - HTTP's 2xx


async def deliver(
    session: aiohttp.ClientSession,
    url: str,
    webhook: SignedWebhook,
    *,
    tries: int = TRIES,
    timeout_s: float = TIMEOUT_S,
    sleep: Sleep = asyncio.sleep,
) -> Delivered:
    """Post the webhook until it is taken or the tries are used up."""
    delivered = Delivered(None, 0)
    for number in range(1, tries + 1):
        status, said = await _post(session, address(url, webhook), webhook, timeout_s)
        delivered = Delivered(status, number, said)
        if delivered.taken:
            break
        if number < tries:
            await sleep(_FIRST_PAUSE_S * 2 ** (number - 1))
    return delivered


def address(url: str, webhook: SignedWebhook) -> str:
    """Return the seller's address with what the platform appends."""
    if not webhook.query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{webhook.query}"


async def _post(
    session: aiohttp.ClientSession, url: str, webhook: SignedWebhook, timeout_s: float
) -> tuple[int | None, str]:
    headers = {"Content-Type": webhook.content_type, **webhook.headers}
    try:
        async with session.post(
            url,
            data=webhook.body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        ) as response:
            body = await response.content.read(_SAID_BYTES)
            return response.status, body.decode("utf-8", "replace")
    except TimeoutError:
        return None, f"no answer within {timeout_s:.0f} s"
    except (aiohttp.ClientError, ValueError) as error:
        return None, str(error) or type(error).__name__
