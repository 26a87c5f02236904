"""Slack's incoming webhooks, and what understands the same, as Mattermost and Rocket.Chat do.

The address is the secret. In text, `&`, `<` and `>` are written as in HTML (Slack's documents).
"""

import msgspec

from trackai.alarms.message import Message
from trackai.alarms.ways.port import Outcome
from trackai.alarms.ways.webhook import outcome_of
from trackai.model.alarm import Deed, Severity
from trackai.storage.alarm_routes import Target
from trackai.tracker.public_web import PublicWeb

_SIGNS = {
    Severity.CRITICAL: ":red_circle:",
    Severity.HIGH: ":large_orange_circle:",
    Severity.MEDIUM: ":large_yellow_circle:",
}


class Slack:
    """Posts a line of text."""

    ready = True  # nothing has to be set up for it

    def __init__(self, web: PublicWeb) -> None:
        self._web = web

    async def tell(self, message: Message, target: Target) -> Outcome:
        """Post once."""
        body = msgspec.json.encode({"text": text_of(message)})
        headers = {"Content-Type": "application/json"}
        return outcome_of(await self._web.post(target.address, body, headers))


def text_of(message: Message) -> str:
    """Return what is shown."""
    title = _plain(message.title)
    if message.deed is Deed.RESOLVE:
        return f":large_green_circle: {title}"
    if message.deed is Deed.ACKNOWLEDGE:
        return f":eyes: {title}"
    if message.deed is Deed.CHANGE:
        return f":rocket: {title}" + (f"\n<{_plain(message.link)}>" if message.link else "")
    sign = _SIGNS[message.severity]
    return f"{sign} *{title}*\n{_plain(message.text)}\n<{message.runbook_url}|Runbook>"


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
