"""A program of the customer's own, told by a signed POST; docs/alarms.md says how to prove it.

The address is whatever somebody wrote: it leads to the public web, or nowhere.
"""

import hashlib
import hmac

import msgspec

from trackai.alarms.message import Message
from trackai.alarms.ways.port import Again, Outcome, Refused, Went
from trackai.model.alarm import Deed
from trackai.model.clock import Clock
from trackai.storage.alarm_routes import Target
from trackai.tracker.public_web import NoPage, PublicWeb

SIGNATURE = "Trackai-Signature"
CALL_ID = "Trackai-Call"
_OK, _REDIRECT, _GONE = 200, 300, 410
# No try will ever reach these.
_NEVER = frozenset({NoPage.NO_ADDRESS, NoPage.NOT_PUBLIC})


class SignedWebhook:
    """Posts JSON with an HMAC-SHA256 over time and body."""

    ready = True  # nothing has to be set up for it

    def __init__(self, web: PublicWeb, clock: Clock) -> None:
        self._web = web
        self._clock = clock

    async def tell(self, message: Message, target: Target) -> Outcome:
        """Post once; any 2xx is a yes, and 410 says never again."""
        body = msgspec.json.encode(document_of(message))
        headers = {
            "Content-Type": "application/json",
            CALL_ID: message.call_id,
            SIGNATURE: sign(body, target.secret, at=int(self._clock.now().timestamp())),
        }
        return outcome_of(await self._web.post(target.address, body, headers))


def sign(body: bytes, secret: str, *, at: int) -> str:
    """Return `t=<Unix seconds>,v1=<hex>`: HMAC-SHA256 of `<t>.<body>` under the route's secret."""
    signed = str(at).encode() + b"." + body
    return f"t={at},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def document_of(message: Message) -> dict[str, object]:
    """Return what programs read."""
    if message.deed is Deed.CHANGE:
        return {
            "id": message.call_id,
            "event": f"change.{message.alarm}",
            "key": message.key,
            "title": message.title,
            "changed_at": message.fired_at.isoformat(),
            "link": message.link,
            "details": dict(message.details),
        }
    return {
        "id": message.call_id,
        "event": f"alarm.{message.deed.value}",
        "key": message.key,
        "alarm": message.alarm,
        "severity": message.severity.value,
        "title": message.title,
        "meaning": message.text,
        "fired_at": message.fired_at.isoformat(),
        "runbook_url": message.runbook_url,
        "alarm_url": message.alarm_url,
        "details": dict(message.details),
    }


def outcome_of(answer: int | NoPage) -> Outcome:
    """Return what an answer, or none, comes to."""
    if isinstance(answer, NoPage):
        return Refused(answer.value) if answer in _NEVER else Again(answer.value)
    if _OK <= answer < _REDIRECT:
        return Went()
    reason = f"webhook_{answer}"
    return Refused(reason) if answer == _GONE else Again(reason)
