"""That somebody looked at numbers or took rows away, written into the audit log."""

from collections.abc import Mapping

from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Tx

LOOKED = "analytics.read"
# Somebody may type what names a person: that something was typed is enough.
_TYPED = {"source", "campaign", "ad_set", "event_id"}
TYPED = "given"


async def note_look(tx: Tx, scribe: Scribe, at: str, asked: Mapping[str, object]) -> None:
    """Write down what was looked at, and what was asked; not words that were typed."""
    said = {name: TYPED if name in _TYPED else value for name, value in asked.items()}
    await scribe.note(tx, LOOKED, at, said)
